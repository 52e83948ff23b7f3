/** What the service's methods take and give beside the API's own objects. */
import type { Duration, Option } from "effect"
import type { OrderState, ResourceState } from "./api/index.js"

/** All pages of a list. What could not be read is reported beside what could. */
export interface Listed<A> {
  readonly items: ReadonlyArray<A>
  /** Never drop these silently: an order among them waits for somebody. They are logged once as well. */
  readonly malformed: ReadonlyArray<MalformedItem>
}

export interface MalformedItem {
  readonly uuid: Option.Option<string>
  /** What could not be read, without the item's contents. */
  readonly reason: string
}

export interface OrderFilter {
  readonly offering?: string
  readonly resource?: string
  /** Any of these. Empty or absent: all. */
  readonly states?: ReadonlyArray<OrderState>
}

/** A part of an offering's queue. Absent: all of it. */
export interface QueuePart {
  readonly resource?: string
  /**
   * What has changed since then (ms since 1970, by the server's clock): also those that somebody has ended. A server that does not know this filter
   * gives all.
   */
  readonly changedSince?: number
  /** What waits for the provider alone. */
  readonly pending?: boolean
}

export interface ResourceFilter {
  readonly offering?: string
  readonly project?: string
  readonly states?: ReadonlyArray<ResourceState>
}

/** `unsupported`: this server's generation has no such call, and nothing was written. */
export type Written = "written" | "unsupported"

export interface Endpoint {
  readonly name: string
  readonly url: string
}

export interface UsageReport {
  readonly resource: string
  /**
   * ISO 8601, with a time: what Waldur's API calls a date; now if absent. Waldur keeps one amount per component and month: the newest report wins.
   */
  readonly date?: string
  /** In the offering's units. */
  readonly usages: ReadonlyArray<{ readonly type: string; readonly amount: number; readonly description?: string }>
}

/** A component as an offering is given one, under Waldur's own names (`OfferingComponentRequest` of the published API). */
export interface ComponentRequest extends Readonly<Record<string, string | number | boolean | null>> {
  readonly type: string
  readonly name: string
  readonly billing_type: string
  readonly measured_unit: string
}

/** One line of `site-actors check`. */
export interface ProbeResult {
  /** "Waldur answers", "the offering can be read", ... */
  readonly what: string
  readonly ok: boolean
  /** What was found, or what is wrong. */
  readonly detail: string
}

export interface AwaitExecutingOptions {
  /** Default 30 s. */
  readonly deadline?: Duration.DurationInput
  /** How long an executing Create may lack its `scopeUuid` before the server is taken for one that does not set it. Default 1 s. */
  readonly scopeGrace?: Duration.DurationInput
}

/** What is done about an account of an offering. */
export type OfferingUserMove = "begin_creating" | "set_ok" | "set_error_creating" | "set_deleting" | "set_deleted"

/**
 * What came of moving an order. `found moved`: by a call of ours of which no success was heard. `was there`: no call of ours can have done it, as each was
 * refused; somebody else had moved it already.
 */
export type Moved = "moved" | "found moved" | "was there"

import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Option, Schema, TestClock } from "effect"
import { makeMemoryJournal } from "../../../test/support/journal.js"
import {
  type JournalEntry,
  type Noted,
  OfferingId,
  OrderId,
  OrderRefused,
  Parked,
  ProjectId,
  ResourceId,
  refuse,
  wholeOrder
} from "../../core/index.js"
import type { Accepted } from "./accepting/request.js"
import { atStart } from "./accepting/start.js"
import { type Cancellation, Cancellations } from "./cancellations.js"
import { stillWaits } from "./waiting.js"

const offering = OfferingId.make("f".repeat(32))
const resource = {
  id: ResourceId.make("2".repeat(32)),
  name: "a",
  slug: "a",
  offering,
  project: ProjectId.make("3".repeat(32)),
  projectName: "p",
  backendId: "",
  backendMetadata: {}
}
const create = {
  _tag: "Create",
  order: OrderId.make("1".repeat(32)),
  resource,
  amounts: {},
  attributes: {},
  pluginOptions: {}
} as const
const accepted: Accepted = { offering, approve: true, backend: "slow", place: "here", request: create }

/** Boots for a minute: what it has come to is told by its steps. */
const waitsFor = (noted: Noted) =>
  Effect.succeed(
    noted.isAt("boot")
      ? Option.map(
          noted.result("thing", Schema.Int),
          (id) => new Parked({ within: 60_000 + id, watch: () => () => undefined })
        )
      : Option.none()
  )
const site = {
  id: offering,
  backendType: "slow",
  backend: { waitsFor, upkeep: { place: "here" } },
  deadlines: { create: Option.some(Duration.minutes(30)), update: Option.none(), terminate: Option.none() }
}

interface Given {
  /** Beside what an order has that waits for its boot. */
  readonly entries?: ReadonlyArray<Pick<JournalEntry, "step" | "event" | "data">>
  readonly isStarted?: boolean
  readonly isRefused?: boolean
  readonly accepted?: Accepted
  readonly site?: Parameters<typeof stillWaits>[0]
  /** ms after the order was accepted. */
  readonly now?: number
  readonly cancelled?: boolean
}
const within = (given: Given = {}) =>
  Effect.gen(function* () {
    const journal = yield* makeMemoryJournal()
    yield* journal.append(wholeOrder, "accepted")
    if (given.isStarted !== false) yield* journal.append(atStart, "finished", true)
    yield* journal.append("thing", "finished", 7)
    yield* journal.append("boot", "started")
    for (const { data, event, step } of given.entries ?? []) yield* journal.append(step, event, data)
    if (given.isRefused === true) yield* refuse(journal, new OrderRefused({ customerMessage: "no" }))
    yield* TestClock.adjust(given.now ?? 0)
    const cancellation: Cancellation = { order: journal.order, who: "somebody", reason: "", at: 1 }
    const waits = yield* stillWaits(given.site ?? site, journal, given.accepted ?? accepted).pipe(
      Effect.provideService(Cancellations, {
        of: () => Effect.succeed(given.cancelled === true ? cancellation : undefined),
        refresh: Effect.succeed([]),
        cancel: () => Effect.void,
        wanted: () => () => undefined
      })
    )
    return Option.getOrUndefined(Option.map(waits, (parked) => parked.within))
  })

describe("an order that waited when the process ended", () => {
  it.effect("waits on, until its wait's end or its own deadline", () =>
    Effect.gen(function* () {
      expect(yield* within()).toBe(60_007)
      expect(yield* within({ now: 1_790_000 })).toBe(10_000)
      const endless = { ...site, deadlines: { ...site.deadlines, create: Option.none() } }
      expect(yield* within({ now: 86_400_000, site: endless })).toBe(60_007)
    })
  )

  it.effect.each<[string, Given]>([
    ["is past its deadline, but for what was paused", { now: 1_800_000 }],
    ["was cancelled meanwhile", { cancelled: true }],
    ["is being undone", { isRefused: true }],
    ["comes from a backup", { entries: [{ step: wholeOrder, event: "restored" }] }],
    ["was quarantined", { entries: [{ step: wholeOrder, event: "quarantined" }] }],
    ["has ended its step", { entries: [{ step: "boot", event: "finished" }] }],
    ["was cut off in its step", { entries: [{ step: "boot", event: "interrupted" }] }],
    ["has nothing to wait for", { entries: [{ step: "thing", event: "undone" }] }],
    ["has noted what nobody understands", { entries: [{ step: "thing", event: "finished", data: "seven" }] }],
    ["was not seen to execute", { isStarted: false }],
    ["was begun by another backend", { site: { ...site, backendType: "quick" } }],
    ["was begun at another place", { site: { ...site, backend: { waitsFor, upkeep: { place: "there" } } } }],
    ["could not be understood", { accepted: { offering, approve: true } }],
    ["is no create", { accepted: { ...accepted, request: { ...create, _tag: "Terminate" } } }],
    ["is of a backend that does not say", { site: { ...site, backend: {} } }]
  ])("has its handler run if it %s", ([, given]) => Effect.map(within(given), (left) => expect(left).toBeUndefined()))
})

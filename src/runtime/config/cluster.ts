/** What a process of several needs to know of itself and of the others, and what is wrong where it is none. */
import { Data, type Duration } from "effect"

export interface ClusterSettings {
  /** By which the other processes reach this one: a name or an address. */
  readonly host: string
  readonly port: number
  /** The address of this machine at which it listens. */
  readonly listen: string
  /** A process that gives no sign of life for so long has lost its resources to the others. The same in all processes. */
  readonly takeover: Duration.Duration
}

/** The same in all processes, for ever: it says which shard a resource belongs to. */
export const shards = 64

export const addressOf = ({ host, port }: Pick<ClusterSettings, "host" | "port">): string => `${host}:${port}`

/** The way between processes cannot be opened; the message says why and what to do. */
export class ClusterUnusable extends Data.TaggedError("ClusterUnusable")<{
  readonly address: string
  readonly reason: string
  readonly hint: string
}> {
  override get message(): string {
    return `Other processes cannot be met at ${this.address}: ${this.reason}. ${this.hint}`
  }
}

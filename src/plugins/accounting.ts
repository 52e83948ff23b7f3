/**
 * Hours, from OpenNebula's accounts: for offerings that bill by what was used over a month. Both OpenNebula plugins count in the same way.
 *
 * As with OpenNebula's own `oneacct`, a VM counts from the moment when it gets a host until it leaves it (STIME to ETIME): powered off and
 * suspended it counts, pending, stopped and undeployed it does not. A size that changes in between counts for as long as it lasted.
 */
import { Clock, Effect } from "effect"
import type { HistoryRecord, OpenNebulaError, OpenNebulaService } from "../opennebula/index.js"
import type { Amounts, Quantity, Span } from "../plugin/index.js"

const accounted = (name: string, unit: string): Quantity => ({ name, unit, ordered: false, measured: "period" })

export const accountedQuantities: ReadonlyArray<Quantity> = [
  accounted("cpu_hours", "core-hours"),
  accounted("vcpu_hours", "vCPU-hours"),
  accounted("ram_hours", "MB-hours"),
  accounted("storage_hours", "MB-hours"),
  accounted("vm_hours", "hours")
]

/**
 * What has not ended is counted until a minute ago. The front-end's clock may be behind ours, and a figure that was too high would have to go
 * down again when the record ends.
 */
const lagMillis = 60_000

/** Until when records count that have not ended, in ms since 1970. */
export const countedUntil: Effect.Effect<number> = Effect.map(Clock.currentTimeMillis, (now) => now - lagMillis)

/** Where records come from. */
type Accounts = { readonly vm: Pick<OpenNebulaService["vm"], "accounting"> }

const inSeconds = (millis: number): number => Math.floor(millis / 1000)

/** All records that lie at least partly in the spans, oldest span first. */
export const readRecords = (
  one: Accounts,
  spans: ReadonlyArray<Span>
): Effect.Effect<ReadonlyArray<HistoryRecord>, OpenNebulaError> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    recordsBetween(one, inSeconds(spans[0]?.from ?? now), inSeconds(Math.min(spans.at(-1)?.until ?? now, now)) + 1)
  )

/** Seconds: a stretch that is not halved any more. */
const shortest = 3600

/** An answer that is too large is asked for in halves; a record that lies in both counts once. */
const recordsBetween = (
  one: Accounts,
  from: number,
  until: number
): Effect.Effect<ReadonlyArray<HistoryRecord>, OpenNebulaError> =>
  Effect.catchIf(
    one.vm.accounting(from, until),
    (error) => error._tag === "AnswerTooLarge" && until - from > shortest,
    () => {
      const middle = Math.floor((from + until) / 2)
      return Effect.map(
        Effect.all([recordsBetween(one, from, middle), recordsBetween(one, middle, until)]),
        ([early, late]) => [
          ...new Map([...early, ...late].map((record) => [`${record.vmId} ${record.sequence}`, record])).values()
        ]
      )
    }
  )

/** What one VM, or all VMs of one group, used in a span. */
export interface Account {
  /** By quantity, in the units of `accountedQuantities`. */
  readonly amounts: Amounts
  /** Why some quantities are not in `amounts`. */
  readonly problem?: string
}

export const nothingUsed: Account = {
  amounts: Object.fromEntries(accountedQuantities.map(({ name }) => [name, 0]))
}

/** Sizes by quantity. OpenNebula takes nonsense for a size, and it reads as 0: such a one is `undefined` here. */
const sizesOf = (record: HistoryRecord): ReadonlyArray<readonly [string, number | undefined]> => {
  const over0 = (size: number) => (size > 0 ? size : undefined)
  return [
    ["cpu_hours", over0(record.cpu)],
    ["vcpu_hours", over0(record.vcpu)],
    ["ram_hours", over0(record.memory)],
    [
      "storage_hours",
      record.disks.every((size) => size > 0) ? record.disks.reduce((sum, size) => sum + size, 0) : undefined
    ],
    ["vm_hours", 1]
  ]
}

/** Seconds of a record that lie in the span. `until`: where a record counts to that has not ended; in ms, as the span. */
export const secondsIn = (span: Span, record: Pick<HistoryRecord, "startedAt" | "endedAt">, until: number): number => {
  const from = Math.max(record.startedAt * 1000, span.from)
  const to = Math.min(record.endedAt === 0 ? until : record.endedAt * 1000, span.until)
  return Math.max(0, to - from) / 1000
}

/** The accounts of one span, by whatever `ownerOf` says of each record (a VM's id, a group's); a record without an owner counts for nobody. */
export const accountsIn = (
  span: Span,
  records: ReadonlyArray<HistoryRecord>,
  until: number,
  ownerOf: (record: HistoryRecord) => number | undefined
): ReadonlyMap<number, Account> => {
  const found = new Map<number, { readonly used: Map<string, number>; readonly unread: Map<string, number> }>()
  for (const record of records) {
    const owner = ownerOf(record)
    const length = secondsIn(span, record, until)
    if (owner === undefined || length === 0) continue
    const { used, unread } = found.get(owner) ?? { used: new Map(), unread: new Map() }
    found.set(owner, { used, unread })
    for (const [quantity, size] of sizesOf(record)) {
      if (size === undefined) unread.set(quantity, record.vmId)
      else used.set(quantity, (used.get(quantity) ?? 0) + size * length)
    }
  }
  return new Map([...found].map(([owner, { used, unread }]) => [owner, accountOf(used, unread)]))
}

const accountOf = (used: ReadonlyMap<string, number>, unread: ReadonlyMap<string, number>): Account => ({
  amounts: Object.fromEntries(
    [...used].flatMap(([quantity, amount]) => (unread.has(quantity) ? [] : [[quantity, amount / 3600]]))
  ),
  ...(unread.size === 0
    ? {}
    : {
        problem: `OpenNebula's accounts have no size for ${[...unread].map(([quantity, vm]) => `${quantity} of VM ${vm}`).join(", ")}.`
      })
})

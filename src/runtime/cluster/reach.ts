/**
 * Whether the processes reach each other, and which of them is given no resources where they do not.
 *
 * @effect/cluster has one of them ask the others whether they live, and goes by its word. A firewall before that one's own port it does not see, nor
 * one between two others: what was sent there was tried again for ever, and nobody heard of it. So each asks each other one, and notes whom it does
 * not reach; of two of which one does not reach the other, one has no resources until it does.
 */
import { RunnerAddress, RunnerHealth, Runners } from "@effect/cluster"
import { SqlClient } from "@effect/sql"
import { Context, Duration, Effect, Layer, Ref } from "effect"
import { keptFor, steadyMillis } from "../../core/index.js"
import { addressOf, type ClusterSettings } from "../config/cluster.js"
import { asking } from "../database/sql.js"
import { cutOffs, named, type Present, present, toOpen } from "../journal/present.js"
import type { Reach } from "../placement/index.js"
import { reachRound } from "../schedules.js"
import { Member } from "./storage.js"

const nothingKnown: Reach = { cutOffs: [], leftOut: false, unreached: 0 }

/** What the last look has found. While the database is away it stays until nobody can tell any more who lives. */
export class Reached extends Context.Tag("site-actors/runtime/cluster/Reached")<Reached, Ref.Ref<Reach>>() {
  static readonly layer = Layer.effect(Reached, Ref.make(nothingKnown))
}

/** So long an answer may take, and so many rounds in a row it may fail. */
const patience = Duration.seconds(5)
const rounds = 3

/** By whom most are kept from each other goes first; then who is not reached, then who came later. Whoever is left reaches everybody that is. */
export const leftOut = (
  present: ReadonlyArray<Pick<Present, "address" | "machine" | "unreached">>
): ReadonlySet<string> => {
  const out = new Set<string>()
  for (;;) {
    const inside = present.filter(({ address }) => !out.has(address))
    const pairs = inside.flatMap(({ address, unreached }) =>
      inside.filter((other) => unreached?.includes(other.address)).map((other) => [address, other.address] as const)
    )
    const [worst] = inside
      .map(({ address, machine }) => ({
        address,
        ranks: [
          pairs.filter((pair) => pair.includes(address)).length,
          pairs.filter(([, to]) => to === address).length,
          machine
        ] as const
      }))
      .toSorted(({ ranks: a }, { ranks: b }) => b[0] - a[0] || b[1] - a[1] || b[2] - a[2])
    if (pairs.length === 0 || worst === undefined) return out
    out.add(worst.address)
  }
}

const addressFrom = (text: string) => {
  const colon = text.lastIndexOf(":")
  return RunnerAddress.make(text.slice(0, colon), Number(text.slice(colon + 1)))
}

/** What is to be said of it, in sentences. */
const sentences = (own: string, present: ReadonlyArray<Present>, unreached: ReadonlyArray<string>): string => {
  const self = present.find(({ address }) => address === own)
  const said = present
    .filter(({ address }) => unreached.includes(address))
    .map(
      (other) =>
        `${named(other)} is not reached from here, though it lives${other.healthy === 0 ? ": others have its resources meanwhile" : ""}.`
    )
  if (self?.healthy === 0)
    said.push(`This process is not reached at ${own} by others: they have its resources meanwhile.`)
  return said.length === 0 ? "" : `${said.join(" ")} ${toOpen}`
}

export const reach = ({
  takeover
}: Pick<ClusterSettings, "takeover">): Layer.Layer<
  RunnerHealth.RunnerHealth,
  never,
  Member | Reached | Runners.Runners | SqlClient.SqlClient
> =>
  Layer.scoped(
    RunnerHealth.RunnerHealth,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const ask = asking(sql)
      const { address: own, instance } = yield* Member
      const runners = yield* Runners.Runners
      const noted = yield* Reached
      const there = Effect.provideService(present(takeover), SqlClient.SqlClient, sql)
      /**
       * Its last sign of life before it did not answer for the first time, and how often in a row it did not after a later one. One that is dead gives
       * none, and one that was stopped may miss a round when it goes on.
       */
      const failed = new Map<string, { readonly times: number; readonly seen: number }>()
      let said = ""
      let looked = yield* steadyMillis
      const look = Effect.gen(function* () {
        const now = yield* there
        const others = now.filter(({ address }) => address !== own)
        for (const address of failed.keys())
          if (!others.some((other) => other.address === address)) failed.delete(address)
        yield* Effect.forEach(
          others,
          ({ address, seen }) =>
            Effect.map(Effect.isSuccess(Effect.timeout(runners.ping(addressFrom(address)), patience)), (answers) => {
              const before = failed.get(address) ?? { times: 0, seen }
              if (answers) failed.delete(address)
              else failed.set(address, { ...before, times: seen === before.seen ? before.times : before.times + 1 })
            }),
          { concurrency: "unbounded", discard: true }
        )
        const unreached = others
          .map(({ address }) => address)
          .filter((address) => (failed.get(address)?.times ?? 0) >= rounds)
        const note = JSON.stringify(unreached)
        const since = JSON.stringify(Object.fromEntries(unreached.map((one) => [one, failed.get(one)?.seen])))
        yield* Effect.disconnect(
          ask(sql`
            UPDATE cluster_runner SET unreached = ${note}, unreached_since = ${since}
            WHERE instance = ${instance} AND (unreached IS NULL OR unreached <> ${note})`)
        )
        looked = yield* steadyMillis
        const self = now.find(({ address }) => address === own)
        yield* Ref.set(noted, {
          cutOffs: cutOffs(now),
          leftOut: self?.healthy === 0,
          unreached: others.filter(
            ({ address, unreached: not }) => self?.unreached?.includes(address) === true || not?.includes(own) === true
          ).length
        })
        const found = sentences(own, now, unreached)
        if (found !== said) {
          yield* found === ""
            ? Effect.logInfo("All processes reach each other again, as far as this one can tell")
            : Effect.logWarning(found)
        }
        said = found
      })
      const unknown = Effect.flatMap(steadyMillis, (now) =>
        now - looked > Duration.toMillis(takeover) ? Ref.set(noted, nothingKnown) : Effect.void
      )
      yield* look.pipe(
        Effect.catchAll((error) =>
          Effect.zipRight(Effect.logDebug(`Who is there is not known: ${error.message}`), unknown)
        ),
        Effect.schedule(reachRound),
        Effect.forkScoped
      )
      // One round of @effect/cluster asks for each process, within the same moment.
      const out = keptFor(
        "1 second",
        Effect.match(there, {
          // Nobody has word from it then, and nothing may be changed by that.
          onFailure: (): ReadonlySet<string> => new Set(),
          onSuccess: leftOut
        })
      )
      return { isAlive: (address) => Effect.map(out, (addresses) => !addresses.has(addressOf(address))) }
    })
  )

/** What befalls the processes of a storm, by chance: one after the other, each put right before the next but one. */
import { Console, Duration, Effect, Random, Utils } from "effect"
import { fault } from "../../src/simulator/waldur/index.js"
import type { ClusterSite, Node } from "./site.js"

export const strikeKinds = [
  "kill",
  "stop",
  "cut",
  "end",
  "away",
  "thrown",
  "readonly",
  "slow",
  "late",
  "wall",
  "upgrade"
] as const
export type StrikeKind = (typeof strikeKinds)[number]

export interface StrikeOptions {
  /** s from one strike to the next, on average. */
  readonly every: number
  /** s */
  readonly takeover: number
  readonly kinds: ReadonlyArray<StrikeKind>
}

/** ms. Beyond what a call's gate waits for (`answeredWithin` in `src/runtime/placement/gate.ts`). */
const slowest = 3_000

/** s: how long the processes of a storm wait for Waldur, and by how much it may be later with what it does all the same. */
export const patience = 2
const latest = 8_000

/** Seconds from `least` to `most`. */
const between = (least: number, most: number) => Effect.map(Random.nextRange(least, most), Duration.seconds)

/** Chance for what is no effect itself: drawn from the storm's own, so that its seed says it too. */
const drawn = Effect.map(Random.nextInt, (seed) => {
  const chance = new Utils.PCGRandom(seed)
  return () => chance.number()
})

/** Whatever is begun is put right, also when the storm ends meanwhile. */
const strike = (
  kind: StrikeKind,
  node: Node,
  { mains, marketplace, nodes: all, query }: ClusterSite,
  takeover: number
): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { agent, name, restart, versions, way } = node
    switch (kind) {
      case "kill": {
        agent.kill()
        yield* agent.ended
        // Sometimes at once, as a service manager does it, sometimes when all that it had is with others.
        const rest = yield* between(0, 1.5 * takeover)
        yield* Console.log(`  process ${name} killed, started again after ${Duration.format(rest)}`)
        yield* Effect.sleep(rest)
        yield* restart
        return
      }
      case "upgrade":
      case "end": {
        if (kind === "upgrade") versions.main = mains.find((main) => main !== versions.main) ?? versions.main
        agent.signal("SIGTERM")
        const { code, signal } = yield* agent.ended.pipe(
          Effect.interruptible,
          // What does not end is found by who looks how each has ended (`storm.ts`).
          Effect.timeoutTo({
            duration: "30 seconds",
            onSuccess: (end) => end,
            onTimeout: () => ({ code: "nothing within 30 s", signal: null })
          })
        )
        if (signal === null && code !== 0) yield* Effect.sync(agent.kill)
        const version = versions.main === mains[0] ? "this version" : "the version beside"
        yield* Console.log(`  process ${name} asked to end, ended with ${code ?? signal}, started again as ${version}`)
        yield* restart
        return
      }
      case "thrown": {
        yield* Console.log("  all connections of all of them broken off by the server")
        yield* query(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return
      }
      case "readonly": {
        const rest = yield* between(0.3, 2 * takeover)
        yield* Console.log(`  the database takes no writes for ${Duration.format(rest)}`)
        const set = (how: string) =>
          Effect.zipRight(query(`ALTER SYSTEM ${how}`), Effect.asVoid(query("SELECT pg_reload_conf()")))
        yield* set("SET default_transaction_read_only = on")
        yield* Effect.sleep(rest)
        yield* set("RESET default_transaction_read_only")
        return
      }
      case "stop": {
        const rest = yield* between(0.3, 2 * takeover)
        yield* Console.log(`  process ${name} stopped for ${Duration.format(rest)}`)
        agent.signal("SIGSTOP")
        yield* Effect.sleep(rest)
        agent.signal("SIGCONT")
        return
      }
      case "away": {
        const rest = yield* between(0.3, 2 * takeover)
        yield* Console.log(`  the database away for all of them for ${Duration.format(rest)}`)
        for (const one of all) one.way.cut()
        yield* Effect.sleep(rest)
        for (const one of all) one.way.mend()
        return
      }
      case "slow": {
        const rest = yield* between(0.3, 2 * takeover)
        const most = yield* Random.nextRange(100, slowest)
        yield* Console.log(
          `  the database answers process ${name} after up to ${Math.round(most)} ms, for ${Duration.format(rest)}`
        )
        const chance = yield* drawn
        way.slow(() => chance() * most)
        yield* Effect.sleep(rest)
        way.slow(() => 0)
        return
      }
      case "late": {
        const rest = yield* between(0.3, 2 * takeover)
        const chance = yield* drawn
        yield* Console.log(`  Waldur does what it is told up to ${latest} ms later, for ${Duration.format(rest)}`)
        const mend = marketplace.intercept(({ method, path }) =>
          method === "POST" && /\/(set_\w+|approve_by_provider)\/$/.test(path)
            ? fault.delay(chance() * latest)
            : undefined
        )
        yield* Effect.sleep(rest)
        mend()
        return
      }
      case "wall": {
        // From some that end before anybody has noted them, to some that last.
        const rest = yield* between(0.3, 4 * takeover)
        const others = yield* Effect.filter(all, (other) =>
          Effect.map(Random.nextBoolean, (is) => is && other !== node)
        )
        const cut = others.length === 0 ? all.filter((other) => other !== node) : others
        const how = (yield* Random.nextBoolean) ? "reset" : "silent"
        const [isOut, isIn] = [
          [true, true],
          [true, false],
          [false, true]
        ][yield* Random.nextIntBetween(0, 3)] ?? [true, true]
        const set = (to: typeof how | "none") =>
          Effect.sync(() => {
            for (const other of cut) {
              if (isOut) node.wall(other, to)
              if (isIn) other.wall(node, to)
            }
          })
        yield* Console.log(
          `  the way ${isOut && isIn ? "between" : isOut ? "from" : "to"} process ${name} and ${cut.map((other) => other.name).join(", ")} cut (${how}) for ${Duration.format(rest)}`
        )
        yield* set(how)
        yield* Effect.sleep(rest)
        yield* set("none")
        return
      }
      case "cut": {
        const rest = yield* between(0.3, 2 * takeover)
        yield* Console.log(`  process ${name} cut off from the database for ${Duration.format(rest)}`)
        way.cut()
        yield* Effect.sleep(rest)
        way.mend()
        return
      }
    }
  })

/** At most one process less than there are is struck at a time. */
export const strikesByChance =
  ({ every, kinds, takeover }: StrikeOptions) =>
  (site: ClusterSite): Effect.Effect<void> =>
    Effect.gen(function* () {
      const { nodes } = site
      const struck = new Set<Node>()
      const one = Effect.gen(function* () {
        yield* Effect.sleep(yield* between(0.5 * every, 1.5 * every))
        const free = nodes.filter((node) => !struck.has(node))
        if (free.length < 2) return
        const node = free[yield* Random.nextIntBetween(0, free.length)]
        const kind = kinds[yield* Random.nextIntBetween(0, kinds.length)]
        if (node === undefined || kind === undefined) return
        const isOfAll = kind === "away" || kind === "thrown" || kind === "readonly"
        if (isOfAll && struck.size > 0) return
        const affected = isOfAll ? nodes : [node]
        for (const one of affected) struck.add(one)
        yield* strike(kind, node, site, takeover).pipe(
          Effect.ensuring(Effect.sync(() => affected.forEach((one) => void struck.delete(one)))),
          Effect.uninterruptible,
          Effect.forkScoped
        )
      })
      yield* Effect.forever(one)
    }).pipe(Effect.scoped)

/** The lines that wait for Waldur: how many are kept, which are sent, and what becomes of them when it is away. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Logger, LogLevel, Ref } from "effect"
import type { AgentLogLine } from "../../waldur/index.js"
import { type WaldurError, WaldurInvalid, WaldurUnreachable, type Written } from "../../waldur/index.js"
import { type LineStore, makeLines } from "./lines.js"
import { shipAll } from "./ship.js"

const store = (options: Partial<Parameters<typeof makeLines>[0]> = {}) =>
  makeLines({ limit: 10_000, level: "INFO", secrets: ["hunter2!"], ...options })

/** With what is logged going into the store. */
const into = <A>(lines: LineStore, effect: Effect.Effect<A>) =>
  effect.pipe(
    Effect.provide(Logger.replace(Logger.defaultLogger, lines.logger)),
    Logger.withMinimumLogLevel(LogLevel.All)
  )

const all = (lines: LineStore) => lines.oldest(() => true, 1_000_000)

/** A Waldur whose answers are given one by one, and then always the last. */
const taking = (...answers: ReadonlyArray<Effect.Effect<Written, WaldurError>>) => {
  const batches: Array<ReadonlyArray<AgentLogLine>> = []
  const no = Effect.dieMessage("not asked")
  const waldur = {
    agent: {
      register: () => no,
      service: () => no,
      processor: () => no,
      statistics: () => no,
      ship: (_: string, lines: ReadonlyArray<AgentLogLine>) => {
        batches.push(lines)
        return answers[Math.min(batches.length, answers.length) - 1] ?? Effect.succeed<Written>("written")
      }
    }
  }
  return { waldur, batches }
}
const away = new WaldurUnreachable({ call: "POST logs", reason: "refused" })

const sender = (lines: LineStore, { waldur }: ReturnType<typeof taking>) =>
  Effect.gen(function* () {
    const identity = yield* Ref.make<string | undefined>("i")
    const wasTold = yield* Ref.make("")
    return { identity, ship: into(lines, shipAll({ waldur, lines, isOurs: () => true, identity }, wasTold)) }
  })

describe("lines of the log", () => {
  it.effect("are kept with level, offering and what they are about, on one line each, without secrets", () =>
    Effect.gen(function* () {
      const lines = store()
      yield* into(
        lines,
        Effect.logError("with hunter2!\nand a line").pipe(Effect.annotateLogs({ offering: "VDC", order: "0a" }))
      )
      yield* into(lines, Effect.logDebug("too little"))
      expect(all(lines).map(({ level, message, module, offering }) => [level, message, module, offering])).toEqual([
        ["ERROR", "with <redacted>\\u000aand a line order=0a", "site-actors", "VDC"]
      ])
    })
  )

  it.effect("never fill the memory: the oldest go, and are counted", () =>
    Effect.gen(function* () {
      const lines = store({ limit: 100 })
      yield* into(
        lines,
        Effect.forEach(Array.from({ length: 30 }), (_, n) => Effect.logInfo(`line ${10 + n}`))
      )
      expect(all(lines).map(({ message }) => message)).toEqual(Array.from({ length: 14 }, (_, n) => `line ${26 + n}`))
      expect([lines.takeDropped(), lines.takeDropped()]).toEqual([16, 0])
    })
  )
})

describe("sending them", () => {
  it.effect("goes in batches of a hundred, oldest first, each once", () =>
    Effect.gen(function* () {
      const lines = store()
      yield* into(
        lines,
        Effect.forEach(Array.from({ length: 250 }), (_, n) => Effect.logInfo(`line ${n}`))
      )
      const waldur = taking()
      const { ship } = yield* sender(lines, waldur)
      yield* ship
      expect(waldur.batches.map((batch) => [batch.length, batch[0]?.message])).toEqual([
        [100, "line 0"],
        [100, "line 100"],
        [50, "line 200"]
      ])
      yield* ship
      expect(waldur.batches).toHaveLength(3)
    })
  )

  it.effect("waits while Waldur is away, says so once, and is never about itself", () =>
    Effect.gen(function* () {
      const lines = store({ level: "DEBUG" })
      yield* into(lines, Effect.logInfo("kept"))
      const waldur = taking(Effect.fail(away), Effect.fail(away), Effect.succeed("written"))
      const { ship } = yield* sender(lines, waldur)
      yield* Effect.repeatN(ship, 3)
      expect(waldur.batches.map((batch) => batch.map(({ message }) => message))).toEqual([["kept"], ["kept"], ["kept"]])
      expect(lines.size()).toBe(0)
    })
  )

  it.effect("tells Waldur afterwards how many were dropped meanwhile", () =>
    Effect.gen(function* () {
      const lines = store({ limit: 20 })
      const waldur = taking(Effect.fail(away), Effect.succeed("written"))
      const { ship } = yield* sender(lines, waldur)
      yield* into(lines, Effect.logInfo("the first"))
      yield* ship
      yield* into(lines, Effect.logInfo("the second, longer"))
      yield* ship
      expect(waldur.batches.slice(1).map((batch) => batch[0]?.message)).toEqual([
        "the second, longer",
        "1 older lines of the log were dropped before Waldur took them: there was no room to keep them."
      ])
    })
  )

  it.effect("drops what Waldur refuses, and looks for the agent's identity again", () =>
    Effect.gen(function* () {
      const lines = store()
      yield* into(lines, Effect.logInfo("refused"))
      const refused = new WaldurInvalid({
        call: "POST logs",
        messages: ["Object does not exist."],
        disposition: "fail-order"
      })
      const { identity, ship } = yield* sender(lines, taking(Effect.fail(refused)))
      yield* ship
      expect([lines.size(), yield* Ref.get(identity)]).toEqual([0, undefined])
    })
  )
})

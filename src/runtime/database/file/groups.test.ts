import { describe, expect, it, vi } from "@effect/vitest"
import { Effect, Either, Fiber, Option } from "effect"
import type { File } from "./file.js"
import { makeGroups } from "./groups.js"

/**
 * Files that write down what they are asked to run, and refuse what `refuses` says. The disk writes at once, or, if it is `slow`, when the test
 * says so.
 */
const recorded = (refuses: (text: string) => boolean = () => false, slow = false) => {
  const said: Array<string> = []
  const writing: Array<(error: Error | null) => void> = []
  let opened = 0
  let isBroken = false
  const open = (): File => {
    opened += 1
    let inTransaction = false
    return {
      run: (text) => {
        said.push(text)
        if (refuses(text)) throw Object.assign(new Error(`refused: ${text}`), { code: "SQLITE_FULL" })
        if (text.startsWith("BEGIN")) inTransaction = true
        if (text === "COMMIT" || text === "ROLLBACK") inTransaction = false
        return text.startsWith("SELECT") ? [{ one: 1 }] : []
      },
      inTransaction: () => inTransaction,
      sync: (done) => {
        if (slow) writing.push(done)
        else done(null)
      },
      syncNow: () => said.push("synced"),
      pending: () => new Uint8Array([opened]),
      writeAgain: (pending) => {
        said.push(`written again: ${pending}`)
        if (isBroken) throw new Error("EIO")
      },
      assertRoom: () => {
        if (isBroken) throw new Error("no room")
      },
      close: () => said.push("closed")
    }
  }
  return {
    groups: makeGroups(open),
    said,
    writing,
    opened: () => opened,
    breaks: (broken: boolean) => {
      isBroken = broken
    }
  }
}

/** One turn of Node's event loop. */
const turn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

const all = ({ groups }: ReturnType<typeof recorded>, ...texts: ReadonlyArray<string>) =>
  Effect.forEach(texts, (text) => Effect.either(groups.run(text, [])), { concurrency: "unbounded" })

describe("statements that are asked for in one moment", () => {
  it.live("are written in one transaction, in their order, and each gets its own answer", () =>
    Effect.gen(function* () {
      const file = recorded()
      const answers = yield* all(file, "INSERT a", "SELECT b", "INSERT c")
      expect(file.said).toEqual(["BEGIN IMMEDIATE", "INSERT a", "SELECT b", "INSERT c", "COMMIT"])
      expect(answers).toEqual([Either.right([]), Either.right([{ one: 1 }]), Either.right([])])
    })
  )

  it.live("need no transaction if only one writes", () =>
    Effect.gen(function* () {
      const file = recorded()
      yield* all(file, "SELECT a", "INSERT b", "SELECT c")
      expect(file.said).toEqual(["SELECT a", "INSERT b", "SELECT c"])
    })
  )

  it.live("are written without the one that cannot be", () =>
    Effect.gen(function* () {
      const file = recorded((text) => text === "INSERT bad")
      const answers = yield* all(file, "INSERT a", "INSERT bad", "INSERT c")
      expect(answers.map(Either.isRight)).toEqual([true, false, true])
      // The first attempt came to nothing, so nothing of it may stay.
      expect(file.said.slice(0, 5)).toEqual(["BEGIN IMMEDIATE", "INSERT a", "INSERT bad", "ROLLBACK", "closed"])
      expect(file.said.slice(5).filter((text) => text.startsWith("INSERT"))).toEqual([
        "INSERT a",
        "INSERT bad",
        "INSERT c"
      ])
    })
  )

  it.live("have all failed when their transaction could not be written, and the file is opened anew", () =>
    Effect.gen(function* () {
      let full = true
      const file = recorded((text) => full && text === "COMMIT")
      expect((yield* all(file, "INSERT a", "INSERT b")).map(Either.isRight)).toEqual([false, false])
      full = false
      expect((yield* all(file, "INSERT a", "INSERT b")).map(Either.isRight)).toEqual([true, true])
      expect(file.opened()).toBe(2)
    })
  )

  it.live("have all failed while somebody else writes", () =>
    Effect.gen(function* () {
      const file = recorded((text) => text.startsWith("BEGIN"))
      expect((yield* all(file, "INSERT a", "INSERT b")).map(Either.isRight)).toEqual([false, false])
      expect(file.said).toEqual(["BEGIN IMMEDIATE", "closed"])
    })
  )

  it.live("stand beside what makes a transaction of its own, not in it", () =>
    Effect.gen(function* () {
      const file = recorded()
      yield* all(file, "INSERT a", "INSERT b", "PRAGMA user_version = 1", "INSERT c")
      expect(file.said).toEqual([
        "BEGIN IMMEDIATE",
        "INSERT a",
        "INSERT b",
        "COMMIT",
        "PRAGMA user_version = 1",
        "INSERT c"
      ])
      const script = recorded()
      yield* all(script, "BEGIN IMMEDIATE", "INSERT a", "INSERT b", "COMMIT")
      expect(script.said).toEqual(["BEGIN IMMEDIATE", "INSERT a", "INSERT b", "COMMIT"])
    })
  )

  it.live("are answered when the disk has them, those of one wait together; what only reads is answered at once", () =>
    Effect.gen(function* () {
      const file = recorded(undefined, true)
      const answered: Array<string> = []
      const ask = (text: string) =>
        Effect.fork(Effect.tap(file.groups.run(text, []), () => Effect.sync(() => answered.push(text))))
      const until = (condition: () => boolean) => Effect.repeat(turn, { until: condition })
      yield* ask("INSERT a")
      yield* ask("SELECT b")
      yield* until(() => answered.length > 0)
      yield* ask("INSERT c")
      yield* ask("INSERT d")
      yield* ask("SELECT e")
      yield* until(() => answered.length > 1)
      expect(answered).toEqual(["SELECT b", "SELECT e"])
      expect(file.said).toEqual(["INSERT a", "SELECT b", "SELECT e"])
      file.writing[0]?.(null)
      yield* until(() => file.writing.length > 1)
      expect(answered).toEqual(["SELECT b", "SELECT e", "INSERT a"])
      expect(file.said.slice(3)).toEqual(["BEGIN IMMEDIATE", "INSERT c", "INSERT d", "COMMIT"])
      file.writing[1]?.(null)
      yield* until(() => answered.length === 5)
      expect(answered.slice(3)).toEqual(["INSERT c", "INSERT d"])
    })
  )

  it.live("have all failed when the disk has not taken them, and the file is opened anew", () =>
    Effect.gen(function* () {
      const file = recorded(undefined, true)
      const asked = yield* Effect.fork(all(file, "INSERT a", "SELECT b", "INSERT c"))
      yield* Effect.repeat(turn, { until: () => file.writing.length > 0 })
      file.writing[0]?.(new Error("EIO"))
      expect((yield* Fiber.join(asked)).map(Either.isRight)).toEqual([false, true, false])
      const again = yield* Effect.fork(file.groups.run("INSERT a", []))
      yield* Effect.repeat(turn, { until: () => file.writing.length > 1 })
      expect(file.opened()).toBe(2)
      file.writing[1]?.(null)
      expect(yield* Fiber.join(again)).toEqual([])
    })
  )

  it.live("are not written before the disk has taken again what it had refused; what only reads is answered", () =>
    Effect.gen(function* () {
      const file = recorded(undefined, true)
      const asked = yield* Effect.fork(file.groups.run("INSERT a", []))
      yield* Effect.repeat(turn, { until: () => file.writing.length > 0 })
      file.breaks(true)
      file.writing[0]?.(new Error("EIO"))
      expect(Either.isLeft(yield* Effect.either(Fiber.join(asked)))).toBe(true)
      const answers = yield* all(file, "SELECT b", "INSERT c", "INSERT d")
      expect(answers.map(Either.isRight)).toEqual([true, false, false])
      file.breaks(false)
      const again = yield* Effect.fork(file.groups.run("INSERT e", []))
      yield* Effect.repeat(turn, { until: () => file.writing.length > 1 })
      file.writing[1]?.(null)
      expect(yield* Fiber.join(again)).toEqual([])
      // What the first one had: it may have left the system's memory since.
      expect(file.said.filter((text) => text !== "closed")).toEqual([
        "INSERT a",
        "written again: 1",
        "SELECT b",
        "written again: 1",
        "INSERT e"
      ])
    })
  )

  it.live("are not written while there is little room, once there was none; what only reads is answered", () =>
    Effect.gen(function* () {
      const file = recorded((text) => text === "INSERT large")
      file.breaks(true)
      expect((yield* all(file, "INSERT small")).map(Either.isRight)).toEqual([true])
      expect((yield* all(file, "INSERT large")).map(Either.isRight)).toEqual([false])
      expect((yield* all(file, "INSERT small", "SELECT a")).map(Either.isRight)).toEqual([false, true])
      file.breaks(false)
      expect((yield* all(file, "INSERT small")).map(Either.isRight)).toEqual([true])
    })
  )

  it.live("are on the disk before the file is closed", () =>
    Effect.gen(function* () {
      const file = recorded(undefined, true)
      const asked = yield* Effect.fork(file.groups.run("INSERT a", []))
      yield* Effect.yieldNow()
      file.groups.close()
      expect(yield* Fiber.join(asked)).toEqual([])
      expect(file.said).toEqual(["INSERT a", "synced", "closed"])
    })
  )

  it.live("are answered before the disk has them where they need not be on it, even while it is busy for long", () =>
    Effect.gen(function* () {
      const file = recorded(undefined, true)
      const certain = yield* Effect.fork(file.groups.run("INSERT a", []))
      yield* Effect.repeat(turn, { until: () => file.writing.length > 0 })
      expect(yield* file.groups.run("INSERT b", [], "asynchronous")).toEqual([])
      expect(file.said).toEqual(["INSERT a", "INSERT b"])
      expect(Option.isNone(yield* Fiber.poll(certain))).toBe(true)
      file.writing[0]?.(null)
      yield* Fiber.join(certain)
      // Nobody waits for it: not for its own sake is the disk asked again.
      yield* turn
      expect(file.writing).toHaveLength(1)
      file.groups.close()
      expect(file.said.slice(2)).toEqual(["synced", "closed"])
    })
  )

  it.live("are written together with what has to be on the disk, if that is not slow", () =>
    Effect.gen(function* () {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
      const file = recorded(undefined, true)
      const first = yield* Effect.fork(file.groups.run("INSERT a", []))
      yield* Effect.repeat(turn, { until: () => file.writing.length > 0 })
      const others = yield* Effect.fork(
        Effect.all([file.groups.run("INSERT b", [], "asynchronous"), file.groups.run("INSERT c", [])], {
          concurrency: "unbounded"
        })
      )
      yield* Effect.repeat(turn, { times: 3 })
      expect(file.said).toEqual(["INSERT a"])
      file.writing[0]?.(null)
      yield* Fiber.join(first)
      yield* Effect.repeat(turn, { until: () => file.writing.length > 1 })
      expect(file.said.slice(1)).toEqual(["BEGIN IMMEDIATE", "INSERT b", "INSERT c", "COMMIT"])
      file.writing[1]?.(null)
      yield* Fiber.join(others)
    }).pipe(Effect.ensuring(Effect.sync(() => vi.useRealTimers())))
  )

  it.live("are taken to the disk by the next one that waits for it, and a second later if there is none", () =>
    Effect.gen(function* () {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
      const file = recorded(undefined, true)
      yield* file.groups.run("INSERT a", [], "asynchronous")
      const certain = yield* Effect.fork(file.groups.run("INSERT b", []))
      yield* Effect.repeat(turn, { until: () => file.writing.length > 0 })
      file.writing[0]?.(null)
      yield* Fiber.join(certain)
      vi.advanceTimersByTime(1_000)
      expect(file.writing).toHaveLength(1)
      yield* file.groups.run("INSERT c", [], "asynchronous")
      vi.advanceTimersByTime(999)
      expect(file.writing).toHaveLength(1)
      vi.advanceTimersByTime(1)
      expect(file.writing).toHaveLength(2)
      file.groups.close()
    }).pipe(Effect.ensuring(Effect.sync(() => vi.useRealTimers())))
  )

  it.live("are taken to the disk as soon as it is free, if their second was over while it was busy", () =>
    Effect.gen(function* () {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
      const file = recorded(undefined, true)
      const certain = yield* Effect.fork(file.groups.run("INSERT a", []))
      yield* Effect.repeat(turn, { until: () => file.writing.length > 0 })
      const owed = yield* Effect.fork(file.groups.run("INSERT b", [], "asynchronous"))
      yield* Effect.repeat(turn, { times: 3 })
      vi.advanceTimersByTime(20)
      yield* Fiber.join(owed)
      vi.advanceTimersByTime(1_000)
      expect(file.writing).toHaveLength(1)
      file.writing[0]?.(null)
      yield* Fiber.join(certain)
      yield* turn
      expect(file.writing).toHaveLength(2)
      file.groups.close()
    }).pipe(Effect.ensuring(Effect.sync(() => vi.useRealTimers())))
  )

  it.live("are written again after the disk has refused them, also those that were answered before", () =>
    Effect.gen(function* () {
      const file = recorded(undefined, true)
      yield* file.groups.run("INSERT a", [], "asynchronous")
      const certain = yield* Effect.fork(file.groups.run("INSERT b", []))
      yield* Effect.repeat(turn, { until: () => file.writing.length > 0 })
      file.writing[0]?.(new Error("EIO"))
      expect(Either.isLeft(yield* Effect.either(Fiber.join(certain)))).toBe(true)
      yield* file.groups.run("INSERT c", [], "asynchronous")
      expect(file.said.filter((text) => text !== "closed")).toEqual([
        "INSERT a",
        "INSERT b",
        "written again: 1",
        "INSERT c"
      ])
      file.groups.close()
    })
  )
})

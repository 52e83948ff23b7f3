import { describe, expect, it } from "@effect/vitest"
import { Cause, Clock, Effect, Exit, Fiber, Option, TestClock, TestContext } from "effect"
import { AuthenticationFailed, type OpenNebulaError, Unreachable } from "../errors.js"
import type { SeenVm, Vm } from "../model/vm.js"
import { makeVmWatcher } from "./watcher.js"

/** A front-end on the test's clock, which counts its calls. A VM runs from `readyAt` on, and boots before. */
const frontEnd = (options: {
  readonly readyAt: (vmId: number) => number
  readonly failing?: (now: number) => OpenNebulaError | undefined
}) => {
  const calls: Array<{ readonly at: number; readonly ids: ReadonlyArray<number> }> = []
  /** Of those calls, which asked for the state alone. */
  const brief: typeof calls = []
  const infoset = (ids: ReadonlyArray<number>) =>
    Effect.gen(function* () {
      const at = yield* Clock.currentTimeMillis
      calls.push({ at, ids })
      const error = options.failing?.(at)
      if (error !== undefined) return yield* error
      return ids
        .filter((id) => Number.isFinite(options.readyAt(id)))
        .map((id): Vm => ({ ...anyVm, id, state: at >= options.readyAt(id) ? "Running" : "Boot" }))
    })
  const states = (ids: ReadonlyArray<number>) =>
    Effect.tap(infoset(ids), () => Effect.sync(() => brief.push(...calls.slice(-1))))
  return { calls, brief, one: { endpoint: "http://front-end/RPC2", vm: { infoset, states } } }
}

const nobody = { use: false, manage: false, admin: false }
const anyVm: Vm = {
  id: 0,
  name: "vm",
  uid: 0,
  gid: 0,
  state: "Boot",
  cpu: 1,
  vcpu: 1,
  memory: 1024,
  disks: [],
  nics: [],
  startedAt: 0,
  endedAt: 0,
  history: [],
  vcpuStep: 1,
  locked: false,
  permissions: { owner: nobody, group: nobody, other: nobody },
  userTemplate: []
}

const running = (vm: Vm): Option.Option<number> => (vm.state === "Running" ? Option.some(vm.id) : Option.none())
const range = (count: number) => Array.from({ length: count }, (_, index) => index)
const context = { method: "one.vmpool.infoset", endpoint: "http://front-end/RPC2" }
const unreachable = new Unreachable({ ...context, reason: "ECONNREFUSED", outcome: "not-sent" })

const failureOf = <A, E>(exit: Exit.Exit<A, E>): E | undefined =>
  Exit.isFailure(exit) ? Option.getOrUndefined(Cause.failureOption(exit.cause)) : undefined

describe("the watcher", () => {
  it.scoped("costs no calls while nobody waits", () =>
    Effect.gen(function* () {
      const { calls, one } = frontEnd({ readyAt: () => 0 })
      yield* makeVmWatcher(one)
      yield* TestClock.adjust(60_000)
      expect(calls).toEqual([])
    })
  )

  it.scoped("sees a VM that runs already within 50 ms, and then falls silent", () =>
    Effect.gen(function* () {
      const { calls, one } = frontEnd({ readyAt: () => 0 })
      const watcher = yield* makeVmWatcher(one)
      const fiber = yield* Effect.fork(watcher.watch(7, running))
      yield* TestClock.adjust(50)
      expect(yield* Fiber.join(fiber)).toBe(7)
      yield* TestClock.adjust(60_000)
      expect(calls).toEqual([{ at: 4, ids: [7] }])
    })
  )

  it.scoped("tells those that have no fiber once, with all others in one call, and not those who took it back", () =>
    Effect.gen(function* () {
      const { brief, calls, one } = frontEnd({ readyAt: (id) => (id === 3 ? 100_000 : 10_000) })
      const watcher = yield* makeVmWatcher(one)
      const told: Array<number> = []
      const isRunning = (vm: SeenVm) => vm.state === "Running"
      const takeBack = [1, 2, 3].map((id) =>
        watcher.tellWhen(id, isRunning, { age: 2_000, isUnseen: false }, () => told.push(id))
      )
      const fiber = yield* Effect.fork(watcher.watch(1, running))
      takeBack[1]?.()
      yield* TestClock.adjust(30_000)
      expect(told).toEqual([1])
      expect(yield* Fiber.join(fiber)).toBe(1)
      expect(calls.some(({ ids }) => ids.includes(2))).toBe(false)
      yield* TestClock.adjust(90_000)
      expect(told).toEqual([1, 3])
      // As long as a fiber waits for one of them, all that is looked at is read whole; those without are asked for their state and no more.
      expect(
        calls.filter((call) => call.at <= 9_000 && call.ids.includes(1) && !brief.includes(call)).length
      ).toBeGreaterThan(5)
      expect(brief.filter(({ at }) => at > 12_000)).toEqual(calls.filter(({ at }) => at > 12_000))
      const soFar = calls.length
      yield* TestClock.adjust(60_000)
      expect(calls).toHaveLength(soFar)
    })
  )

  it.scoped(
    "looks at once, all in one call, at those that nobody has looked at for a while, and then as seldom as their age has it",
    () =>
      Effect.gen(function* () {
        const { brief, calls, one } = frontEnd({ readyAt: (id) => (id === 1 ? 0 : 5_000) })
        const watcher = yield* makeVmWatcher(one)
        const told: Array<number> = []
        for (const id of [1, 2, 3]) {
          const waited = { age: 40_000, isUnseen: id !== 3 }
          watcher.tellWhen(
            id,
            ({ state }) => state === "Running",
            waited,
            () => told.push(id)
          )
        }
        yield* TestClock.adjust(1)
        expect({ told, brief }).toEqual({ told: [1], brief: [{ at: 0, ids: [1, 2] }] })
        yield* TestClock.adjust(900)
        expect(calls).toHaveLength(1)
        yield* TestClock.adjust(7_000)
        expect(told.toSorted()).toEqual([1, 2, 3])
      })
  )

  it.scoped("glances at those that have waited long by their state alone, as they are", () =>
    Effect.gen(function* () {
      const { brief, calls, one } = frontEnd({ readyAt: (id) => (id === 9 ? Number.POSITIVE_INFINITY : id * 1_000) })
      const watcher = yield* makeVmWatcher(one)
      yield* TestClock.adjust(1_500)
      const glances = yield* Effect.forEach([1, 2, 9], (id) => Effect.fork(Effect.exit(watcher.glance(id, 2_000))))
      yield* TestClock.adjust(50)
      const [first, second, gone] = yield* Effect.forEach(glances, Fiber.join)
      expect([first, second].map((exit) => exit?.pipe(Exit.map(({ state }) => state)))).toEqual([
        Exit.succeed("Running"),
        Exit.succeed("Boot")
      ])
      expect(gone !== undefined && failureOf(gone)?._tag).toBe("VmVanished")
      // The first two could not know yet that they are not alone.
      expect(calls).toEqual([
        { at: 1_504, ids: [1, 2] },
        { at: 1_520, ids: [9] }
      ])
      expect(brief).toEqual(calls)
    })
  )

  it.scoped("reads a burst of 200 waits together, but for a look at the first two before the others have begun", () =>
    Effect.gen(function* () {
      const { calls, one } = frontEnd({ readyAt: () => 1_000 })
      const watcher = yield* makeVmWatcher(one)
      const fibers = yield* Effect.forEach(range(200), (id) => Effect.fork(watcher.watch(id, running)))
      yield* TestClock.adjust(1_500)
      expect(yield* Effect.forEach(fibers, Fiber.join)).toEqual(range(200))
      expect(calls[0]?.ids).toHaveLength(2)
      expect(calls.slice(1).every(({ ids }) => ids.length === 200)).toBe(true)
      expect(calls.length).toBeLessThanOrEqual(25)
    })
  )

  it.scoped.each([0.2, 1, 8, 15, 40])(
    "sees a VM that runs after %d s at most a seventh of that later, and in 1.1 s",
    (seconds) =>
      Effect.gen(function* () {
        const { one } = frontEnd({ readyAt: () => seconds * 1000 })
        const watcher = yield* makeVmWatcher(one)
        const fiber = yield* Effect.fork(Effect.zipRight(watcher.watch(1, running), Clock.currentTimeMillis))
        yield* TestClock.adjust(60_000)
        expect((yield* Fiber.join(fiber)) - seconds * 1000).toBeLessThanOrEqual(Math.min(1_100, (seconds * 1000) / 7))
      })
  )

  it.scoped("looks more often, in the first moments, at a VM that nobody else's calls could be shared with", () =>
    Effect.gen(function* () {
      const seenAfter = (vms: number) =>
        Effect.gen(function* () {
          const { calls, one } = frontEnd({ readyAt: () => 65 })
          const watcher = yield* makeVmWatcher(one)
          const fibers = yield* Effect.forEach(range(vms), (id) =>
            Effect.fork(Effect.zipRight(watcher.watch(id, running), Clock.currentTimeMillis))
          )
          yield* TestClock.adjust(200)
          return { last: Math.max(...(yield* Effect.forEach(fibers, Fiber.join))), calls: calls.length }
        }).pipe(Effect.provide(TestContext.TestContext))
      expect(yield* seenAfter(1)).toEqual({ last: 68, calls: 17 })
      expect(yield* seenAfter(3)).toEqual({ last: 80, calls: 5 })
    })
  )

  it.scoped("looks at an old wait every 3 s only", () =>
    Effect.gen(function* () {
      const { calls, one } = frontEnd({ readyAt: () => 1e9 })
      const watcher = yield* makeVmWatcher(one)
      yield* Effect.fork(watcher.watch(1, running))
      yield* TestClock.adjust(60_000)
      const before = calls.length
      yield* TestClock.adjust(60_000)
      expect(calls.length - before).toBe(20)
    })
  )

  it.scoped("lets ten thousand waits cost two calls a second, and starves none", () =>
    Effect.gen(function* () {
      const { calls, one } = frontEnd({ readyAt: () => 1e9 })
      const watcher = yield* makeVmWatcher(one)
      yield* Effect.forEach(range(10_000), (id) => Effect.fork(watcher.watch(id, () => Option.none())))
      yield* TestClock.adjust(10_000)
      expect(calls.length).toBeLessThanOrEqual(40 + 20)
      const before = calls.length
      yield* TestClock.adjust(20_000)
      expect(calls.length - before).toBeLessThanOrEqual(41)
      expect(new Set(calls.slice(before).flatMap(({ ids }) => ids)).size).toBe(10_000)
      expect(calls.every(({ ids }) => ids.length <= 500)).toBe(true)
    })
  )

  it.scoped("serves a young wait quickly in spite of many old ones", () =>
    Effect.gen(function* () {
      const { one } = frontEnd({ readyAt: (id) => (id === 9_999 ? 0 : 1e9) })
      const watcher = yield* makeVmWatcher(one)
      yield* Effect.forEach(range(1_500), (id) => Effect.fork(watcher.watch(id, running)))
      yield* TestClock.adjust(15_000)
      const young = yield* Effect.fork(watcher.watch(9_999, running))
      yield* TestClock.adjust(1_100)
      expect(Option.isSome(yield* Fiber.poll(young))).toBe(true)
    })
  )

  it.scoped("forgets a wait that is interrupted", () =>
    Effect.gen(function* () {
      const { calls, one } = frontEnd({ readyAt: () => 1e9 })
      const watcher = yield* makeVmWatcher(one)
      const fiber = yield* Effect.fork(watcher.watch(1, running))
      yield* TestClock.adjust(100)
      yield* Fiber.interrupt(fiber)
      const before = calls.length
      expect(before).toBeGreaterThan(0)
      yield* TestClock.adjust(60_000)
      expect(calls.length).toBe(before)
    })
  )

  it.scoped("says in which state a VM was at the deadline", () =>
    Effect.gen(function* () {
      const { one } = frontEnd({ readyAt: () => 1e9 })
      const watcher = yield* makeVmWatcher(one)
      const fiber = yield* Effect.fork(Effect.exit(watcher.watch(4, running, "10 seconds")))
      yield* TestClock.adjust(10_000)
      expect(failureOf(yield* Fiber.join(fiber))).toMatchObject({
        _tag: "WaitExpired",
        vmId: 4,
        seconds: 10,
        lastState: "Boot"
      })
    })
  )

  it.scoped("tells of a VM that is not there", () =>
    Effect.gen(function* () {
      const { one } = frontEnd({ readyAt: (id) => (id === 1 ? 0 : Number.POSITIVE_INFINITY) })
      const watcher = yield* makeVmWatcher(one)
      const gone = yield* Effect.fork(Effect.exit(watcher.watch(2, running)))
      const goneToo = yield* Effect.fork(Effect.exit(watcher.vmWhen(2, () => true)))
      const there = yield* Effect.fork(watcher.watch(1, running))
      yield* TestClock.adjust(50)
      expect(failureOf(yield* Fiber.join(gone))).toMatchObject({ _tag: "VmVanished", vmId: 2 })
      expect(failureOf(yield* Fiber.join(goneToo))).toMatchObject({ _tag: "NoSuchObject", objectId: 2 })
      expect(yield* Fiber.join(there)).toBe(1)
    })
  )

  it.scoped("outlasts a front-end that cannot be reached, with fewer and fewer tries", () =>
    Effect.gen(function* () {
      const { calls, one } = frontEnd({ readyAt: () => 0, failing: (at) => (at < 60_000 ? unreachable : undefined) })
      const watcher = yield* makeVmWatcher(one)
      const fiber = yield* Effect.fork(watcher.watch(1, running))
      yield* TestClock.adjust(59_900)
      expect(calls.length).toBeLessThan(15)
      yield* TestClock.adjust(15_000)
      expect(yield* Fiber.join(fiber)).toBe(1)
    })
  )

  it.scoped("fails with what passes by itself if the front-end is away at the deadline", () =>
    Effect.gen(function* () {
      const { one } = frontEnd({ readyAt: () => 0, failing: () => unreachable })
      const watcher = yield* makeVmWatcher(one)
      const fiber = yield* Effect.fork(Effect.exit(watcher.watch(1, running, "5 seconds")))
      yield* TestClock.adjust(5_000)
      expect(failureOf(yield* Fiber.join(fiber))).toBe(unreachable)
    })
  )

  it.scoped("ends a wait at once when the credentials are wrong, and goes on for later ones", () =>
    Effect.gen(function* () {
      const refused = new AuthenticationFailed({ ...context, serverMessage: "User couldn't be authenticated" })
      const { one } = frontEnd({ readyAt: () => 0, failing: (at) => (at < 1_000 ? refused : undefined) })
      const watcher = yield* makeVmWatcher(one)
      const early = yield* Effect.fork(Effect.exit(watcher.watch(1, running)))
      yield* TestClock.adjust(1_000)
      expect(failureOf(yield* Fiber.join(early))).toBe(refused)
      const late = yield* Effect.fork(watcher.watch(1, running))
      yield* TestClock.adjust(100)
      expect(yield* Fiber.join(late)).toBe(1)
    })
  )

  it.scoped("gives a defect in a caller's predicate to that caller alone", () =>
    Effect.gen(function* () {
      const { one } = frontEnd({ readyAt: () => 0 })
      const watcher = yield* makeVmWatcher(one)
      const broken = yield* Effect.fork(
        Effect.exit(
          watcher.watch(1, () => {
            throw new Error("a bug")
          })
        )
      )
      const sound = yield* Effect.fork(watcher.watch(1, running))
      yield* TestClock.adjust(100)
      expect(yield* Fiber.join(sound)).toBe(1)
      expect(Exit.isFailure(yield* Fiber.join(broken))).toBe(true)
    })
  )
})

import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Option, Ref, Schema, TestClock } from "effect"
import { type MemoryJournal, makeMemoryJournal } from "../../../test/support/journal.js"
import {
  carryOut,
  decide,
  ensureDone,
  type JournalError,
  JournalUnavailable,
  make,
  NotYet,
  OrderRefused,
  refuse
} from "../index.js"

/** A cloud of named things, each made by a call that may fail, be lost, or be the last thing that the process does. */
const cloud = Effect.gen(function* () {
  const things = yield* Ref.make<ReadonlyArray<string>>([])
  const calls = yield* Ref.make<ReadonlyArray<string>>([])
  const faults = yield* Ref.make<Readonly<Record<string, "refuse" | "lose request" | "lose answer" | "refuse undo">>>(
    {}
  )
  const thing = (name: string) =>
    make(name, {
      result: Schema.String,
      find: Effect.gen(function* () {
        yield* Ref.update(calls, (all) => [...all, `find ${name}`])
        return (yield* Ref.get(things)).includes(name) ? Option.some(name) : Option.none()
      }),
      create: Effect.gen(function* () {
        yield* Ref.update(calls, (all) => [...all, `create ${name}`])
        const fault = (yield* Ref.get(faults))[name]
        if (fault === "refuse") return yield* new OrderRefused({ customerMessage: `${name} is not to be had.` })
        if (fault === "lose request") return yield* new NotYet({ reason: "connection reset" })
        yield* Ref.update(things, (all) => [...all, name])
        if (fault === "lose answer") return yield* new NotYet({ reason: "connection reset" })
        return name
      }),
      undo: (made) =>
        Effect.gen(function* () {
          yield* Ref.update(calls, (all) => [...all, `undo ${made}`])
          if ((yield* Ref.get(faults))[name] === "refuse undo") {
            return yield* new OrderRefused({ customerMessage: "in use", detail: `${made} is in use` })
          }
          yield* Ref.update(things, (all) => all.filter((other) => other !== made))
        })
    })
  return { things, calls, faults, thing }
})

/** With as much time as it needs. */
const patiently = <A, E>(work: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(work)
    yield* TestClock.adjust("10 seconds")
    return yield* Fiber.join(fiber)
  })

const mended = <K, V>(ref: Ref.Ref<Readonly<Record<string, V>>>, key: K & string) =>
  Ref.update(ref, (all) => Object.fromEntries(Object.entries(all).filter(([name]) => name !== key)))

describe("an order that is given up before it has come again to all that was done for it", () => {
  it.effect("has all of that undone", () =>
    Effect.gen(function* () {
      const { thing, things } = yield* cloud
      const journal = yield* makeMemoryJournal()
      const work = Effect.zipRight(thing("group"), thing("network"))
      const away = new NotYet({ reason: "connection reset" })
      yield* Effect.flip(carryOut(journal, Effect.zipRight(work, away)))
      expect(yield* Ref.get(things)).toEqual(["group", "network"])
      // As a deadline does that has passed when the next attempt begins; once it is refused, nothing stands in the way of the undo.
      const late = new OrderRefused({ customerMessage: "Too late." })
      let first = true
      const next = Effect.suspend(() => {
        const now = first ? late : work
        first = false
        return now
      })
      expect(yield* carryOut(journal, next)).toMatchObject({ _tag: "Refused", leftovers: [] })
      expect(yield* Ref.get(things)).toEqual([])
    })
  )
})

describe("an order that goes well", () => {
  it.effect("does each step once, without looking first, and writes before and after each call", () =>
    Effect.gen(function* () {
      const { thing, calls, things } = yield* cloud
      const journal = yield* makeMemoryJournal()
      const handler = Effect.zipRight(thing("group"), thing("network"))
      expect(yield* carryOut(journal, handler)).toEqual({ _tag: "Done", value: "network" })
      expect(yield* Ref.get(things)).toEqual(["group", "network"])
      expect(yield* Ref.get(calls)).toEqual(["create group", "create network"])
      expect(yield* journal.story).toEqual(["group started", "group finished", "network started", "network finished"])
    })
  )

  it.effect("makes no call at all when it is carried out again", () =>
    Effect.gen(function* () {
      const { thing, calls } = yield* cloud
      const journal = yield* makeMemoryJournal()
      yield* carryOut(journal, thing("group"))
      expect(yield* carryOut(journal, thing("group"))).toEqual({ _tag: "Done", value: "group" })
      expect(yield* Ref.get(calls)).toEqual(["create group"])
    })
  )

  it.effect("remembers a decision, however the world has changed since", () =>
    Effect.gen(function* () {
      const journal = yield* makeMemoryJournal()
      const look = yield* Ref.make(1)
      const handler = decide("old size", Schema.Number, Ref.get(look))
      yield* carryOut(journal, handler)
      yield* Ref.set(look, 2)
      expect(yield* carryOut(journal, handler)).toEqual({ _tag: "Done", value: 1 })
    })
  )
})

describe("an attempt that breaks off", () => {
  it.effect("adopts what a lost answer had made, and never makes it twice", () =>
    Effect.gen(function* () {
      const { thing, calls, things, faults } = yield* cloud
      const journal = yield* makeMemoryJournal()
      const handler = Effect.zipRight(thing("group"), thing("network"))
      yield* Ref.set(faults, { network: "lose answer" })
      const failed = yield* Effect.flip(carryOut(journal, handler))
      expect(failed.disposition).toBe("retry")
      yield* mended(faults, "network")
      expect(yield* carryOut(journal, handler)).toEqual({ _tag: "Done", value: "network" })
      expect(yield* Ref.get(things)).toEqual(["group", "network"])
      expect(yield* Ref.get(calls)).toEqual(["create group", "create network", "find network"])
      expect(yield* journal.story).toContain("network adopted")
    })
  )

  it.effect("creates what a lost request had not made", () =>
    Effect.gen(function* () {
      const { thing, calls, things, faults } = yield* cloud
      const journal = yield* makeMemoryJournal()
      yield* Ref.set(faults, { group: "lose request" })
      yield* Effect.flip(carryOut(journal, thing("group")))
      yield* mended(faults, "group")
      yield* patiently(carryOut(journal, thing("group")))
      expect(yield* Ref.get(things)).toEqual(["group"])
      expect(yield* Ref.get(calls)).toEqual(["create group", "find group", "find group", "create group"])
    })
  )

  it.effect("calls nothing that it could not write down first", () =>
    Effect.gen(function* () {
      const { thing, calls } = yield* cloud
      const journal = yield* makeMemoryJournal()
      yield* Ref.set(journal.onAppend, () => new JournalUnavailable({ reason: "disk full" }))
      const error = yield* Effect.flip(carryOut(journal, thing("group")))
      expect(error._tag).toBe("JournalUnavailable")
      expect(yield* Ref.get(calls)).toEqual([])
    })
  )

  it.effect("leaves the journal as it stands when the handler has a bug", () =>
    Effect.gen(function* () {
      const { thing, things } = yield* cloud
      const journal = yield* makeMemoryJournal()
      const exit = yield* Effect.exit(carryOut(journal, Effect.zipRight(thing("group"), Effect.dieMessage("bug"))))
      expect(Exit.isFailure(exit)).toBe(true)
      expect(yield* Ref.get(things)).toEqual(["group"])
      expect(yield* journal.story).toEqual(["group started", "group finished"])
    })
  )

  it.effect("takes two steps of one name for a bug", () =>
    Effect.gen(function* () {
      const { thing } = yield* cloud
      const journal = yield* makeMemoryJournal()
      const exit = yield* Effect.exit(carryOut(journal, Effect.zipRight(thing("group"), thing("group"))))
      expect(String(exit)).toContain("used twice")
    })
  )
})

describe("an order that is refused", () => {
  it.effect("is undone in reverse, and leaves nothing", () =>
    Effect.gen(function* () {
      const { thing, calls, things, faults } = yield* cloud
      const journal = yield* makeMemoryJournal()
      yield* Ref.set(faults, { router: "refuse" })
      const result = yield* carryOut(journal, Effect.forEach(["group", "network", "router"], thing))
      expect(result._tag).toBe("Refused")
      expect(result._tag === "Refused" && result.refusal.customerMessage).toBe("router is not to be had.")
      expect(yield* Ref.get(things)).toEqual([])
      expect((yield* Ref.get(calls)).filter((call) => call.startsWith("undo"))).toEqual(["undo network", "undo group"])
    })
  )

  it.effect("goes on past an undo that fails, and says what is left", () =>
    Effect.gen(function* () {
      const { thing, things, faults } = yield* cloud
      const journal = yield* makeMemoryJournal()
      yield* Ref.set(faults, { network: "refuse undo", router: "refuse" })
      const result = yield* carryOut(journal, Effect.forEach(["group", "network", "router"], thing))
      expect(result).toMatchObject({
        _tag: "Refused",
        leftovers: [{ step: "network", reason: "in use (network is in use)" }]
      })
      expect(yield* Ref.get(things)).toEqual(["network"])
    })
  )

  it.effect("is undone after a restart in the middle of the undo, each step once", () =>
    Effect.gen(function* () {
      const { thing, things, calls, faults } = yield* cloud
      const journal = yield* makeMemoryJournal()
      yield* Ref.set(faults, { router: "refuse" })
      const handler = Effect.forEach(["group", "network", "router"], thing)
      yield* diesAt(journal, "group", "undoing")
      yield* Effect.flip(carryOut(journal, handler))
      expect(yield* Ref.get(things)).toEqual(["group"])
      yield* revives(journal)
      const result = yield* carryOut(journal, handler)
      expect(result).toMatchObject({ _tag: "Refused", leftovers: [] })
      expect(yield* Ref.get(things)).toEqual([])
      expect((yield* Ref.get(calls)).filter((call) => call.startsWith("undo"))).toEqual(["undo network", "undo group"])
    })
  )

  it.effect("undoes all branches of concurrent steps, also after a restart", () =>
    Effect.gen(function* () {
      const { thing, things } = yield* cloud
      const journal = yield* makeMemoryJournal()
      const handler = Effect.all(
        [Effect.forEach(["a1", "a2"], thing), Effect.forEach(["b1", "b2"], thing), Effect.forEach(["c1"], thing)],
        { concurrency: "unbounded" }
      )
      yield* carryOut(journal, handler)
      yield* refuse(journal, new OrderRefused({ customerMessage: "Cancelled by somebody else." }))
      const result = yield* carryOut(journal, handler)
      expect(result).toMatchObject({ _tag: "Refused", leftovers: [] })
      expect(yield* Ref.get(things)).toEqual([])
    })
  )

  it.effect("looks for what a call of unknown outcome may have made before it gives up on it", () =>
    Effect.gen(function* () {
      const { thing, things, faults } = yield* cloud
      const journal = yield* makeMemoryJournal()
      yield* Ref.set(faults, { group: "lose answer" })
      yield* Effect.flip(carryOut(journal, thing("group")))
      yield* refuse(journal, new OrderRefused({ customerMessage: "Too late." }))
      yield* carryOut(journal, thing("group"))
      expect(yield* Ref.get(things)).toEqual([])
    })
  )

  it.effect("is undone later if the handler fails on its way to the steps for a reason that may pass", () =>
    Effect.gen(function* () {
      const { thing, things } = yield* cloud
      const journal = yield* makeMemoryJournal()
      const away = yield* Ref.make(false)
      const handler = Effect.zipRight(
        Effect.flatMap(Ref.get(away), (now) => (now ? new NotYet({ reason: "connection reset" }) : Effect.void)),
        Effect.forEach(["group", "network"], thing)
      )
      yield* carryOut(journal, handler)
      yield* refuse(journal, new OrderRefused({ customerMessage: "Cancelled." }))
      yield* Ref.set(away, true)
      expect(yield* Effect.flip(carryOut(journal, handler))).toBeInstanceOf(NotYet)
      expect(yield* Ref.get(things)).toEqual(["group", "network"])
      yield* Ref.set(away, false)
      expect(yield* carryOut(journal, handler)).toMatchObject({ _tag: "Refused", leftovers: [] })
      expect(yield* Ref.get(things)).toEqual([])
    })
  )

  it.effect("lists a step that the handler does not come to any more", () =>
    Effect.gen(function* () {
      const { thing } = yield* cloud
      const journal = yield* makeMemoryJournal()
      yield* carryOut(journal, Effect.zipRight(thing("group"), ensureDone("quota", Effect.void)))
      yield* refuse(journal, new OrderRefused({ customerMessage: "Cancelled." }))
      const result = yield* carryOut(journal, ensureDone("quota", Effect.void))
      expect(result).toMatchObject({ _tag: "Refused", leftovers: [{ step: "group" }] })
    })
  )
})

describe("killed at every point", () => {
  const names = ["group", "network", "router"]
  const moments = names.flatMap((name) => [`${name} started`, `${name} finished`])
  for (const moment of moments) {
    it.effect(`just before "${moment}" is written: once each in the end`, () =>
      Effect.gen(function* () {
        const { thing, things } = yield* cloud
        const journal = yield* makeMemoryJournal()
        const [name = "", event = ""] = moment.split(" ")
        yield* diesAt(journal, name, event)
        yield* Effect.flip(carryOut(journal, Effect.forEach(names, thing)))
        yield* revives(journal)
        yield* carryOut(journal, Effect.forEach(names, thing))
        expect(yield* Ref.get(things)).toEqual(names)
      })
    )
  }
})

describe("a call of which nobody has heard the end", () => {
  const group = (create: Effect.Effect<string, NotYet>) =>
    make("group", { result: Schema.String, find: Effect.succeedNone, create })

  /** The process ends while the call waits for its turn in the backend. */
  const diesInTheCall = (journal: MemoryJournal) =>
    Effect.gen(function* () {
      const begun = yield* Deferred.make<void>()
      const neverHeard = group(Effect.zipRight(Deferred.succeed(begun, undefined), Effect.never))
      const process = yield* Effect.fork(carryOut(journal, neverHeard))
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(process)
    })
  /** It had no answer in time, and was given up. */
  const hasNoAnswer = (journal: MemoryJournal) =>
    Effect.ignore(carryOut(journal, group(new NotYet({ reason: "no answer within 60 s" }))))

  for (const [how, isLost] of [
    ["that a dead process has left on its way", diesInTheCall],
    ["that was given up", hasNoAnswer]
  ] as const) {
    describe(how, () => {
      /** The backend hung for that long, and carries it out 2 s after it has answered the first look. */
      const lateAfter = (things: Ref.Ref<ReadonlyArray<string>>) =>
        Effect.gen(function* () {
          yield* TestClock.adjust("1 hour")
          yield* Effect.forkDaemon(Effect.delay(Ref.set(things, ["group"]), "2 seconds"))
        })

      it.effect("is waited for before the thing is made again", () =>
        Effect.gen(function* () {
          const { thing, things, calls } = yield* cloud
          const journal = yield* makeMemoryJournal()
          yield* isLost(journal)
          yield* lateAfter(things)
          expect(yield* patiently(carryOut(journal, thing("group")))).toEqual({ _tag: "Done", value: "group" })
          expect(yield* Ref.get(things)).toEqual(["group"])
          expect(yield* Ref.get(calls)).toEqual(["find group", "find group"])
        })
      )

      for (const [undo, begins] of [
        ["an undo", () => Effect.void],
        ["an undo that a process has died in", (journal) => journal.append("group", "undoing")]
      ] satisfies ReadonlyArray<[string, (journal: MemoryJournal) => Effect.Effect<void, JournalError>]>) {
        it.effect(`is waited for before ${undo} is content`, () =>
          Effect.gen(function* () {
            const { thing, things } = yield* cloud
            const journal = yield* makeMemoryJournal()
            yield* isLost(journal)
            yield* refuse(journal, new OrderRefused({ customerMessage: "Cancelled." }))
            yield* begins(journal)
            yield* lateAfter(things)
            const undone = yield* patiently(carryOut(journal, thing("group")))
            expect(undone).toMatchObject({ _tag: "Refused", leftovers: [] })
            expect(yield* Ref.get(things)).toEqual([])
          })
        )
      }
    })
  }

  it.effect("is none that was refused: it is not looked for a second time", () =>
    Effect.gen(function* () {
      const { thing, calls, faults } = yield* cloud
      const journal = yield* makeMemoryJournal()
      yield* Ref.set(faults, { group: "refuse" })
      expect(yield* carryOut(journal, thing("group"))).toMatchObject({ _tag: "Refused" })
      expect(yield* Ref.get(calls)).toEqual(["create group", "find group"])
    })
  )
})

const diesAt = (journal: MemoryJournal, step: string, event: string) =>
  Ref.set(journal.onAppend, (atStep, atEvent) =>
    atStep === step && atEvent === event ? new JournalUnavailable({ reason: "killed here" }) : Effect.void
  )
const revives = (journal: MemoryJournal) => Ref.set(journal.onAppend, () => Effect.void)

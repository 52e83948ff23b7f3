/** What a power cut may take of an order's steps, and what it may not (docs/decisions/0083-what-a-power-cut-may-take.md). */
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Option, Ref, Schema, TestClock } from "effect"
import { makeMemoryJournal } from "../../../test/support/journal.js"
import { beginningAfter, carryOut, decide, ensure, ensureDone, make, OrderRefused } from "../index.js"

describe("a power cut", () => {
  /** Each look sees something else; the call of this number, from 1, is carried out, and is the last thing that the process does. */
  const world = (lastCall: number) =>
    Effect.map(Ref.make<ReadonlyArray<string>>([]), (calls) => {
      const call = (what: string) =>
        Effect.flatMap(
          Ref.updateAndGet(calls, (all) => [...all, what]),
          ({ length }) => Effect.when(Effect.never, () => length === lastCall)
        )
      const look = Effect.flatMap(Ref.get(calls), ({ length }) => Effect.as(call("look"), length))
      const handler = Effect.gen(function* () {
        const one = yield* decide("one", Schema.Number, look)
        const other = yield* decide("other", Schema.Number, look)
        yield* ensureDone("size", call(`size ${one}/${other}`))
        yield* ensureDone("label", call(`label ${one}/${other}`))
        yield* make("thing", {
          result: Schema.String,
          find: Effect.map(Ref.get(calls), (all) => Option.fromNullable(all.find((made) => made.startsWith("make")))),
          create: Effect.as(call(`make ${one}/${other}`), "thing")
        })
        yield* ensure("end", { result: Schema.Null, perform: Effect.as(call("end"), null), ends: true })
      })
      return { calls, handler }
    })

  /** Which events are on the disk when a call is the last one. */
  const cutAt = (lastCall: number) =>
    Effect.gen(function* () {
      const { calls, handler } = yield* world(lastCall)
      const journal = yield* makeMemoryJournal()
      const first = yield* Effect.fork(carryOut(journal, handler))
      yield* Effect.repeat(Effect.yieldNow(), {
        until: () => Effect.map(Ref.get(calls), ({ length }) => length >= lastCall)
      })
      yield* Fiber.interrupt(first)
      yield* journal.losePower
      const onDisk = yield* journal.story
      yield* TestClock.adjust("1 minute")
      yield* carryOut(journal, handler)
      return { onDisk, calls: yield* Ref.get(calls) }
    })

  it.effect.each([1, 2, 3, 4, 5, 6])("in call %i lets nothing be made twice, and everything go the same way", (at) =>
    Effect.gen(function* () {
      const { calls } = yield* cutAt(at)
      expect(calls.filter((call) => call.startsWith("make"))).toHaveLength(1)
      expect(calls.at(-1)).toBe("end")
      const rested = calls.flatMap((call) => / .*/.exec(call) ?? [])
      expect(new Set(rested).size).toBe(1)
    })
  )

  it.effect("takes looks, and the beginning of what may be done again, but nothing that anything rests on", () =>
    Effect.gen(function* () {
      expect((yield* cutAt(2)).onDisk).toEqual([])
      const looked = ["one started", "one finished", "other started", "other finished", "size started"]
      expect((yield* cutAt(3)).onDisk).toEqual(looked)
      expect((yield* cutAt(4)).onDisk).toEqual(looked)
      const sized = [...looked, "size finished", "label started", "label finished", "thing started"]
      expect((yield* cutAt(5)).onDisk).toEqual(sized)
      expect((yield* cutAt(6)).onDisk).toEqual([...sized, "thing finished", "end started"])
    })
  )

  it.effect("takes nothing that anything rests on, also where an earlier attempt had noted it at its end", () =>
    Effect.gen(function* () {
      const journal = yield* makeMemoryJournal()
      const look = decide("one", Schema.Number, Effect.succeed(1))
      yield* carryOut(journal, look)
      yield* carryOut(journal, Effect.zipRight(look, ensureDone("size", Effect.void)))
      yield* journal.losePower
      expect(yield* journal.story).toEqual(["one started", "one finished", "size started"])
    })
  )
})

describe("before it is permitted", () => {
  it.effect(
    "what comes first is looked up; nothing is written down or done until then, and nothing at all where it never is",
    () =>
      Effect.gen(function* () {
        const done: Array<string> = []
        const act = (what: string) => Effect.sync(() => void done.push(what))
        const journal = yield* makeMemoryJournal()
        const permission = yield* Deferred.make<void>()
        const handler = Effect.gen(function* () {
          yield* decide("one", Schema.Null, Effect.as(act("look"), null))
          yield* ensureDone("size", act("size"))
        })
        const carrying = yield* Effect.fork(carryOut(journal, beginningAfter(permission)(handler)))
        yield* TestClock.adjust("1 minute")
        expect([done, yield* journal.story]).toEqual([["look"], []])
        yield* Fiber.interrupt(carrying)
        expect(yield* journal.story).toEqual([])
        const again = yield* Effect.fork(carryOut(journal, beginningAfter(permission)(handler)))
        yield* Deferred.succeed(permission, undefined)
        yield* Fiber.join(again)
        expect(done).toEqual(["look", "look", "size"])
        expect(yield* journal.story).toEqual(["one started", "one finished", "size started", "size finished"])
      })
  )

  it.effect("a look that fails says so afterwards", () =>
    Effect.gen(function* () {
      const journal = yield* makeMemoryJournal()
      const permission = yield* Deferred.make<void>()
      const refused = decide("one", Schema.Null, new OrderRefused({ customerMessage: "No." }))
      const carrying = yield* Effect.fork(carryOut(journal, beginningAfter(permission)(refused)))
      yield* TestClock.adjust("1 minute")
      expect(yield* journal.story).toEqual([])
      yield* Deferred.succeed(permission, undefined)
      expect((yield* Fiber.join(carrying))._tag).toBe("Refused")
      expect(yield* journal.story).toEqual(["one started", "one failed", "order failed", "order undone"])
    })
  )
})

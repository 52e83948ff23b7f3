/** Which agent has made what has an order's tag: steps of two journals, and of one that is a copy. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Option, Ref, Schema } from "effect"
import { makeMemoryJournal } from "../../../test/support/journal.js"
import {
  carryOut,
  make,
  makerOf,
  NotYet,
  newerThanJournal,
  OrderRefused,
  ownMark,
  RivalAtWork,
  type SiteError,
  wholeOrder
} from "../index.js"

interface Made {
  readonly id: number
  readonly mark: string | undefined
}

/** A cloud in which a name can be taken once, or not at all. */
const world = (unique: boolean) =>
  Effect.map(Ref.make<ReadonlyArray<Made>>([]), (things) => {
    const find: Effect.Effect<Option.Option<number>, SiteError> = Effect.gen(function* () {
      for (const { id, mark } of yield* Ref.get(things)) {
        if ((yield* makerOf(Option.fromNullable(mark))) === "this step") return Option.some(id)
        return yield* new RivalAtWork({ what: `thing ${id}` })
      }
      return Option.none()
    })
    const allocate = Effect.flatMap(ownMark, (mark) =>
      Ref.modify(things, (all) => {
        const id = all.length + 1
        return [id, [...all, { id, mark }]]
      })
    )
    const create = Effect.gen(function* () {
      const taken = unique && (yield* Ref.get(things)).length > 0
      const own = taken ? yield* find : Option.none()
      return Option.isSome(own) ? own.value : yield* allocate
    })
    /** `after`: what happens once it is made. */
    const handler = (after: Effect.Effect<void, SiteError>) =>
      Effect.zipRight(
        make<number, number, SiteError, never>("thing", {
          result: Schema.Number,
          find,
          create,
          undo: (id) => Ref.update(things, (all) => all.filter((thing) => thing.id !== id))
        }),
        after
      )
    return { things, allocate, create, find, handler }
  })

const fails = new OrderRefused({ customerMessage: "No." })
const breaks = new NotYet({ reason: "Away." })

describe("what another agent has made of an order", () => {
  it.effect("has the order wait, and is not there when the order is undone", () =>
    Effect.gen(function* () {
      const { handler, things } = yield* world(true)
      yield* carryOut(yield* makeMemoryJournal(), handler(Effect.void))
      const journal = yield* makeMemoryJournal()
      expect(yield* Effect.flip(carryOut(journal, handler(Effect.void)))).toBeInstanceOf(RivalAtWork)
      // No second look of its own: it has made nothing.
      expect(yield* Effect.flip(carryOut(journal, handler(Effect.void)))).toBeInstanceOf(RivalAtWork)
      yield* journal.append(wholeOrder, "failed", { customerMessage: "Cancelled." })
      expect((yield* carryOut(journal, handler(Effect.void)))._tag).toBe("Refused")
      expect(yield* Ref.get(things)).toHaveLength(1)
    })
  )

  it.effect("is told from what an earlier attempt of this journal made, which nobody heard the end of", () =>
    Effect.gen(function* () {
      const { allocate, find, things } = yield* world(true)
      const journal = yield* makeMemoryJournal()
      const lost = make<number, number, SiteError, never>("thing", {
        result: Schema.Number,
        find,
        create: Effect.zipRight(allocate, breaks)
      })
      yield* Effect.flip(carryOut(journal, lost))
      expect(yield* carryOut(journal, lost)).toEqual({ _tag: "Done", value: 1 })
      expect(yield* Ref.get(things)).toHaveLength(1)
    })
  )

  it.effect("is told from what this journal made where that is a copy, taken before", () =>
    Effect.gen(function* () {
      const { handler, things } = yield* world(true)
      // Both know of a step that was begun, and of nothing that it made.
      const [original, copy] = [yield* makeMemoryJournal(), yield* makeMemoryJournal()]
      for (const journal of [original, copy]) yield* journal.append(wholeOrder, "accepted")
      yield* carryOut(original, handler(Effect.void))
      expect(yield* Effect.flip(carryOut(copy, handler(fails)))).toBeInstanceOf(RivalAtWork)
      expect(yield* Ref.get(things)).toHaveLength(1)
    })
  )

  it.effect("is taken for its own by an order that was begun with a journal that is lost", () =>
    Effect.gen(function* () {
      const { handler, things } = yield* world(true)
      yield* carryOut(yield* makeMemoryJournal(), handler(Effect.void))
      const journal = yield* makeMemoryJournal()
      yield* journal.append(wholeOrder, "restored")
      expect((yield* carryOut(journal, handler(Effect.void)))._tag).toBe("Done")
      expect(yield* Ref.get(things)).toHaveLength(1)
    })
  )

  it.effect("is the other's for a journal that is older than the order: that one has lost nothing of it", () =>
    Effect.gen(function* () {
      const { handler, things } = yield* world(true)
      yield* carryOut(yield* makeMemoryJournal(), handler(Effect.void))
      const journal = yield* makeMemoryJournal()
      yield* journal.append(wholeOrder, "restored", newerThanJournal)
      expect(yield* Effect.flip(carryOut(journal, handler(Effect.void)))).toBeInstanceOf(RivalAtWork)
      yield* Ref.update(things, (all) => all.map(({ id }) => ({ id, mark: undefined })))
      expect((yield* carryOut(journal, handler(Effect.void)))._tag).toBe("Done")
    })
  )
})

describe("what has no mark", () => {
  const unmarked = { id: 1, mark: undefined }

  it.effect("is found by a step that a version without marks has begun", () =>
    Effect.gen(function* () {
      const { handler, things } = yield* world(true)
      yield* Ref.set(things, [unmarked])
      const journal = yield* makeMemoryJournal()
      yield* journal.append("thing", "started")
      expect((yield* carryOut(journal, handler(Effect.void)))._tag).toBe("Done")
      expect(yield* Ref.get(things)).toEqual([unmarked])
    })
  )

  it.effect("is not what a step has made that was begun with one", () =>
    Effect.gen(function* () {
      const { handler, things } = yield* world(true)
      yield* Ref.set(things, [unmarked])
      const journal = yield* makeMemoryJournal()
      yield* journal.append("thing", "started", { mark: "abc" })
      expect(yield* Effect.flip(carryOut(journal, handler(Effect.void)))).toBeInstanceOf(RivalAtWork)
    })
  )
})

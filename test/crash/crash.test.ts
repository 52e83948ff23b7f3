/** The crash matrix in short: each of the six operations killed at one call, all in one world; an undo; and twice in a row. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { AgentMain, long, newSite, withAgent } from "./harness.js"
import { type OperationName, operations } from "./operations.js"
import { pictureOfCloud } from "./picture.js"
import type { Moment, Strike } from "./strike.js"
import { dryRun, named, nothingLeft, pictureOf, trial, underStrikes } from "./trial.js"
import { atWork, stopped } from "./waits.js"
import { doubles, watchForDoubles } from "./watch.js"

const at = (name: string, moment: Moment, ordinal = 1): Strike => ({
  call: { system: name.startsWith("one.") ? "opennebula" : "waldur", name, ordinal },
  moment
})

const strikes: ReadonlyArray<readonly [OperationName, Strike]> = [
  ["vdc-create", at("one.vrouter.instantiate", "b")],
  ["vdc-update", at("one.group.quota", "a")],
  ["vm-create", at("one.template.instantiate", "b")],
  ["vm-switch", at("one.vm.resize", "c")],
  ["vm-terminate", at("POST marketplace-orders/{uuid}/set_state_done/", "b")],
  ["vdc-terminate", at("one.vrouter.delete", "b")]
]

/** The six operations one after the other, and how things stand after each. */
const sixOperations = (struck: boolean) =>
  Effect.gen(function* () {
    const site = yield* newSite()
    const watched = watchForDoubles(site.cloud)
    const atFirst = pictureOfCloud(site.cloud)
    const first = yield* site.start()
    const agents = [first]
    yield* atWork(site, first)
    const story = yield* Effect.forEach(strikes, ([name, strike]) =>
      Effect.gen(function* () {
        const { end } = yield* underStrikes(site, yield* named(name), agents, struck ? [strike] : [])
        return { name, state: end.state, after: pictureOf(site) }
      })
    )
    const { code } = yield* stopped(agents.at(-1) ?? first)
    return { story, watched, starts: agents.length, code, left: nothingLeft(site, atFirst) }
  }).pipe(Effect.scoped)

withAgent("an agent that is killed and started again", (it) => {
  describe("once in each of the six operations", () => {
    it.scoped(
      "comes to the same as one that is left alone, makes nothing twice and leaves nothing",
      () =>
        Effect.gen(function* () {
          const [undisturbed, struck] = yield* Effect.all([sixOperations(false), sixOperations(true)], {
            concurrency: "unbounded"
          })
          expect(struck.starts).toBe(1 + strikes.length)
          expect(struck.story).toEqual(undisturbed.story)
          expect(struck.story.map(({ state }) => state)).toEqual(strikes.map(() => "done"))
          expect(doubles(undisturbed.watched, struck.watched)).toEqual([])
          expect(struck.left).toEqual([])
          expect([undisturbed.code, struck.code]).toEqual([0, 0])
        }),
      long
    )
  })

  const struck = (name: OperationName, ...at: ReadonlyArray<Strike>) =>
    Effect.gen(function* () {
      const main = yield* AgentMain
      const operation = yield* named(name)
      const dry = yield* dryRun({ main }, operation)
      return (yield* trial({ main }, operation, dry, at)).violations
    })

  it.scoped(
    "in the middle of an undo: undoes the rest, and the order is erred",
    () =>
      Effect.map(struck("vm-create-undo", at("one.vm.action terminate-hard", "b")), (found) =>
        expect(found).toEqual([])
      ),
    long
  )

  it.scoped(
    "and killed again at its next call: still makes nothing twice",
    () =>
      Effect.map(struck("vm-create", at("one.template.instantiate", "b"), { call: "next", moment: "b" }), (found) =>
        expect(found).toEqual([])
      ),
    long
  )
})

it("has a strike for each of the six operations", () => {
  expect(strikes.map(([name]) => name)).toEqual(
    [...operations.values()]
      .filter(({ broken, hinder, spoil }) => [broken, hinder, spoil].every((fault) => fault === undefined))
      .map(({ name }) => name)
  )
})

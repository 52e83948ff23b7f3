/** A data centre whose administrator has made all that belongs to it another's, long after it was made. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Logger } from "effect"
import { ownerTags } from "../../src/opennebula/template/owner.js"
import { single, type Template } from "../../src/opennebula/template/template.js"
import { recordedIn } from "../../src/runtime/offerings/recorded.js"
import { createOrder, doneOf, makeBench, objectsOf, terminateOrder } from "../support/vdc.js"

type Bench = Effect.Effect.Success<ReturnType<typeof makeBench>>
const stranger = "f".repeat(32)

/** As it is after its order: what Waldur was told of it, and what its administrator has written into all of its parts. */
const retagged = (bench: Bench, written: Template) =>
  Effect.gen(function* () {
    const { metadata = {} } = doneOf(yield* bench.attempt(yield* bench.journal, bench.create(createOrder(1))))
    yield* bench.idle
    const id = (key: string) => Number(metadata[key])
    const { one } = bench
    yield* one.group.replace(id("group_id"), written)
    yield* one.network.replace(id("vnet_id"), written)
    yield* one.router.replace(id("vr_id"), written)
    yield* one.securityGroup.replace(id("sg_id"), written)
    yield* one.vm.replace(id("vr_vm_id"), written)
    yield* one.securityGroup.chown(id("sg_id"), { gid: 1 })
    return recordedIn(metadata)
  })

const order = (recorded: Readonly<Record<string, string>>) => {
  const request = terminateOrder(1, "100")
  return { ...request, resource: { ...request.resource, recorded } }
}

describe("the end of a data centre whose administrator has made all that is in it", () => {
  for (const [whose, written] of [
    ["another's", ownerTags({ resource: stranger, order: "" })],
    ["nobody's", [single("NOTE", "mine")]],
    ["one that was adopted by another", [single("WALDUR_ADOPTED_BY_UUID", stranger)]]
  ] as const)
    it.scopedLive(`${whose} leaves nothing, wherever it is cut off`, () =>
      Effect.gen(function* () {
        for (const mishap of ["crash", "crash after"] as const)
          for (let at = 1; ; at += 1) {
            const bench = yield* makeBench()
            const request = order(yield* retagged(bench, written))
            const journal = yield* bench.journalFor(1)
            const cut = yield* bench.attempt(journal, bench.terminate(request), { trouble: { at, mishap } })
            yield* bench.idle
            if (cut.end._tag === "None") doneOf(yield* bench.attempt(journal, bench.terminate(request)))
            expect(objectsOf(bench.frontEnd)).toEqual([])
            if (cut.end._tag === "Some") {
              expect(at).toBeGreaterThan(7)
              break
            }
          }
      })
    )
})

it.scopedLive(
  "the end of a data centre whose administrator has given its security group away says that it is left",
  () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      const recorded = yield* retagged(bench, ownerTags({ resource: stranger, order: "" }))
      yield* bench.frontEnd.call("one.secgroup.rename", [Number(recorded.sg_id), "mine"])
      const said: Array<string> = []
      const logger = Logger.make(({ message }) => said.push(String(message)))
      doneOf(
        yield* bench
          .attempt(yield* bench.journalFor(1), bench.terminate(order(recorded)))
          .pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
      )
      expect(objectsOf(bench.frontEnd)).toEqual([expect.stringContaining("mine")])
      expect(said).toEqual([
        expect.stringContaining(`security group ${recorded.sg_id} (mine) was made with this data centre`)
      ])
    })
)

describe("what the administrator of another data centre has tagged as an order's", () => {
  it.scopedLive("is not taken for its own, wherever that is cut off", () =>
    Effect.gen(function* () {
      for (let at = 1; ; at += 1) {
        const bench = yield* makeBench()
        const first =
          doneOf(yield* bench.attempt(yield* bench.journalFor(1), bench.create(createOrder(1)))).metadata ?? {}
        const tags = ownerTags({ resource: createOrder(2).resource.id, order: "f".repeat(32) })
        yield* bench.one.network.append(Number(first.vnet_id), tags)
        yield* bench.one.router.append(Number(first.vr_id), tags)
        yield* bench.one.securityGroup.append(Number(first.sg_id), tags)
        const journal = yield* bench.journalFor(2)
        const trying = bench.create(createOrder(2))
        const cut = yield* bench.attempt(journal, trying, { trouble: { at, mishap: "crash" } })
        const second = doneOf(cut.end._tag === "Some" ? cut : yield* bench.attempt(journal, trying)).metadata ?? {}
        for (const key of ["subnet_cidr", "vnet_id", "vr_id", "sg_id"]) expect(second[key]).not.toBe(first[key])
        if (cut.end._tag === "Some") {
          expect(at).toBeGreaterThan(10)
          break
        }
      }
    })
  )
})

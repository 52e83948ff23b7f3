/**
 * Machines of a cloud whose calls only begin what they are asked for.
 *
 * To begin is one step and to wait is another. What was begun, the machine with its job, is in the journal when the wait begins, so a crash in the
 * long wait goes on waiting for the same job. Whether a job went well is read from the machine: the cloud forgets jobs.
 */
import { Effect, Layer, Option, Schema } from "effect"
import {
  decide,
  defineBackend,
  ensureDone,
  foreign,
  make,
  missing,
  NotYet,
  OrderRefused,
  present
} from "site-actors/plugin"
import { Begun, connect, Machine, Settings } from "./cloud.js"

export default defineBackend({
  contract: 1,
  type: "machines-by-jobs",
  settings: Settings,
  attributes: Schema.Struct({ name: Schema.optional(Schema.String) }),
  quantities: [{ name: "cores", unit: "cores", ordered: true, measured: "now" }],
  shared: Layer.empty,
  open: ({ settings }) => {
    const cloud = connect(settings)
    return Effect.succeed({
      create: ({ amounts, resource }) =>
        Effect.gen(function* () {
          const { id, job } = yield* make("machine", {
            result: Begun,
            find: Effect.map(cloud.ownedBy(resource.id), Option.fromNullable),
            create: cloud.build({ name: resource.name, tag: resource.id, cores: amounts.cores ?? 1 }),
            // A machine that is still being built cannot be removed: first the job, then the machine.
            undo: (begun) => Effect.zipRight(cloud.over(begun.job), cloud.remove(begun.id))
          })
          const running = Effect.gen(function* () {
            const state = (yield* cloud.get(id))?.state
            if (state === "building")
              return yield* new NotYet({ reason: `Job ${job} is forgotten, machine ${id} not built yet.` })
            if (state === "running") return
            return yield* new OrderRefused({
              customerMessage: "The machine could not be built: order again, or ask the provider."
            })
          })
          yield* ensureDone("built", Effect.zipRight(cloud.over(job), running))
          return { backendId: id }
        }),
      update: ({ amounts, resource }) =>
        Effect.gen(function* () {
          const before = yield* decide("before", Schema.NullOr(Machine), cloud.ownedBy(resource.id))
          if (before === null)
            return yield* new OrderRefused({
              customerMessage: "The machine does not exist any more: ask the provider."
            })
          yield* ensureDone(
            "resize",
            cloud.resize(before.id, amounts.cores ?? before.cores),
            cloud.resize(before.id, before.cores)
          )
          return {}
        }),
      terminate: ({ resource }) =>
        Effect.gen(function* () {
          const left = yield* decide("what there is", Schema.NullOr(Machine), cloud.ownedBy(resource.id))
          if (left !== null) yield* ensureDone("remove", cloud.remove(left.id))
          return {}
        }),
      usage: (resources) =>
        Effect.map(cloud.list, (all) =>
          resources.map(({ id }) => {
            const machine = all.find(({ tag }) => tag === id)
            return machine === undefined
              ? { resource: id, amounts: {}, problem: "There is no machine of this resource." }
              : { resource: id, amounts: { cores: machine.cores } }
          })
        ),
      observe: (resources) =>
        Effect.map(cloud.list, (all) =>
          resources.map(({ backendId, id }) => {
            const machine = all.find((one) => one.id === backendId)
            if (machine === undefined) return missing(id)
            if (machine.tag !== id) return foreign(id, `machine ${machine.id}`, machine.tag || "nobody")
            const { cores, state } = machine
            return present(id, { state, healthy: state === "running", measures: "sizes", amounts: { cores } })
          })
        ),
      ping: Effect.asVoid(cloud.list),
      check: Effect.match(cloud.list, {
        onFailure: ({ message }) => [{ subject: "cloud", status: "failed" as const, detail: message }],
        onSuccess: (all) => [{ subject: "cloud", status: "ok" as const, detail: `${all.length} machines` }]
      })
    })
  }
})

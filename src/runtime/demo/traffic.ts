/** A customer who goes on ordering, so that there is something to see on the page: most of it works, some of it fails as it does in life. */
import { Console, Effect, Ref } from "effect"
import type { DemoWorld } from "../../simulator/waldur/index.js"
import type { EndedOrder, makeCustomer } from "./customer.js"

type Customer = Effect.Effect.Success<ReturnType<typeof makeCustomer>>

const names = ["acme", "nordwind", "kepler", "tallinn", "genomics", "atlas", "harbour", "quartz"]
const limits = { cpu: 4, ram: 4096, storage: 20480, floating_ip: 2 }
const doubled = Object.fromEntries(Object.entries(limits).map(([type, amount]) => [type, amount * 2]))
/** One machine of the smallest plan fits beside the router; a second is more than the data centre has. */
const narrow = { ...limits, cpu: 2 }
/** How many data centres live at a time. */
const alive = 5

/**
 * One data centre after the other, each with a machine, some changed, the oldest ended. Never ends. What Waldur or the agent refuses is
 * part of the show, and goes on with the next.
 */
export const keepOrdering = (customer: Customer, world: DemoWorld) =>
  Effect.gen(function* () {
    const tenants = yield* Ref.make<ReadonlyArray<ReadonlyArray<string>>>([])
    const vdc = (name: string, amounts: Readonly<Record<string, number>>) =>
      customer.create({
        offering: world.vdcOffering.uuid,
        project: world.project.uuid,
        plan: world.plans.vdc.uuid,
        attributes: { name },
        limits: amounts
      })
    const vm = (name: string, parent: string) =>
      customer.create({
        offering: world.vmOffering.uuid,
        project: world.project.uuid,
        plan: world.plans.small.uuid,
        attributes: { name, parent_backend_id: parent }
      })
    /** Nothing more is ordered of what could not be made. */
    const made = ({ state, resource }: EndedOrder) => (state === "done" ? [resource] : [])

    const tenant = (round: number) =>
      Effect.gen(function* () {
        const name = `${names[round % names.length]}-${Math.floor(round / names.length) + 1}`
        const isNarrow = round % 3 === 2
        const centre = yield* vdc(name, isNarrow ? narrow : limits)
        const parent = yield* customer.resource(centre.resource)
        const backendId = parent.backend_id ?? ""
        if (backendId === "") return
        const machines = [yield* vm(`${name}-web`, backendId)]
        if (isNarrow) machines.push(yield* vm(`${name}-db`, backendId))
        else yield* customer.updateLimits(centre.resource, doubled)
        yield* Ref.update(tenants, (all) => [...all, [...machines.flatMap(made), ...made(centre)]])
        const [oldest, ...others] = yield* Ref.get(tenants)
        if (oldest === undefined || others.length < alive) return
        yield* Ref.set(tenants, others)
        yield* Effect.forEach(oldest, customer.terminate, { discard: true })
      })

    const round = yield* Ref.make(0)
    yield* Ref.getAndUpdate(round, (count) => count + 1).pipe(
      Effect.flatMap(tenant),
      Effect.catchAll((error) =>
        Console.log(`The customer was refused: ${"message" in error ? error.message : error._tag}`)
      ),
      Effect.zipRight(Effect.sleep("2 seconds")),
      Effect.forever
    )
  })

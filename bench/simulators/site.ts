/** Both simulators on free ports, and what the bench may ask of them. */
import { Effect } from "effect"
import * as OpenNebula from "../../src/simulator/opennebula/index.js"
import * as Waldur from "../../src/simulator/waldur/index.js"
import { makeResource, placeOrder } from "../../src/simulator/waldur/orders.js"
import { watchCalls } from "./calls.js"
import type { EndedOrder, Open, Wait } from "./protocol.js"
import { type DataCentre, large, makeSeeder } from "./seed.js"
import { callMillis, machineTimes } from "./times.js"
import { watchWaits } from "./waits.js"

const instant = {
  schedule: 0,
  dispatch: 0,
  prolog: 0,
  boot: 0,
  shutdown: 0,
  epilog: 0,
  diskResize: 0,
  networkReady: 0,
  networkDelete: 0
}
const sshKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKTfNFzxoTrFzIb1G2t9bkFyHZ0F0xUo3cfVTHv1QS bench@example.org"
const vdcLimits = { cpu: 4, ram: 4096, storage: 20480, floating_ip: 2 }

const ends: ReadonlySet<string> = new Set(["done", "erred", "canceled", "rejected"])

export const openSite = (options: Open) =>
  Effect.gen(function* () {
    const times = options.frontEndTimes ? machineTimes : instant
    const { frontEnd: cloud, url: cloudUrl } = yield* OpenNebula.serve({
      port: 0,
      times: options.bootMillis === undefined ? times : { ...times, boot: options.bootMillis },
      initial: large,
      keepCalls: false
    })
    const served = yield* Waldur.serve({ seed: 1, taskAfter: options.frontEndTimes ? 20 : 0, keepCalls: false })
    const { marketplace } = served
    const world = yield* Waldur.demoWorld(marketplace)
    const seen = watchCalls(cloud, marketplace, {
      cloud: (method) => (options.frontEndTimes ? callMillis(method, cloud.world.vms.size) : 0),
      waldur: options.marketplaceMillis
    })
    const customer = yield* Effect.fromNullable(
      [...marketplace.world.users.values()].find(({ token }) => token === world.customerToken)
    ).pipe(Effect.orDie)

    const endedAt = new Map<string, number>()
    const waiting = new Set<(uuid: string) => void>()
    marketplace.onChange((change) => {
      if (change._tag !== "Order" || !ends.has(change.state)) return
      const { uuid } = change.order
      endedAt.set(uuid, change.at)
      for (const told of waiting) told(uuid)
    })

    const seeder = makeSeeder(cloud, marketplace, world)
    const centres: Array<DataCentre> = []
    let ordered = 0
    let waits = { end: (): ReadonlyArray<Wait> => [] }

    const found = (uuid: string) => {
      const resource = marketplace.resources.get(uuid)
      if (resource === undefined) throw new Error(`there is no resource ${uuid}`)
      return resource
    }
    const created = (offering: Waldur.Offering, plan: Waldur.Plan, given: Partial<Wanted>) => {
      ordered += 1
      return placeNew(marketplace, customer, offering, plan, {
        project: world.project,
        attributes: {},
        limits: {},
        ...given,
        name: `ordered-${ordered}`
      })
    }
    const endedOrder = (order: Waldur.Order): EndedOrder => ({
      order: order.uuid,
      resource: order.resource.uuid,
      backendId: order.resource.backendId,
      state: order.state,
      error: order.errorMessage,
      placed: order.created,
      ended: endedAt.get(order.uuid) ?? 0
    })
    const hasEnded = (uuid: string) => ends.has(marketplace.orders.get(uuid)?.state ?? "")

    return {
      opened: {
        pid: process.pid,
        cloudUrl,
        session: cloud.session,
        waldurUrl: `${served.url}/api/`,
        agentToken: world.agentToken,
        vdcOffering: world.vdcOffering.uuid,
        vmOffering: world.vmOffering.uuid
      },
      handlers: {
        dataCentres: (count: number) =>
          Effect.map(seeder.dataCentres(count, centres.length), (made) => {
            centres.push(...made)
            return null
          }),
        machines: (count: number) =>
          Effect.gen(function* () {
            for (let at = 0; at < count; at++) {
              const parent = centres[at % centres.length]
              if (parent === undefined) throw new Error("machines need a data centre")
              yield* seeder.machine(at, parent)
            }
            yield* Effect.repeat(Effect.sleep("10 millis"), { until: () => cloud.pendingWork() === 0 })
            return null
          }),
        orderVdcs: (count: number) =>
          Effect.sync(() =>
            Array.from({ length: count }, () => created(world.vdcOffering, world.plans.vdc, { limits: vdcLimits }))
          ),
        orderVms: (count: number) =>
          Effect.sync(() =>
            Array.from({ length: count }, (_, at) => {
              const parent = centres[at % centres.length]
              if (parent === undefined) throw new Error("machines need a data centre")
              return created(world.vmOffering, world.plans.small, {
                project: parent.resource.project,
                attributes: { parent_backend_id: parent.resource.backendId, ssh_public_key: sshKey }
              })
            })
          ),
        resizeVms: (resources: ReadonlyArray<string>) =>
          Effect.sync(() =>
            resources.map((uuid) => {
              const resource = found(uuid)
              return placeOrder(marketplace.world, customer, {
                type: "Update",
                resource,
                plan: world.plans.medium,
                ...(resource.plan === null ? {} : { oldPlan: resource.plan }),
                attributes: {},
                limits: {}
              }).uuid
            })
          ),
        terminate: (resources: ReadonlyArray<string>) =>
          Effect.sync(() =>
            resources.map((uuid) => {
              const resource = found(uuid)
              return placeOrder(marketplace.world, customer, {
                type: "Terminate",
                resource,
                plan: resource.plan,
                attributes: {},
                limits: {}
              }).uuid
            })
          ),
        ended: (orders: ReadonlyArray<string>) =>
          Effect.async<ReadonlyArray<EndedOrder>>((resume) => {
            const left = new Set(orders.filter((uuid) => !hasEnded(uuid)))
            const told = (uuid: string) => {
              left.delete(uuid)
              if (left.size > 0) return
              waiting.delete(told)
              const ended = orders.flatMap((one) => marketplace.orders.get(one) ?? []).map(endedOrder)
              resume(Effect.succeed(ended))
            }
            waiting.add(told)
            told("")
          }),
        countEnded: (orders: ReadonlyArray<string>) => Effect.sync(() => orders.filter(hasEnded).length),
        forgetCalls: () =>
          Effect.sync(() => {
            seen.forget()
            return null
          }),
        calls: () => Effect.sync(() => seen.calls),
        callCounts: () => Effect.sync(() => seen.counts),
        countMachines: () => Effect.sync(() => seen.machines),
        watchWaits: () =>
          Effect.sync(() => {
            waits = watchWaits(cloud)
            return null
          }),
        waits: () => Effect.sync(() => waits.end())
      }
    }
  })

export type Site = Effect.Effect.Success<ReturnType<typeof openSite>>

type Wanted = Pick<Waldur.Resource, "project" | "attributes" | "limits" | "name">

const placeNew = (
  marketplace: Waldur.Marketplace,
  customer: Waldur.User,
  offering: Waldur.Offering,
  plan: Waldur.Plan,
  wanted: Wanted
): string => {
  const attributes = { ...wanted.attributes, name: wanted.name }
  const resource = makeResource(marketplace.world, { ...wanted, attributes, offering, plan })
  return placeOrder(marketplace.world, customer, {
    type: "Create",
    resource,
    plan,
    attributes,
    limits: wanted.limits
  }).uuid
}

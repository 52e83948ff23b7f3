/** Several offerings, Waldurs, OpenNebulas and a Keycloak in one process: one that is down, or says nothing, delays no other. */
import { describe, expect } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { listen } from "../../../src/runtime/http/serve.js"
import * as OpenNebula from "../../../src/simulator/opennebula/index.js"
import { makeSite, type Site, type SiteOptions, scenario } from "../../support/agent.js"
import { freePort } from "../../support/ports.js"
import { serveTcp } from "../../support/tinyServers.js"

const plain = { external_network_id: undefined, virtual_router_template_id: undefined }

/** What is asked again and again for as long as something takes, and by whoever opens an offering. */
const isPoll = (method: string) => /pool|\.info$|system/.test(method)

interface Carried {
  readonly milliseconds: number
  /** Of agent and servers, in ms. */
  readonly cpu: number
  /** What OpenNebula was asked to do. */
  readonly calls: ReadonlyArray<string>
}

/** Three orders, one after the other, at the offering whose servers are well. */
const threeOrders = (site: Site): Effect.Effect<Carried, unknown> =>
  Effect.gen(function* () {
    const from = site.cloud.calls.length
    const [began, before] = [yield* Clock.currentTimeMillis, process.cpuUsage()]
    const { resource, state } = yield* site.order.vdc("well")
    const update = yield* site.order.updateLimits(resource.uuid, { cpu: 8, ram: 8192, storage: 40960, floating_ip: 2 })
    const end = yield* site.order.terminate(resource.uuid)
    expect([state, update.state, end.state]).toEqual(["done", "done", "done"])
    const { system, user } = process.cpuUsage(before)
    return {
      cpu: Math.round((system + user) / 1000),
      milliseconds: (yield* Clock.currentTimeMillis) - began,
      calls: site.cloud.calls
        .slice(from)
        .map(({ method }) => method)
        .filter((method) => !isPoll(method))
    }
  })

const alone = Effect.gen(function* () {
  const site = yield* makeSite({ vdcSettings: plain })
  yield* site.start()
  return yield* threeOrders(site)
})

/** Beside the one that is well: a Waldur that says nothing, an OpenNebula that says nothing, one that is not there, a Keycloak that is not there. */
const inBadCompany = Effect.gen(function* () {
  const mute = yield* serveTcp(() => {})
  const closed = yield* freePort
  const second = yield* OpenNebula.serve({ port: 0 })
  const others: NonNullable<SiteOptions["offerings"]> = ({ backend, marketplace, world }) => {
    const offering = (name: string) => {
      const { customer } = world.vdcOffering
      const components = world.vdcOffering.components.map(({ type, name: title, measuredUnit }) => ({
        type,
        name: title,
        accountingType: "limit" as const,
        measuredUnit
      }))
      return marketplace.addOffering({ customer, name, components, plans: [{ name: "any" }] }).uuid
    }
    const settings = { ...backend, ...plain, resource_type: "vdc" }
    return [
      {
        name: "mute Waldur",
        waldur_offering_uuid: "0ffe00000000400000000000000000aa",
        waldur_api_url: `http://127.0.0.1:${mute}/api/`,
        stomp_enabled: true,
        websocket_use_tls: false,
        backend_settings: settings
      },
      {
        name: "mute OpenNebula",
        waldur_offering_uuid: offering("mute OpenNebula"),
        membership_sync_backend: "opennebula",
        backend_settings: { ...settings, api_url: `http://127.0.0.1:${mute}/RPC2` }
      },
      {
        name: "no OpenNebula",
        waldur_offering_uuid: offering("no OpenNebula"),
        backend_settings: { ...settings, api_url: `http://127.0.0.1:${closed}/RPC2` }
      },
      {
        name: "no Keycloak",
        waldur_offering_uuid: offering("no Keycloak"),
        membership_sync_backend: "opennebula",
        backend_settings: {
          ...settings,
          api_url: second.url,
          credentials: second.frontEnd.session,
          keycloak_enabled: true,
          keycloak: {
            keycloak_url: `http://127.0.0.1:${closed}/`,
            keycloak_username: "admin",
            keycloak_password: "keycloak-password"
          },
          saml_mapping_file: ""
        }
      }
    ]
  }
  const site = yield* makeSite({ vdcSettings: plain, offerings: others, root: { membership_sync_interval: 0.2 } })
  const agent = yield* site.start()
  // Their customers do not know, and order.
  for (const name of ["mute OpenNebula", "no OpenNebula", "no Keycloak"]) {
    const found = [...site.marketplace.world.offerings.values()].find((offering) => offering.name === name)
    const plan = found?.plans[0]
    if (found === undefined || plan === undefined) throw new Error(`there is no offering ${name}`)
    const limits = { cpu: 1, ram: 1024, storage: 1024, floating_ip: 0 }
    for (const label of ["one", "two", "three"]) {
      yield* site.place.wish({
        offering: found.uuid,
        project: site.world.project.uuid,
        plan: plan.uuid,
        limits,
        attributes: { name: `${name} ${label}` }
      })
    }
  }
  const carried = yield* threeOrders(site)
  const url = yield* listen(site.config, "127.0.0.1", 0).pipe(Effect.provide(agent.services))
  const ready: unknown = yield* Effect.promise(() => fetch(`${url}/readyz`).then((answer) => answer.json()))
  const states = [...site.marketplace.orders.values()]
    .filter(({ resource }) => resource.name !== "well")
    .map(({ state }) => state)
  return { ...carried, ready, states }
})

describe("An offering whose servers are well", () => {
  scenario(
    "is served as if it were alone, beside a mute Waldur, a mute and a dead OpenNebula and a dead Keycloak",
    () =>
      Effect.gen(function* () {
        const reference = yield* Effect.scoped(alone)
        const mixed = yield* inBadCompany
        yield* Effect.sync(() =>
          console.log(
            `isolation: three orders take ${reference.milliseconds} ms alone (CPU of all: ${reference.cpu} ms), ${mixed.milliseconds} ms (${mixed.cpu} ms) beside four offerings that are down`
          )
        )
        // What it takes of OpenNebula is the same, call by call.
        expect(mixed.calls.toSorted()).toEqual(reference.calls.toSorted())
        // One call to a mute server alone takes 30 to 60 s until it is given up.
        expect(mixed.milliseconds - reference.milliseconds).toBeLessThan(25_000)
        expect(mixed.ready).toMatchObject({
          offerings: expect.arrayContaining([expect.objectContaining({ name: "VDC", ready: true })])
        })
        // Nobody's order errs because a server is down.
        expect(mixed.states.filter((state) => state !== "pending-provider" && state !== "executing")).toEqual([])
      })
  )
})

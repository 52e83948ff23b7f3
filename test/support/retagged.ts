/** What tests share of tenants who write into what is theirs, long after its order is done, so that nobody bills, pauses or ends it any more. */
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import * as Observations from "../../src/runtime/observation/store.js"
import type { Resource } from "../../src/simulator/waldur/index.js"
import { makeSite, type RunningAgent, type Site } from "./agent.js"
import { addComponent, often, reporting } from "./usage.js"

/** Reports and looks come soon; what a machine has is told beside its plan. `drift`: of both offerings. */
export const watched = (drift: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function* () {
    const site = yield* makeSite({
      root: { ...often, observation_interval: 0.4 },
      vdcOffering: { ...reporting, drift },
      vmOffering: { ...reporting, drift, backend_components: { vm_ram_used: { usage_from: "vm_ram" } } }
    })
    addComponent(site, "vm_ram_used", "", "usage", site.world.vmOffering)
    return site
  })

/** Of one customer. */
export const twoCentres = Effect.gen(function* () {
  const site = yield* watched()
  const agent = yield* site.start()
  const { resource: lab } = yield* site.order.vdc("lab")
  const { resource: other } = yield* site.order.vdc("other")
  return { agent, lab, other, site }
})

export type As = (method: string, params: ReadonlyArray<string | number>) => Effect.Effect<void>

/** Who has the password that the data centre's customer was shown, and administers its group. */
export const administratorOf = ({ cloud }: Site, { backendId, backendMetadata }: Resource) =>
  Effect.gen(function* () {
    const { opennebula_password, opennebula_username } = backendMetadata
    const user = [...cloud.world.users].find(({ name }) => name === opennebula_username)
    expect(yield* cloud.call("one.group.addadmin", [Number(backendId), user?.id ?? -1])).toMatchObject({ _tag: "Ok" })
    const as: As = (method, params) =>
      Effect.map(
        cloud.call(method, [...params], `${String(opennebula_username)}:${String(opennebula_password)}`),
        (answer) => expect(answer).toMatchObject({ _tag: "Ok" })
      )
    return as
  })

export const tags = (resource: string): string =>
  `WALDUR_RESOURCE_UUID="${resource}"\nWALDUR_ORDER_UUID="${"0".repeat(32)}"\nWALDUR_MADE_BY="abc"`
export const nobody = "a".repeat(32)

/** What is written in the place of the agent's tags. */
export const writings: ReadonlyArray<readonly [how: string, text: (another: Resource) => string]> = [
  ["takes its tags off", () => 'NOTE="mine"'],
  ["makes it nobody's", () => tags(nobody)],
  ["makes it another's", ({ uuid }) => tags(uuid)]
]

export const putRight = (site: Site, what: string) => {
  const before = site.logged.filter((line) => line.includes(`Put right: ${what}`)).length
  return site.awaitLogged((line) => line.includes(`Put right: ${what}`), before + 1)
}

/** As Waldur says it, and as it is carried out. */
export const pausedAndBack = (site: Site, resource: Resource) =>
  Effect.gen(function* () {
    resource.paused = true
    yield* putRight(site, "paused")
    resource.paused = false
    yield* putRight(site, "active")
  })

const isLook = ({ _tag }: Site["activities"][number]) => _tag === "Look"
/** Completes with the n-th look from now on, at whichever offering. */
export const looks = (site: Site, count: number) =>
  Effect.suspend(() => site.awaitActivity(isLook, site.activities.filter(isLook).length + count))

export const ownerDifferences = ({ services }: RunningAgent, { uuid }: Resource) =>
  Effect.map(Observations.differences(), (all) =>
    all
      .filter(({ kind, resource }) => kind === "owner" && resource === uuid)
      .map(({ found, subject }) => `${subject}: ${found}`)
  ).pipe(Effect.provide(services))

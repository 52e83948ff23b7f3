/** Our two backends as the kit's subjects, on a simulated front-end over HTTP. */
import { Effect, type Scope } from "effect"
import { type BackendObject, type BackendUnderTest, type KitOptions, testBackend } from "../../src/kit/index.js"
import { makeOpenNebula } from "../../src/opennebula/calls/openNebula.js"
import { makeClient } from "../../src/opennebula/client.js"
import { resourceName } from "../../src/opennebula/naming.js"
import { opennebulaVdc } from "../../src/plugins/opennebula-vdc/index.js"
import { opennebulaVm } from "../../src/plugins/opennebula-vm/index.js"
import { connectionOf } from "../../src/plugins/settings.js"
import { type FrontEnd, serve, VmState } from "../../src/simulator/opennebula/index.js"
import { ruleText } from "../../src/simulator/opennebula/world/acl-bits.js"
import type { Template } from "../../src/simulator/opennebula/world/template.js"
import { makeParent, settingsOf, vdcResource } from "../support/vmCloud.js"

const ownerOf = (template: Template): string | undefined =>
  template.get("WALDUR_RESOURCE_UUID")?.replaceAll("-", "").toLowerCase()

/** From the front-end's own memory. Rules belong to whom their group belongs to, leases are their network's. */
const objectsOf = ({ world }: FrontEnd): ReadonlyArray<BackendObject> => {
  const groups = new Map([...world.groups].map(({ id, template }) => [String(id), ownerOf(template)]))
  const tagged = (
    kind: string,
    pool: Iterable<{ readonly id: number; readonly template: Template }>,
    detail: (id: number) => string = () => ""
  ): ReadonlyArray<BackendObject> =>
    [...pool].map(({ id, template }) => ({ kind, id: String(id), owner: ownerOf(template), detail: detail(id) }))
  const quotas = (group: number) =>
    [...world.groups]
      .filter(({ id }) => id === group)
      .flatMap(({ quotas }) => quotas.VM)
      .filter(({ fromUsage }) => !fromUsage)
      .flatMap(({ limits }) => [...limits].map(([metric, limit]) => `${metric}=${limit}`))
      .toSorted()
      .join(" ")
  return [
    ...tagged("group", world.groups, quotas),
    ...tagged("vdc", world.vdcs),
    ...tagged("network", world.networks),
    ...tagged("router", world.routers),
    ...tagged("security group", world.securityGroups),
    ...tagged("user", world.users),
    ...[...world.vms]
      .filter(({ state }) => state !== VmState.done)
      .map(({ id, template, userTemplate }) => ({
        kind: "vm",
        id: String(id),
        owner: ownerOf(userTemplate),
        detail: ["VCPU", "MEMORY"].map((key) => `${key}=${template.get(key) ?? ""}`).join(" ")
      })),
    ...[...world.acl].map((rule) => ({
      kind: "acl rule",
      id: String(rule.id),
      owner: groups.get(/^@(\d+)/.exec(ruleText(rule))?.[1] ?? "")
    }))
  ]
}

const times = { schedule: 2, dispatch: 1, prolog: 1, boot: 5, shutdown: 5, epilog: 2, diskResize: 2 }

const cloud = Effect.map(serve({ port: 0, times }), ({ frontEnd, url }) => ({
  frontEnd,
  url,
  credentials: frontEnd.session,
  secrets: [frontEnd.session]
}))

const call = (frontEnd: FrontEnd, method: string, params: ReadonlyArray<string | number | boolean>) =>
  Effect.flatMap(frontEnd.call(method, params), (answer) =>
    answer._tag === "Ok" ? Effect.void : Effect.dieMessage(`${method}: ${JSON.stringify(answer)}`)
  )

const vdcUnderTest: Effect.Effect<BackendUnderTest, unknown, Scope.Scope> = Effect.map(
  cloud,
  ({ credentials, frontEnd, secrets, url }) => ({
    settings: {
      api_url: url,
      credentials,
      cluster_ids: [0],
      external_network_id: 0,
      virtual_router_template_id: 1,
      create_opennebula_user: true
    },
    secrets,
    objects: Effect.sync(() => objectsOf(frontEnd)),
    refuse: Effect.sync(() => frontEnd.faults.failNext("deploy")),
    foreign: (resource) => call(frontEnd, "one.group.allocate", [resourceName("", resource)]),
    disturb: (group) => call(frontEnd, "one.group.quota", [Number(group), 'VM=[CPU="1", MEMORY="512"]'])
  })
)

const vmUnderTest: Effect.Effect<BackendUnderTest, unknown, Scope.Scope> = Effect.gen(function* () {
  const { credentials, frontEnd, secrets, url } = yield* cloud
  const one = makeOpenNebula(yield* makeClient(connectionOf(settingsOf({ api_url: url }))))
  const parent = yield* makeParent(one, "acme", vdcResource)
  yield* call(frontEnd, "one.vn.add_ar", [1, 'AR=[TYPE="IP4", IP="192.168.11.2", SIZE="200"]'])
  return {
    settings: { api_url: url, credentials, template_id: 2, parent_vdc_backend_id: parent },
    secrets,
    objects: Effect.sync(() => objectsOf(frontEnd)),
    refuse: Effect.sync(() => frontEnd.faults.failNext("deploy")),
    disturb: (vm) =>
      Effect.sync(() => {
        frontEnd.world.vms.get(Number(vm)).template.set("MEMORY", "768")
      }),
    foreign: (resource) => call(frontEnd, "one.template.instantiate", [2, resourceName("", resource), false, "", false])
  }
})

const sizes = { accountingType: "fixed" } as const

export const vdcKit = (options: Partial<KitOptions> = {}) =>
  testBackend(opennebulaVdc, {
    makeBackend: vdcUnderTest,
    orders: {
      components: [
        { type: "cpu", measuredUnit: "cores" },
        { type: "ram", measuredUnit: "GB", unitFactor: 1024 },
        { type: "storage", measuredUnit: "GB", unitFactor: 1024 },
        { type: "floating_ip" }
      ],
      create: { amounts: { cpu: 4, ram: 4, storage: 20, floating_ip: 2 } },
      update: { amounts: { cpu: 8, ram: 8 } }
    },
    ...options
  })

export const vmKit = (options: Partial<KitOptions> = {}) =>
  testBackend(opennebulaVm, {
    makeBackend: vmUnderTest,
    orders: {
      components: ["vcpu", "vm_ram", "vm_disk"].map((type) => ({ type, ...sizes })),
      create: { amounts: { vcpu: 1, vm_ram: 512, vm_disk: 2048 } },
      update: { amounts: { vm_ram: 1024, vm_disk: 5120 } }
    },
    // As many as the simulated hosts have room for: others would wait for a place that nobody leaves.
    atOnce: 6,
    ...options
  })

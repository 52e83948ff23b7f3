/** The agent's configuration, read from a file by the agent's own reader, and the marketplace that belongs to it. */
import * as FileSystem from "@effect/platform/FileSystem"
import { Duration, Effect } from "effect"
import { stringify } from "yaml"
import { type Config, loadConfig } from "../../src/runtime/config/index.js"
import { plugins } from "../../src/runtime/plugins.js"
import type { Marketplace, Offering, Plan, Project } from "../../src/simulator/waldur/index.js"
import type { Chance } from "./chance.js"
import { marketUrl } from "./market-wire.js"
import type { Secrets } from "./secrets.js"

const ids = ["1", "2", "3"].map((digit) => `0ffe00000000400000000000000000${digit.padStart(2, "0")}`)
const [vdcId = "", wideVdcId = "", vmId = ""] = ids

const vmComponents = [
  { type: "vcpu", name: "vCPU", accountingType: "fixed", measuredUnit: "cores" },
  { type: "vm_ram", name: "RAM", accountingType: "fixed", measuredUnit: "MB" },
  { type: "vm_disk", name: "Disk", accountingType: "fixed", measuredUnit: "MB" }
] as const
const vdcComponents = (gigabytes: boolean) => {
  const sized = gigabytes ? { measuredUnit: "GB", unitFactor: 1024 } : { measuredUnit: "MB" }
  return [
    { type: "cpu", name: "vCPU", accountingType: "limit", measuredUnit: "cores" },
    { type: "ram", name: "RAM", accountingType: "limit", ...sized },
    { type: "storage", name: "Storage", accountingType: "limit", ...sized },
    { type: "floating_ip", name: "Floating IP", accountingType: "limit", measuredUnit: "pcs" }
  ] as const
}

export interface Market {
  readonly offerings: { readonly vdc: Offering; readonly wideVdc: Offering; readonly vm: Offering }
  readonly projects: ReadonlyArray<Project>
  readonly customerToken: string
  readonly sshKey: string
  readonly plans: Readonly<Record<"small" | "medium" | "large", Plan>>
}

const planSizes = {
  Small: { vcpu: 1, vm_ram: 512, vm_disk: 2048 },
  Medium: { vcpu: 1, vm_ram: 1024, vm_disk: 5120 },
  Large: { vcpu: 2, vm_ram: 2048, vm_disk: 10_240 }
}

/** Provider, offerings, customers, people. */
export const fillMarket = (marketplace: Marketplace, secrets: Secrets): Market => {
  const provider = marketplace.addCustomer({ name: "Cloud Provider" })
  const customers = ["University of Tartu", "Institute of Physics"].map((name) => marketplace.addCustomer({ name }))
  const projects = customers.flatMap((customer, at) =>
    (at === 0 ? ["Proteins", "Galaxies"] : ["Lasers"]).map((name) => marketplace.addProject({ customer, name }))
  )
  const offering = (name: string, uuid: string, gigabytes: boolean) =>
    marketplace.addOffering({ customer: provider, name, uuid, components: vdcComponents(gigabytes) })
  const vm = marketplace.addOffering({
    customer: provider,
    name: "OpenNebula VM",
    uuid: vmId,
    components: vmComponents,
    plans: Object.entries(planSizes).map(([name, quotas]) => ({ name, quotas }))
  })
  const offerings = { vdc: offering("VDC", vdcId, false), wideVdc: offering("VDC in GB", wideVdcId, true), vm }
  const agent = marketplace.addUser({ username: "agent", token: secrets.agentToken })
  marketplace.addCustomerRole(agent, provider, "CUSTOMER.OWNER")
  for (const one of Object.values(offerings)) marketplace.addOfferingManager(agent, one)
  const customer = marketplace.addUser({ username: "olga" })
  for (const one of customers) marketplace.addCustomerRole(customer, one, "CUSTOMER.OWNER")
  const sshKey = marketplace.addSshKey({
    user: customer,
    name: "olga@laptop",
    publicKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g olga@laptop"
  })
  const plan = (name: string): Plan => {
    const found = vm.plans.find((one) => one.name === name)
    if (found === undefined) throw new Error(`no plan ${name}`)
    return found
  }
  return {
    offerings,
    projects,
    customerToken: customer.token,
    sshKey: sshKey.uuid,
    plans: { small: plan("Small"), medium: plan("Medium"), large: plan("Large") }
  }
}

const file = (secrets: Secrets): string => {
  const common = {
    waldur_api_url: marketUrl,
    waldur_api_token: secrets.agentToken,
    backend_type: "opennebula",
    order_processing_backend: "opennebula"
  }
  const backend = {
    api_url: "http://cloud.example:2633/RPC2",
    credentials: `oneadmin:${secrets.cloudPassword}`,
    zone_id: 0,
    cluster_ids: [0]
  }
  const vdc = {
    ...backend,
    resource_type: "vdc",
    external_network_id: 0,
    virtual_router_template_id: 1,
    create_opennebula_user: true,
    security_group_defaults: [{ direction: "inbound", protocol: "TCP", range: "22" }]
  }
  return stringify({
    poll_interval: 5,
    // Calls beside the orders' own would make each seed another story.
    agent_identity: false,
    offerings: [
      { ...common, name: "VDC", waldur_offering_uuid: vdcId, backend_settings: vdc },
      { ...common, name: "VDC in GB", waldur_offering_uuid: wideVdcId, backend_settings: { ...vdc, timeout: 30 } },
      {
        ...common,
        name: "VM",
        waldur_offering_uuid: vmId,
        backend_settings: { ...backend, resource_type: "vm", template_id: 2, allowed_template_ids: [2] }
      }
    ]
  })
}

let loaded: Promise<Config> | undefined

export const configuration = async (secrets: Secrets, chance: Chance): Promise<Config> => {
  loaded ??= loadConfig("config.yaml", plugins).pipe(
    Effect.provide(FileSystem.layerNoop({ readFileString: () => Effect.succeed(file(secrets)) })),
    Effect.runPromise
  )
  return { ...(await loaded), pollInterval: Duration.seconds(chance.fork("poll").pick([10, 20, 40] as const)) }
}

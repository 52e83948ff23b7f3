/** A small world to begin with: one provider with two OpenNebula offerings, one customer with a project and its people. */
import { Effect } from "effect"
import type { Marketplace } from "./marketplace.js"
import type { Offering, Plan, Project } from "./model.js"

/** Fixed, so that a configuration written once works against every start of the simulator. */
export const demoTokens = {
  agent: "a9e27000000000000000000000000000000000a1",
  customer: "c057000000000000000000000000000000000001",
  staff: "57aff00000000000000000000000000000000001"
} as const

export const demoUuids = {
  vdcOffering: "0ffe0000000040000000000000000001",
  vmOffering: "0ffe0000000040000000000000000002",
  project: "90ec0000000040000000000000000001",
  provider: "c0510000000040000000000000000001",
  sshKey: "5517000000004000a000000000000001"
} as const

export interface DemoWorld {
  readonly agentToken: string
  /** Of the customer's owner, whose orders need no approval of the consumer. */
  readonly customerToken: string
  readonly staffToken: string
  readonly vdcOffering: Offering
  readonly vmOffering: Offering
  readonly plans: { readonly vdc: Plan; readonly small: Plan; readonly medium: Plan }
  readonly project: Project
}

export interface DemoWorldOptions {
  /** RAM and storage in GB with a unit factor of 1024, rather than in MB. */
  readonly gigabytes?: boolean
}

export const demoWorld = (marketplace: Marketplace, options: DemoWorldOptions = {}): Effect.Effect<DemoWorld> =>
  Effect.sync(() => {
    const sized = options.gigabytes === true ? { measuredUnit: "GB", unitFactor: 1024 } : { measuredUnit: "MB" }
    const provider = marketplace.addCustomer({ name: "Cloud Provider", uuid: demoUuids.provider })
    const university = marketplace.addCustomer({ name: "University of Tartu" })
    const project = marketplace.addProject({
      customer: university,
      name: "Protein Structure Prediction",
      uuid: demoUuids.project
    })
    const vdcOffering = marketplace.addOffering({
      customer: provider,
      name: "OpenNebula VDC",
      uuid: demoUuids.vdcOffering,
      components: [
        { type: "cpu", name: "vCPU", accountingType: "limit", measuredUnit: "cores" },
        { type: "ram", name: "RAM", accountingType: "limit", ...sized },
        { type: "storage", name: "Storage", accountingType: "limit", ...sized },
        { type: "floating_ip", name: "Floating IP", accountingType: "limit", measuredUnit: "pcs" }
      ],
      // Without it Waldur keeps no accounts for members.
      pluginOptions: { service_provider_can_create_offering_user: true }
    })
    const vmOffering = marketplace.addOffering({
      customer: provider,
      name: "OpenNebula VM",
      uuid: demoUuids.vmOffering,
      components: [
        { type: "vcpu", name: "vCPU", accountingType: "fixed", measuredUnit: "cores" },
        { type: "vm_ram", name: "RAM", accountingType: "fixed", measuredUnit: "MB" },
        { type: "vm_disk", name: "Disk", accountingType: "fixed", measuredUnit: "MB" }
      ],
      plans: [
        { name: "Small", quotas: { vcpu: 1, vm_ram: 512, vm_disk: 2048 } },
        { name: "Medium", quotas: { vcpu: 1, vm_ram: 1024, vm_disk: 5120 } }
      ]
    })
    marketplace.addUser({ username: "staff", fullName: "Stan Staff", token: demoTokens.staff, staff: true })
    const agent = marketplace.addUser({
      username: "site-agent",
      fullName: "Site Agent",
      token: demoTokens.agent,
      oidcClient: { id: "site-agent", secret: "site-agent-secret" }
    })
    marketplace.addCustomerRole(agent, provider, "CUSTOMER.OWNER")
    marketplace.addOfferingManager(agent, vdcOffering)
    marketplace.addOfferingManager(agent, vmOffering)
    const owner = marketplace.addUser({ username: "owner", fullName: "Olga Owner", token: demoTokens.customer })
    marketplace.addCustomerRole(owner, university, "CUSTOMER.OWNER")
    const alice = marketplace.addUser({ username: "alice", fullName: "Alice Admin" })
    marketplace.addProjectRole(alice, project, "PROJECT.ADMIN")
    const bob = marketplace.addUser({ username: "bob", fullName: "Bob Member" })
    marketplace.addProjectRole(bob, project, "PROJECT.MEMBER")
    marketplace.addSshKey({
      user: alice,
      name: "alice@laptop",
      uuid: demoUuids.sshKey,
      publicKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g alice@laptop"
    })
    const planCalled = (offering: Offering, name: string): Effect.Effect<Plan> =>
      Effect.fromNullable(offering.plans.find((plan) => plan.name === name)).pipe(Effect.orDie)
    return Effect.all({
      vdc: planCalled(vdcOffering, "Default"),
      small: planCalled(vmOffering, "Small"),
      medium: planCalled(vmOffering, "Medium")
    }).pipe(
      Effect.map((plans) => ({
        agentToken: demoTokens.agent,
        customerToken: demoTokens.customer,
        staffToken: demoTokens.staff,
        vdcOffering,
        vmOffering,
        plans,
        project
      }))
    )
  }).pipe(Effect.flatten)

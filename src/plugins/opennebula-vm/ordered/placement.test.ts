import { describe, expect, it } from "@effect/vitest"
import { Option } from "effect"
import {
  ownerOf,
  single,
  type Template,
  type VmTemplate,
  valueOf,
  vector,
  vectorsOf
} from "../../../opennebula/index.js"
import { extraTemplate, type Instance, isConnected } from "./placement.js"

const no = { use: false, manage: false, admin: false }
const templateWith = (template: Template): VmTemplate => ({
  id: 2,
  name: "vm-small",
  uid: 0,
  gid: 0,
  permissions: { owner: no, group: no, other: no },
  template,
  isVirtualRouter: false
})
const instance: Instance = {
  sizes: { vcpu: 2, ram: 1024, disk: 5120 },
  parent: { group: 105, network: 9, securityGroup: 100 },
  rules: { clusters: [], requirements: "" },
  sshKey: undefined,
  owner: { resource: "r", order: "o" }
}
const extraOf = (template: Template, changes: Partial<Instance> = {}) =>
  extraTemplate(templateWith(template), { ...instance, ...changes })
const values = (template: Template, name: string) => vectorsOf(template, name).map((found) => found.values)

describe("what is sent along with a template", () => {
  it("has the sizes, a whole core for each vCPU, and the owner's tags", () => {
    const extra = extraOf([])
    expect(["CPU", "VCPU", "MEMORY"].map((name) => Option.getOrNull(valueOf(extra, name)))).toEqual(["2", "2", "1024"])
    expect(ownerOf(extra)).toEqual(Option.some({ resource: "r", order: "o" }))
  })

  it("keeps the template's context beside the key", () => {
    const own = [
      vector("CONTEXT", { NETWORK: "YES", START_SCRIPT: "echo hi", SSH_PUBLIC_KEY: "$USER[SSH_PUBLIC_KEY]" })
    ]
    expect(values(extraOf(own, { sshKey: "ssh-ed25519 A" }), "CONTEXT")).toEqual([
      { NETWORK: "YES", START_SCRIPT: "echo hi", SSH_PUBLIC_KEY: "ssh-ed25519 A" }
    ])
  })

  it("makes guests configure their network unless the template says otherwise", () => {
    expect(values(extraOf([]), "CONTEXT")).toEqual([{ NETWORK: "YES" }])
    expect(values(extraOf([vector("CONTEXT", { NETWORK: "NO" })]), "CONTEXT")).toEqual([{ NETWORK: "NO" }])
  })

  it("sizes the disk to boot from, and keeps the other disks and all their settings", () => {
    const own = [
      vector("DISK", { TYPE: "swap", SIZE: 512 }),
      vector("DISK", { IMAGE_ID: 3, DEV_PREFIX: "vd", SIZE: 10 })
    ]
    expect(values(extraOf(own), "DISK")).toEqual([
      { TYPE: "swap", SIZE: "512" },
      { IMAGE_ID: "3", DEV_PREFIX: "vd", SIZE: "5120" }
    ])
  })

  it("puts the parent's network first when the template has interfaces of its own, and keeps those", () => {
    const own = [vector("NIC", { NETWORK: "backup", MODEL: "virtio" })]
    expect(values(extraOf(own), "NIC")).toEqual([
      { NETWORK_ID: "9", SECURITY_GROUPS: "100" },
      { NETWORK: "backup", MODEL: "virtio" }
    ])
  })

  it("gives the parent's network to an interface that names none, and keeps its model", () => {
    const own = [vector("NIC", { NETWORK_ID: 4 }), vector("NIC", { MODEL: "e1000" })]
    expect(values(extraOf(own), "NIC")).toEqual([
      { NETWORK_ID: "4" },
      { NETWORK_ID: "9", SECURITY_GROUPS: "100", MODEL: "e1000" }
    ])
  })

  it("leaves the interfaces as they are where the parent has no network", () => {
    const own = [vector("NIC", { NETWORK_ID: 4 })]
    expect(values(extraOf(own, { parent: { group: 105 } }), "NIC")).toEqual([{ NETWORK_ID: "4" }])
    expect(isConnected(templateWith(own), { group: 105 })).toBe(true)
    expect(isConnected(templateWith([vector("NIC", { MODEL: "virtio" })]), { group: 105 })).toBe(false)
  })

  it("combines the template's requirements, the provider's and the clusters", () => {
    const rules = { clusters: [1, 2], requirements: 'HYPERVISOR="kvm"' }
    const requirements = (own: Template, changes: Partial<Instance>) =>
      Option.getOrNull(valueOf(extraOf(own, changes), "SCHED_REQUIREMENTS"))
    expect(requirements([], {})).toBeNull()
    expect(requirements([], { rules: { clusters: [1, 2], requirements: "" } })).toBe("CLUSTER_ID=1 | CLUSTER_ID=2")
    expect(requirements([single("SCHED_REQUIREMENTS", "FREE_CPU > 1")], { rules })).toBe(
      '(FREE_CPU > 1) & (HYPERVISOR="kvm") & (CLUSTER_ID=1 | CLUSTER_ID=2)'
    )
  })
})

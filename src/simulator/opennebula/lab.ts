/** The world that a front-end begins with. By default that of the recorded laboratory: one zone, one cluster, two hosts. */
import { newCluster } from "./nouns/infrastructure.js"
import { becomeReady, makeNetwork } from "./nouns/networks.js"
import { makeUser } from "./nouns/users.js"
import { joinVdc } from "./nouns/vdc-membership.js"
import { monitored } from "./vms/scheduler.js"
import { all, ofGroup, type ResourceKind, type RuleBits, resourceBit, rightBit } from "./world/acl-bits.js"
import { newPermissions, ownedBy } from "./world/owned.js"
import { single, Template, vector } from "./world/template.js"
import { parseTemplate } from "./world/template-parser.js"
import { noQuotas, type World } from "./world/world.js"

/** What a test or a demo may set. Left out: as in the laboratory. */
export interface InitialWorld {
  readonly hosts?: ReadonlyArray<{ readonly name: string; readonly cpuCores: number; readonly memoryMb: number }>
  /** Networks as templates with NAME, VN_MAD, BRIDGE, AR; the first gets id 0. */
  readonly networks?: ReadonlyArray<string>
  /** VM templates with NAME; the first gets id 0. */
  readonly templates?: ReadonlyArray<string>
  readonly images?: ReadonlyArray<{ readonly name: string; readonly sizeMb: number }>
}

const labHosts = ["host01", "host02"].map((name) => ({ name, cpuCores: 8, memoryMb: 16384 }))

const labNetworks = [
  `NAME="public"
VN_MAD="dummy"
BRIDGE="br0"
NETWORK_MASK="255.255.255.0"
GATEWAY="10.0.0.1"
DNS="10.0.0.1"
AR=[TYPE="IP4",IP="10.0.0.10",SIZE="200"]`
]

const context = 'CONTEXT=[NETWORK="YES",SSH_PUBLIC_KEY="$USER[SSH_PUBLIC_KEY]"]'

const labTemplates = [
  `NAME="placeholder"
CPU="0.1"
MEMORY="64"`,
  `NAME="vrouter"
CPU="0.5"
VCPU="1"
MEMORY="256"
VROUTER="YES"
DISK=[IMAGE_ID="0"]
GRAPHICS=[TYPE="VNC",LISTEN="127.0.0.1"]
${context}`,
  `NAME="vm-small"
CPU="1"
VCPU="1"
MEMORY="1024"
DISK=[IMAGE_ID="0",SIZE="10240"]
${context}`,
  `NAME="vm-tiny"
CPU="0.01"
VCPU="1"
MEMORY="8"`
]

const labImages = [{ name: "base-os", sizeMb: 1024 }]

const read = (text: string): Template => {
  const parsed = parseTemplate(text)
  if (parsed._tag === "ParseError")
    throw new Error(`The initial world has a template that does not parse: ${parsed.message}`)
  return parsed.template
}

const rule = (who: bigint, kinds: ReadonlyArray<ResourceKind>, right: "USE" | "CREATE"): RuleBits => ({
  user: who,
  resource: kinds.reduce((bits, kind) => bits | resourceBit(kind), all),
  rights: rightBit(right),
  zone: all
})

const defaultSecurityGroup = `The default security group is added to every network. Use it to add default filter rules for your \
networks. You may remove this security group from any network by updating its properties.`

const defaultVdc = `Every new group is added to this VDC. Use it to store default access rules for your groups. NOTE: You may need \
to remove a group from the default VDC before assigning it to other VDC.`

const addGroupsAndUsers = (world: World, password: string): void => {
  world.groups.put({ id: 0, name: "oneadmin", template: new Template(), admins: new Set(), quotas: noQuotas() })
  world.groups.put({
    id: 1,
    name: "users",
    template: new Template([
      vector("SUNSTONE", {
        DEFAULT_VIEW: "cloud",
        GROUP_ADMIN_DEFAULT_VIEW: "groupadmin",
        GROUP_ADMIN_VIEWS: "groupadmin,cloud",
        VIEWS: "cloud"
      })
    ]),
    admins: new Set(),
    quotas: noQuotas()
  })
  makeUser(world, "oneadmin", password, "core", [0])
  makeUser(world, "serveradmin", `${password} of serveradmin`, "server_cipher", [0])
  for (const first of [
    rule(ofGroup | 1n, ["VM", "IMAGE", "TEMPLATE", "DOCUMENT", "SECGROUP", "VMGROUP", "BACKUPJOB"], "CREATE"),
    rule(all, ["ZONE"], "USE"),
    rule(all, ["MARKETPLACE", "MARKETPLACEAPP"], "USE")
  ])
    world.acl.add((id) => ({ id, ...first }))
  const vdc = {
    id: 0,
    name: "default",
    groups: new Set<number>(),
    resources: {
      CLUSTER: new Set([-10]),
      HOST: new Set<number>(),
      DATASTORE: new Set<number>(),
      NET: new Set<number>()
    },
    template: new Template([single("DESCRIPTION", defaultVdc)])
  }
  world.vdcs.put(vdc)
  joinVdc(world, vdc, 1)
}

export const fillWorld = (world: World, password: string, initial: InitialWorld): void => {
  world.zones.put({ id: 0, name: "OpenNebula" })
  world.clusters.put(newCluster(0, "default"))
  addGroupsAndUsers(world, password)
  const oneadmin = world.users.get(0)
  const mine = ownedBy(world, oneadmin)
  for (const [id, name] of ["system", "default", "files"].entries())
    world.datastores.put({
      id,
      name,
      ...mine,
      type: id === 0 ? 1 : id === 1 ? 0 : 2,
      state: 0,
      cluster: 0,
      template: new Template([single("TM_MAD", "dummy"), ...(id === 0 ? [] : [single("DS_MAD", "dummy")])]),
      total: 20480
    })
  world.securityGroups.put({
    id: 0,
    name: "default",
    ...mine,
    permissions: [1, 1, 1, 1, 0, 0, 1, 0, 0],
    template: new Template([
      single("DESCRIPTION", defaultSecurityGroup),
      vector("RULE", { PROTOCOL: "ALL", RULE_TYPE: "OUTBOUND" }),
      vector("RULE", { PROTOCOL: "ALL", RULE_TYPE: "INBOUND" })
    ])
  })
  for (const { cpuCores, memoryMb, name } of initial.hosts ?? labHosts)
    world.hosts.add((id) => ({
      id,
      name,
      cluster: 0,
      maxCpu: cpuCores * 100,
      maxMemory: memoryMb * 1024,
      state: monitored
    }))
  for (const text of initial.networks ?? labNetworks)
    becomeReady(makeNetwork(world, { caller: oneadmin }, read(text), 0))
  for (const { name, sizeMb } of initial.images ?? labImages)
    world.images.add((id) => ({
      id,
      name,
      ...mine,
      permissions: newPermissions,
      template: new Template(),
      registered: world.now,
      size: sizeMb,
      type: 0,
      datastore: 1,
      state: 1,
      persistent: false
    }))
  for (const text of initial.templates ?? labTemplates) {
    const template = read(text)
    const name = template.get("NAME") ?? ""
    template.remove("NAME")
    world.templates.add((id) => ({ id, name, ...mine, template, registered: world.now }))
  }
}

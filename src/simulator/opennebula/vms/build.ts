/** From a template to a VM: checks, disks from images, NICs with leases, context, requirements. */
import { createHash } from "node:crypto"
import { cannotAllocate } from "../wire/refusals.js"
import { nameFault } from "../world/names.js"
import type { Image, User, Vm } from "../world/objects.js"
import { ownedBy } from "../world/owned.js"
import { type Attribute, single, Template, type Vector, vector } from "../world/template.js"
import type { World } from "../world/world.js"
import { fillContext } from "./context.js"
import { addSecurityRules, findNetwork, leaseNic, releaseNic } from "./nics.js"
import { VmState } from "./states.js"

/** Attributes that the front-end understands; all others are the user's. */
const known = new Set(
  `AUTOMATIC_DS_REQUIREMENTS AUTOMATIC_NIC_REQUIREMENTS AUTOMATIC_REQUIREMENTS BACKUP_CONFIG CLONING_TEMPLATE_ID CONTEXT CPU
  CPU_COST CPU_MODEL DISK DISK_COST EMULATOR FEATURES GRAPHICS INPUT MEMORY MEMORY_COST MEMORY_MAX MEMORY_RESIZE_MODE
  MEMORY_SLOTS NIC NIC_ALIAS NIC_DEFAULT NUMA_NODE OS PCI RAW SCHED_ACTION SECURITY_GROUP_RULE SNAPSHOT SPICE_OPTIONS
  SUBMIT_ON_HOLD TEMPLATE_ID TM_MAD_SYSTEM TOPOLOGY TPM VCPU VCPU_MAX VIDEO VMGROUP VMID VROUTER_ID VROUTER_KEEPALIVED_ID
  VROUTER_KEEPALIVED_PASSWORD`.split(/\s+/)
)

export const allocationError = (message: string) =>
  cannotAllocate(`Error allocating a new virtual machine template. ${message}`)

const checkCapacity = (template: Template): void => {
  const number = (name: string) => {
    const text = template.get(name)
    return text === undefined ? undefined : Number(text)
  }
  const positive = (value: number | undefined) => value !== undefined && value > 0
  const whole = (value: number | undefined) => positive(value) && Number.isInteger(value)
  if (!whole(number("MEMORY"))) throw allocationError("MEMORY attribute must be a positive integer value.")
  if (!positive(number("CPU"))) throw allocationError("CPU attribute must be a positive float or integer value.")
  if (number("VCPU") !== undefined && !whole(number("VCPU")))
    throw allocationError("VCPU attribute must be a positive integer value.")
}

const diskLetter = (at: number) => `sd${String.fromCharCode(97 + at)}`

/** A disk that is a copy of an image (recording 023; `TARGET` only in a VM). */
export const imageDisk = (
  world: World,
  given: Vector,
  image: Image,
  diskId: number,
  target: string | undefined
): Vector => {
  const datastore = world.datastores.find(image.datastore)
  return vector("DISK", {
    ALLOW_ORPHANS: "NO",
    CLONE: image.persistent ? "NO" : "YES",
    CLONE_TARGET: "SYSTEM",
    CLUSTER_ID: datastore?.cluster ?? 0,
    DATASTORE: datastore?.name,
    DATASTORE_ID: image.datastore,
    DEV_PREFIX: image.template.get("DEV_PREFIX") ?? "sd",
    DISK_SNAPSHOT_TOTAL_SIZE: 0,
    DISK_TYPE: "FILE",
    DRIVER: "dummy_format",
    FORMAT: "dummy_format",
    IMAGE_STATE: image.state,
    LN_TARGET: "NONE",
    PERSISTENT_SNAPSHOTS: "YES",
    READONLY: "NO",
    SAVE: "NO",
    SIZE: image.size,
    SOURCE: "dummy_path",
    TARGET: target,
    TM_MAD: "dummy",
    TYPE: "FILE",
    ...Object.fromEntries(given.values),
    DISK_ID: diskId,
    IMAGE: image.name,
    IMAGE_ID: image.id,
    ORIGINAL_SIZE: image.size
  })
}

/** A disk without an image (recording 131). */
export const volatileDisk = (world: World, given: Vector, diskId: number, position: number): Vector =>
  vector("DISK", {
    ALLOW_ORPHANS: "NO",
    CLUSTER_ID: 0,
    DATASTORE: world.datastores.find(0)?.name ?? "system",
    DATASTORE_ID: 0,
    DEV_PREFIX: "sd",
    DISK_ID: diskId,
    DISK_TYPE: "FILE",
    DRIVER: given.values.get("FORMAT"),
    PERSISTENT_SNAPSHOTS: "YES",
    TARGET: diskLetter(position),
    TM_MAD: "dummy",
    TM_MAD_SYSTEM: "dummy",
    ...Object.fromEntries(given.values)
  })

/** By its id, or by its name among those of whom the disk says, else of whoever asks (7.4 `VirtualMachineDisk::get_uid`). */
export const findImage = (world: World, disk: Vector, asking: { readonly id: number } = { id: 0 }) => {
  const id = disk.values.get("IMAGE_ID")
  if (id !== undefined) return world.images.find(Number(id))
  const [name, uid, uname] = [disk.values.get("IMAGE"), disk.values.get("IMAGE_UID"), disk.values.get("IMAGE_UNAME")]
  const owner = uid === undefined ? (uname === undefined ? asking.id : world.users.byName(uname)?.id) : Number(uid)
  return [...world.images].find((image) => image.name === name && image.uid === owner)
}

/** States from which an image is given to no VM (7.4 `ImageManagerActions.cc`, `acquire_image`). */
const unusableStates: ReadonlyMap<number, string> = new Map([
  [0, "INIT"],
  [3, "DISABLED"],
  [5, "ERROR"],
  [6, "CLONE"],
  [7, "DELETE"]
])

const whyNotAcquired = (world: World, image: Image): string | undefined => {
  const state = unusableStates.get(image.state)
  if (state !== undefined) return `in state: ${state}`
  return image.persistent && usersOf(world, image).length > 0 ? "persistent and already in use" : undefined
}

/** VMs that have a disk of it. */
export const usersOf = (world: World, image: Image): ReadonlyArray<Vm> =>
  world.vms
    .oldestFirst()
    .filter(
      (vm) =>
        vm.state !== VmState.done &&
        vm.template.vectors("DISK").some((disk) => disk.values.get("IMAGE_ID") === String(image.id))
    )

const buildDisk = (world: World, owner: User, given: Vector, at: number): Vector => {
  const wanted = given.values.get("IMAGE_ID") ?? given.values.get("IMAGE")
  if (wanted === undefined) return volatileDisk(world, given, at, at)
  const image = findImage(world, given, owner)
  if (image === undefined) throw allocationError(`DISK ${at}: Image with ID: ${wanted} does not exist`)
  const obstacle = whyNotAcquired(world, image)
  if (obstacle !== undefined) throw allocationError(`DISK ${at}: Cannot acquire image ${image.id}, it is ${obstacle}`)
  const size = Number(given.values.get("SIZE") ?? image.size)
  if (size < image.size)
    throw allocationError(`DISK ${at}: SIZE of ${size}MB is less than the image [${image.id}] size of ${image.size}MB.`)
  // A VM takes the image into use before it writes its state down (recording 077).
  return imageDisk(world, given, { ...image, state: image.persistent ? 8 : 2 }, at, diskLetter(at))
}

const uuidFor = (seed: string): string => {
  const hex = createHash("sha256").update(seed).digest("hex")
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

const addRequirements = (template: Template): void => {
  const placed = [...template.vectors("DISK"), ...template.vectors("NIC")]
  const clusters = placed.flatMap((part) => (part.values.get("CLUSTER_ID") ?? "").split(",").filter((id) => id !== ""))
  const cluster = clusters[0]
  if (cluster !== undefined) {
    template.set("AUTOMATIC_DS_REQUIREMENTS", `("CLUSTERS/ID" @> ${cluster})`)
    template.set("AUTOMATIC_NIC_REQUIREMENTS", `("CLUSTERS/ID" @> ${cluster})`)
  }
  const inCluster = cluster === undefined ? "" : `(CLUSTER_ID = ${cluster}) & `
  template.set("AUTOMATIC_REQUIREMENTS", `${inCluster}!(PIN_POLICY = PINNED)`)
}

/** LOCKED: a VM that has it is CLONING until it is there (7.4 `VirtualMachine::insert`). */
const isCopied = (image: Image | undefined): boolean => image?.state === 4
const settledState = (hold: boolean): number => (hold ? VmState.hold : VmState.pending)

/** Its copy has failed: what waited for it is in CLONING_FAILURE (7.4 `LifeCycleStates.cc`, `trigger_disk_lock_success`). */
export const failCopying = (world: World, image: Image): void => {
  for (const vm of usersOf(world, image)) if (vm.state === VmState.cloning) vm.state = VmState.cloningFailure
}

/** An image is there: what waited for it is on hold or pending then, as it was made (7.4 `LifeCycleManager`, by SUBMIT_ON_HOLD). */
export const endCopying = (world: World, start: (vm: Vm) => void): void => {
  for (const vm of world.vms) {
    if (vm.state !== VmState.cloning) continue
    if (vm.template.vectors("DISK").some((disk) => isCopied(findImage(world, disk)))) continue
    const onHold = vm.template.get("SUBMIT_ON_HOLD") === "YES"
    vm.state = settledState(onHold)
    if (!onHold) start(vm)
  }
}

export interface VmOrder {
  /** Template and extra template merged. */
  readonly template: Template
  /** "" gives it its template's name and its id. */
  readonly name: string
  readonly fallbackName: string
  readonly hold: boolean
  readonly templateId: number
  readonly extra?: ReadonlyArray<Attribute>
}

/** Makes the VM in HOLD or PENDING, with its leases. Throws 0x4000 and leaves nothing behind when it cannot. */
export const buildVm = (world: World, owner: User, order: VmOrder): Vm => {
  const template = order.template.copy()
  template.remove("NAME")
  checkCapacity(template)
  const fault = order.name === "" ? undefined : nameFault(order.name)
  if (fault !== undefined) throw allocationError(fault)
  const user = new Template(template.attributes.filter((attribute) => !known.has(attribute.name)))
  template.keep((attribute) => known.has(attribute.name))
  return world.vms.add((id) => {
    const disks = template.vectors("DISK").map((disk, at) => buildDisk(world, owner, disk, at))
    const nics: Array<Vector> = []
    const wanted = template.vectors("NIC")
    for (const nic of wanted) {
      const network = findNetwork(world, owner, nic)
      if (typeof network === "string") throw allocationError(network)
    }
    for (const [at, given] of wanted.entries()) {
      const leased = leaseNic(world, owner, id, at, given)
      if (typeof leased === "string") {
        for (const taken of nics) releaseNic(world, id, taken)
        throw allocationError(leased)
      }
      nics.push(leased)
    }
    template.remove("DISK")
    template.remove("NIC")
    template.add(...disks, ...nics)
    if (order.hold) template.set("SUBMIT_ON_HOLD", "YES")
    const os = template.vectors("OS")[0] ?? vector("OS", {})
    template.remove("OS")
    template.add({ ...os, values: new Map([...os.values, ["UUID", uuidFor(`vm ${id}`)]]) })
    template.add(single("TEMPLATE_ID", order.templateId), single("VMID", id), ...(order.extra ?? []))
    addSecurityRules(world, template)
    fillContext(world, owner, template)
    addRequirements(template)
    const name = order.name === "" ? `${order.fallbackName}-${id}` : order.name
    return {
      id,
      name,
      ...ownedBy(world, owner),
      state: disks.some((disk) => isCopied(findImage(world, disk))) ? VmState.cloning : settledState(order.hold),
      lcm: 0,
      stime: world.now,
      etime: 0,
      deployId: "",
      template,
      userTemplate: user,
      history: [],
      countsAsRunning: true,
      overcounted: 0,
      turn: 0,
      resched: false
    }
  })
}

/** Images and datastores: what disks are copied from, and where they lie. */
import type { Methods } from "../method.js"
import { endCopying, failCopying, usersOf } from "../vms/build.js"
import { schedule } from "../vms/machine.js"
import { actionRefused, cannotAllocate, internalError } from "../wire/refusals.js"
import { int, string } from "../wire/values.js"
import { cdata, element, idList, wrap } from "../wire/xml.js"
import { requireRight, targetOf } from "../world/access.js"
import { nameFault } from "../world/names.js"
import type { Datastore, Image } from "../world/objects.js"
import {
  lockDocument,
  ownedBy,
  ownedMethods,
  ownerDocument,
  permissionDocument,
  rangeFrom,
  readTemplate,
  selectOwned
} from "../world/owned.js"
import { requireQuota } from "../world/quotas.js"
import type { World } from "../world/world.js"

const ready = 1
const inUse = 2
const disabled = 3
const locked = 4
const inError = 5

/** Its datastore is busy with it for so many ms: VMs that are made of it meanwhile wait for it, in vain if it `fails`. */
export const lockFor = (world: World, image: Image, milliseconds: number, fails = false): void => {
  image.state = locked
  world.later(milliseconds, () => {
    image.state = fails ? inError : ready
    if (fails) return failCopying(world, image)
    endCopying(world, (vm) => schedule(world, vm))
  })
}

const target = (image: Image) => targetOf("IMAGE", image)

const imageDocument = (world: World, image: Image): string => {
  const users = usersOf(world, image).map((vm) => vm.id)
  const state = users.length > 0 ? inUse : image.state
  return wrap(
    "IMAGE",
    ownerDocument(image) +
      permissionDocument(image.permissions) +
      lockDocument(image) +
      element("TYPE", image.type) +
      element("DISK_TYPE", 0) +
      element("PERSISTENT", image.persistent ? 1 : 0) +
      element("REGTIME", image.registered) +
      element("MODTIME", image.registered) +
      cdata("SOURCE", "dummy_path") +
      cdata("PATH", image.template.get("PATH") ?? "/dev/null") +
      cdata("FORMAT", "dummy_format") +
      cdata("FS", "") +
      element("SIZE", image.size) +
      element("STATE", state) +
      element("PREV_STATE", state) +
      element("RUNNING_VMS", users.length) +
      element("CLONING_OPS", 0) +
      element("CLONING_ID", -1) +
      element("TARGET_SNAPSHOT", -1) +
      element("DATASTORE_ID", image.datastore) +
      element("DATASTORE", world.datastores.find(image.datastore)?.name ?? "") +
      idList("VMS", users) +
      "<CLONES></CLONES><APP_CLONES></APP_CLONES>" +
      wrap("TEMPLATE", cdata("DEV_PREFIX", image.template.get("DEV_PREFIX") ?? "sd")) +
      wrap("SNAPSHOTS", cdata("ALLOW_ORPHANS", "NO") + cdata("CURRENT_BASE", -1) + cdata("NEXT_SNAPSHOT", 0)) +
      "<BACKUP_INCREMENTS></BACKUP_INCREMENTS><BACKUP_DISK_IDS></BACKUP_DISK_IDS>"
  )
}

const imagesIn = (world: World, datastore: Datastore): ReadonlyArray<Image> =>
  world.images.oldestFirst().filter((image) => image.datastore === datastore.id)

const free = (world: World, datastore: Datastore): number =>
  datastore.total - imagesIn(world, datastore).reduce((total, image) => total + image.size, 0)

/** No datastore document was recorded: this follows OpenNebula 7.4's `Datastore::to_xml`. */
const datastoreDocument = (world: World, datastore: Datastore): string =>
  wrap(
    "DATASTORE",
    ownerDocument(datastore) +
      permissionDocument(datastore.permissions) +
      cdata("DS_MAD", datastore.template.get("DS_MAD") ?? "-") +
      cdata("TM_MAD", "dummy") +
      cdata("BASE_PATH", `/var/lib/one//datastores/${datastore.id}`) +
      element("TYPE", datastore.type) +
      element("DISK_TYPE", 0) +
      element("STATE", datastore.state) +
      idList("CLUSTERS", [datastore.cluster]) +
      element("TOTAL_MB", datastore.total) +
      element("FREE_MB", free(world, datastore)) +
      element("USED_MB", datastore.total - free(world, datastore)) +
      idList(
        "IMAGES",
        imagesIn(world, datastore).map((image) => image.id)
      ) +
      wrap("TEMPLATE", datastore.template.toXml())
  )

const imageTypes: ReadonlyArray<string> = ["OS", "CDROM", "DATABLOCK", "KERNEL", "RAMDISK", "CONTEXT"]
const imageStore = 0
const fileStore = 2

const datastoreTarget = (datastore: Datastore) => targetOf("DATASTORE", datastore, [datastore.cluster])

const allocationError = (message: string) => cannotAllocate(`Error allocating a new image. ${message}`)

export const imageMethods: Methods = {
  ...ownedMethods<Image>({
    prefix: "image",
    kind: "IMAGE",
    pool: (world) => world.images,
    uniqueNames: true,
    template: (image) => image.template
  }),
  "one.image.allocate": ({ args, caller, world }) => {
    const [text, storeId] = [args.string(0), args.int(1)]
    const template = readTemplate(text, internalError)
    const store = world.datastores.get(storeId)
    requireRight(world, caller, "CREATE", { kind: "IMAGE" })
    requireRight(world, caller, "USE", datastoreTarget(store))
    const size = Number(template.get("SIZE") ?? 0)
    if (store.type !== imageStore && store.type !== fileStore)
      throw allocationError("New images can only be allocated in a files or image datastore.")
    if (size > free(world, store)) throw actionRefused("Not enough space in datastore")
    const amounts = new Map([
      ["SIZE", size],
      ["IMAGES", 1]
    ])
    const owner = { uid: caller.id, gid: caller.gid }
    requireQuota(world, caller.id, owner, { DATASTORE: new Map([[String(storeId), amounts]]) })
    const name = template.get("NAME") ?? ""
    const fault = nameFault(name)
    if (fault !== undefined) throw allocationError(fault)
    const rival = [...world.images].find((image) => image.name === name && image.uid === caller.id)
    if (rival !== undefined) throw allocationError(`NAME is already taken by IMAGE ${rival.id}.`)
    const type = Math.max(0, imageTypes.indexOf((template.get("TYPE") ?? "OS").toUpperCase()))
    const persistent = template.get("PERSISTENT")?.toUpperCase() === "YES"
    for (const known of ["NAME", "SIZE", "TYPE", "PERSISTENT"]) template.remove(known)
    const made = world.images.add((id) => ({
      id,
      name,
      ...ownedBy(world, caller),
      template,
      registered: world.now,
      size,
      type,
      datastore: storeId,
      state: locked,
      persistent
    }))
    lockFor(world, made, world.times.imageReady)
    return int(made.id)
  },
  "one.image.info": ({ args, caller, world }) => {
    const image = world.images.get(args.int(0))
    requireRight(world, caller, "USE", target(image))
    return string(imageDocument(world, image))
  },
  /** 7.4 `ImageManagerActions.cc`, `enable_image`. */
  "one.image.enable": ({ args, caller, world }) => {
    const [image, enable] = [world.images.get(args.int(0)), args.boolean(1)]
    requireRight(world, caller, "MANAGE", target(image))
    const from = enable ? [disabled, inError, ready] : [ready, inError, disabled]
    const state = usersOf(world, image).length > 0 ? inUse : image.state
    if (!from.includes(state)) throw internalError(`Image cannot be in state ${state}.`)
    image.state = enable ? ready : disabled
    return int(image.id)
  },
  "one.imagepool.info": (call) => {
    const images = selectOwned(call, call.world.images, target, rangeFrom(call))
    return string(wrap("IMAGE_POOL", images.map((image) => imageDocument(call.world, image)).join("")))
  },
  "one.image.delete": ({ args, caller, world }) => {
    const image = world.images.get(args.int(0))
    requireRight(world, caller, "MANAGE", target(image))
    const users = usersOf(world, image).length
    if (users > 0) throw actionRefused(`Cannot delete image. There are ${users} VMs using it.`)
    world.later(world.times.imageReady, () => world.images.remove(image.id))
    return int(image.id)
  },
  "one.datastore.info": ({ args, caller, world }) => {
    const datastore = world.datastores.get(args.int(0))
    requireRight(world, caller, "USE", datastoreTarget(datastore))
    return string(datastoreDocument(world, datastore))
  },
  "one.datastorepool.info": (call) => {
    const range = { flag: -2, start: -1, end: -1 }
    const stores = selectOwned(call, call.world.datastores, datastoreTarget, range)
    return string(wrap("DATASTORE_POOL", stores.map((store) => datastoreDocument(call.world, store)).join("")))
  },
  "one.datastore.delete": ({ args, caller, world }) => {
    const datastore = world.datastores.get(args.int(0))
    requireRight(world, caller, "MANAGE", datastoreTarget(datastore))
    if (imagesIn(world, datastore).length > 0)
      throw actionRefused(`Cannot delete datastore. Datastore ${datastore.id} is not empty.`)
    world.datastores.remove(datastore.id)
    return int(datastore.id)
  }
}

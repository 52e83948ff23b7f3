/**
 * States and types of other objects than VMs, by name. A number that a table does not know becomes `Unlisted(n)`, never
 * a failure.
 */
import { Schema } from "effect"
import { Int } from "./element.js"

/** `names[n]` is the name of `n`. */
export const named = <const Names extends ReadonlyArray<string>>(names: Names) => {
  type Name = Names[number] | `Unlisted(${number})`
  const isName = (input: unknown): input is Name => typeof input === "string"
  const nameOf = (value: number): Name => names[value] ?? `Unlisted(${value})`
  return Schema.transform(Int, Schema.declare(isName), {
    strict: true,
    decode: nameOf,
    encode: (name) => names.indexOf(name)
  })
}

/** OpenNebula 7.4 `VirtualNetwork::VirtualNetworkState` */
export const NetworkState = named(["Init", "Ready", "LockCreate", "LockDelete", "Done", "Error", "UpdateFailure"])
/** OpenNebula 7.4 `Image::ImageState` */
export const ImageState = named([
  "Init",
  "Ready",
  "Used",
  "Disabled",
  "Locked",
  "Error",
  "Clone",
  "Delete",
  "UsedPersistent",
  "LockedUsed",
  "LockedUsedPersistent"
])
/** OpenNebula 7.4 `Image::ImageType` */
export const ImageType = named(["Os", "Cdrom", "Datablock", "Kernel", "Ramdisk", "Context", "Backup", "Filesystem"])
/** OpenNebula 7.4 `Host::HostState` */
export const HostState = named([
  "Init",
  "MonitoringMonitored",
  "Monitored",
  "Error",
  "Disabled",
  "MonitoringError",
  "MonitoringInit",
  "MonitoringDisabled",
  "Offline"
])
/** OpenNebula 7.4 `Datastore::DatastoreType` */
export const DatastoreType = named(["Image", "System", "File", "Backup"])
/** OpenNebula 7.4 `Datastore::DatastoreState` */
export const DatastoreState = named(["Ready", "Disabled"])

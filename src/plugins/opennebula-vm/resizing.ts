/** Gives a VM other sizes, or its old ones back: each to be repeated without harm. */
import { Effect, Option } from "effect"
import type { ActionRefused, RefusedWithoutReason, Vm, VmState } from "../../opennebula/index.js"
import { OrderRefused, type SiteError } from "../../plugin/index.js"
import { queuedFor } from "../machines.js"
import type { Capacity } from "./change.js"
import { isResting, statusOf, whenWithin } from "./machine.js"
import type { VmOffering } from "./offering.js"
import { bringUp, byOthers, patience, powerOff, tryAgainIfFailed, unlessVanished, vanished } from "./power.js"
import { holdersOf, quotaRefusal } from "./quota.js"
import { notGiven } from "./room.js"

export const ownerless = (error: { readonly message: string }): OrderRefused =>
  new OrderRefused({
    customerMessage:
      "The machine's owner in the cloud does not exist any more, so it cannot be changed: ask the provider.",
    detail: error.message
  })

/** Once at rest, or still on its way after that. */
const atRest = (offering: VmOffering, vmId: number) => whenWithin(offering, vmId, isResting, patience * 1000)

/**
 * In Poweroff it is done when the call returns. One that is moved, saved or taken off its host by hand meanwhile (`PROLOG_MIGRATE_POWEROFF`, `BACKUP_POWEROFF`,
 * `EPILOG_UNDEPLOY`) takes nothing until that is over, and is asked again then; one that has been started is not. `enforce`: the host's capacity counts;
 * not on the way back.
 */
export const resize = (
  offering: VmOffering,
  vmId: number,
  capacity: Capacity,
  enforce: boolean
): Effect.Effect<void, SiteError> => {
  const call = offering.one.vm.resize(vmId, capacity, { enforce })
  return call.pipe(
    Effect.catchTag("ActionRefused", (error) =>
      Effect.flatMap(atRest(offering, vmId), (vm) =>
        Option.exists(vm, ({ state }) => isResizable(state)) ? call : notResized(vm, error)
      )
    ),
    Effect.catchTag("ActionRefused", (error) =>
      Effect.flatMap(whenWithin(offering, vmId, isResting, queuedFor), (vm) => notResized(vm, error))
    ),
    Effect.catchTag("NoSuchObject", () => vanished),
    Effect.catchTag("OwnerMissing", ownerless)
  )
}

/** Somebody may have started, stopped or ended it since it was powered off. None: it is on its way. */
const notResized = (vm: Option.Option<Vm>, { message, serverMessage }: ActionRefused): OrderRefused => {
  if (Option.exists(vm, ({ state }) => state === "Done")) return vanished
  return new OrderRefused({
    customerMessage: Option.match(vm, {
      onNone: () => busy,
      onSome: ({ state }) => (state === "Poweroff" ? notGiven(serverMessage) : byOthers)
    }),
    detail: message
  })
}

const busy =
  "The machine is being moved or saved in the cloud, so it was not changed: wait until that is over, then order again."

/**
 * Off again first, if the VM has come up with sizes that are not the ordered ones, and up again whatever comes of it: a later try, for what was
 * left over, finds the power-off itself taken back already. A VM that runs is not switched off for a resize that the quota will refuse.
 */
export const undoResize = (
  offering: VmOffering,
  vmId: number,
  running: boolean,
  capacity: Capacity
): Effect.Effect<void, SiteError> =>
  unlessVanished(
    Effect.gen(function* () {
      const vm = yield* offering.one.vm.info(vmId)
      if (hasCapacity(vm, capacity)) return
      if (!running) return yield* resize(offering, vmId, capacity, false)
      if (vm.state === "Running") yield* quotaAllows(offering, vm, capacity)
      yield* tryAgainIfFailed(offering, vmId)
      const { state } = yield* offering.one.vm.info(vmId)
      if (!isResizable(state)) yield* powerOff(offering, vmId)
      const resized = yield* Effect.either(resize(offering, vmId, capacity, false))
      yield* bringUp(offering, vmId)
      yield* resized
    })
  )

const isOff = (state: VmState): boolean => state === "Poweroff" || state === "Undeployed"
/** As it is (recorded): what waits for a host, or was taken off one by hand, cannot be powered off. */
const isResizable = (state: VmState): boolean => isOff(state) || state === "Pending"

const hasCapacity = (vm: Vm, { cpu, vcpu, memory }: Capacity): boolean =>
  (cpu === undefined || cpu === vm.cpu) &&
  (vcpu === undefined || vcpu === vm.vcpu) &&
  (memory === undefined || memory === vm.memory)

const quotaAllows = (offering: VmOffering, vm: Vm, { cpu, memory }: Capacity): Effect.Effect<void, SiteError> =>
  holdersOf(offering.one, vm).pipe(
    Effect.flatMap((holders) => {
      const growth = { cpu: (cpu ?? vm.cpu) - vm.cpu, memory: (memory ?? vm.memory) - vm.memory }
      return quotaRefusal(holders, vm, { capacity: growth, disk: 0, running: { vms: 0, ...growth } }) ?? Effect.void
    }),
    Effect.catchTag("NoSuchObject", () => Effect.void)
  )

/** Which disks with snapshots can be grown, OpenNebula knows by their driver and its release alone (OpenNebula/one, issues 4047 and 6292). */
const isForSnapshots = ({ message }: SiteError): boolean => message.includes("disk with snapshots")

/** A quota; or the machine's user or group was deleted, of which OpenNebula says nothing else. */
const notAllowed = (
  { one }: VmOffering,
  { gid, uid }: Pick<Vm, "gid" | "uid">,
  size: number,
  { message }: RefusedWithoutReason
): Effect.Effect<never, SiteError> =>
  Effect.all([one.user.info(uid), one.group.info(gid)], { concurrency: 2 }).pipe(
    Effect.catchTag("NoSuchObject", () => ownerless({ message })),
    Effect.zipRight(
      new OrderRefused({
        customerMessage: `The quota for disks does not allow one of ${size} MB, so the machine was left as it was: free some of it or have it raised, then order again.`,
        detail: message
      })
    )
  )

/** Sent when the VM is at rest, and over when it is so again: a `resume` in between would be refused. A driver's failure is silent. */
export const growDisk = (
  offering: VmOffering,
  vmId: number,
  disk: { readonly id: number; readonly size: number }
): Effect.Effect<void, SiteError> =>
  Effect.gen(function* () {
    const isGrown = (vm: Vm) => vm.disks.some(({ id, size }) => id === disk.id && size >= disk.size)
    const call = offering.one.vm.diskResize(vmId, disk.id, disk.size).pipe(
      Effect.as(Option.none<SiteError>()),
      // Grown, or growing, by an attempt whose answer was lost: then it is not smaller any more.
      Effect.catchTag("ActionRefused", (error) => Effect.succeedSome<SiteError>(error))
    )
    let refused = yield* call
    let rested = yield* atRest(offering, vmId)
    // Or moved, saved or taken off its host by hand just then.
    if (Option.isSome(refused) && Option.exists(rested, (vm) => isOff(vm.state) && !isGrown(vm))) {
      refused = yield* call
      rested = yield* atRest(offering, vmId)
    }
    if (Option.exists(rested, isGrown)) return
    if (Option.exists(rested, ({ state }) => state === "Done")) return yield* vanished
    return yield* new OrderRefused({
      customerMessage: Option.isNone(rested)
        ? busy
        : Option.exists(refused, isForSnapshots)
          ? "The disk has snapshots, so the cloud does not grow it, and the machine was left as it was: delete them, then order again."
          : "The disk could not be grown, so the machine was left as it was: try again later, or ask the provider.",
      detail: Option.match(refused, {
        onSome: (error) => error.message,
        // What its driver has said of it (OpenNebula 7.4 `TransferManager::_transfer`): that its datastore is full, say.
        onNone: () =>
          `VM ${vmId}, disk ${disk.id}: still smaller than ${disk.size} MB${Option.match(rested, { onNone: () => "", onSome: (vm) => `; it is ${statusOf(vm)}` })}`
      })
    })
  }).pipe(
    Effect.catchTag("RefusedWithoutReason", (error) =>
      Effect.flatMap(offering.one.vm.info(vmId), (vm) => notAllowed(offering, vm, disk.size, error))
    ),
    Effect.catchTags({ NoSuchObject: () => vanished, OwnerMissing: ownerless })
  )

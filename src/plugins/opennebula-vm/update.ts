/**
 * Gives a VM other sizes: look and refuse what cannot be, power off, CPU and memory, disk, resume, read back.
 *
 * In this order because a grown disk never shrinks again: of all that can be refused (quota, host capacity, driver) it comes last. If only the resume
 * after it fails, CPU and memory go back, and the customer is told that the disk stays. A VM that was powered off stays so, and so does one whose data centre
 * is paused meanwhile, for as long as that is.
 */
import { Effect, Option } from "effect"
import { isVmFailure, QuotaExceeded, type Vm, vmStateText } from "../../opennebula/index.js"
import {
  decide,
  ensure,
  ensureDone,
  type HandlerServices,
  mayBeBegunElsewhere,
  OrderRefused,
  type Outcome,
  printable,
  type SiteError,
  type UpdateRequest
} from "../../plugin/index.js"
import { isLocked, lockedRefusal } from "../locks.js"
import { isUnder } from "../standing.js"
import { Before, beforeOf, type Change, capacityBefore, changeOf, diskRefusal } from "./change.js"
import {
  belongsTo,
  factsOf,
  findVm,
  isOthers,
  isResting,
  notOurs,
  statusOf,
  VmFacts,
  vmIdOf,
  whenWithin,
  whereItIs
} from "./machine.js"
import type { VmOffering } from "./offering.js"
import { keptAccess } from "./ordered/inference.js"
import { bootDisk, orderedSizes, type Sizes, sizesOf } from "./ordered/sizes.js"
import { outcomeOf } from "./outcome.js"
import { bringUp, powerOff, startedUnlessPaused, vanished } from "./power.js"
import { countsIn, holdersOf, quotaRefusal, type Wanted } from "./quota.js"
import { growDisk, ownerless, resize, undoResize } from "./resizing.js"
import { hostOf, roomRefusal, stepRefusal } from "./room.js"

export const updateVm =
  (offering: VmOffering) =>
  (request: UpdateRequest): Effect.Effect<Outcome, SiteError, HandlerServices> =>
    Effect.gen(function* () {
      const ordered = yield* orderedSizes(offering.components, request.amounts)
      const isElsewhere = yield* mayBeBegunElsewhere
      const before = yield* decide("before", Before, look(offering, request, ordered, isElsewhere), ({ facts }) =>
        isOthers(offering, request.resource)(facts.id)
      )
      const change = changeOf(before, ordered, offering.settings.disk_shrink)
      const { id } = before.facts
      const access = { metadata: keptAccess(request.resource.backendMetadata) }
      const { capacity, disk } = change
      if (change.none) return outcomeOf(offering, before.facts, access)

      if (before.running) yield* ensureDone("poweroff", powerOff(offering, id), bringUp(offering, id))
      if (capacity !== undefined) {
        yield* ensureDone(
          "capacity",
          resize(offering, id, capacity, true),
          undoResize(offering, id, before.running, capacityBefore(before, capacity))
        )
      }
      if (disk !== undefined) yield* ensureDone("disk", growDisk(offering, id, disk))
      const after = yield* before.running
        ? ensure("resume", { result: VmFacts, perform: resume(offering, id, change) })
        : ensure("read back", { result: VmFacts, perform: readBack(offering, id, change) })
      return outcomeOf(offering, after, access)
    }).pipe(Effect.catchIf(isLocked, () => lockedRefusal("machine")))

/**
 * Reads the VM, and refuses here all that can be refused before it is touched.
 *
 * Not every update order asks for another size: a renewal of what is paid in advance names the limits that there are, and one of changed options
 * names none (source: waldur-mastermind, marketplace/views.py, `renew` and `update_options`). Whatever the machine is doing, these are carried out;
 * what has run out and is renewed is paused, as a rule.
 */
const look = (
  offering: VmOffering,
  { resource }: UpdateRequest,
  ordered: Partial<Sizes>,
  isElsewhere: boolean
): Effect.Effect<Before, SiteError> =>
  Effect.gen(function* () {
    const vmId = vmIdOf(resource.backendId)
    if (vmId === undefined) {
      return yield* new OrderRefused({
        customerMessage: "The resource has no machine in the cloud that could be changed: ask the provider.",
        detail: `backend_id "${printable(resource.backendId)}" is no VM id`
      })
    }
    const found = yield* findVm(offering, vmId)
    if (Option.isNone(found)) return yield* vanished
    if (!belongsTo(offering, resource, found.value)) return yield* notOurs(resource, found.value)
    const asItIs = beforeOf(found.value)
    if (changeOf(asItIs, ordered, offering.settings.disk_shrink).none) return asItIs
    if (isUnder(found.value.userTemplate) === "paused") {
      return yield* new OrderRefused({
        customerMessage: "The machine is paused and cannot be changed now: have it resumed, then order again."
      })
    }
    const vm = yield* atRest(offering, found.value)
    if (vm.state === "Done") return yield* vanished
    if (vm.state !== "Running" && vm.state !== "Poweroff") return yield* notChangeable(offering, vm)
    const before =
      isElsewhere && (yield* isOffForThis(offering, vm)) ? { ...beforeOf(vm), running: true } : beforeOf(vm)
    const shrinks = diskRefusal(before, ordered, offering.settings.disk_shrink)
    if (shrinks !== undefined) return yield* shrinks
    yield* checkRoom(offering, vm, before, changeOf(before, ordered, offering.settings.disk_shrink))
    return before
  })

/** What its customer can do about it is in the sentence, what an operator has to look at beside it. */
const notChangeable = (offering: VmOffering, vm: Vm) =>
  Effect.flatMap(whereItIs(offering, vm.id), (where) => {
    const why = isVmFailure(vm.state)
      ? "The machine has failed in the cloud, so it cannot be changed: ask the provider to look at it, then order again."
      : vm.state === "Unknown"
        ? "The cloud does not know at present whether the machine runs, so it cannot be changed: try again later, or ask the provider."
        : `The machine can be changed when it runs or is powered off, but it is ${vmStateText(vm.state).toLowerCase()} now.`
    return new OrderRefused({ customerMessage: why, detail: `VM ${vm.id} is ${statusOf(vm)}${where}` })
  })

/** Switched off by the agent's own user, of an order that another agent may have begun: that was for the order, and the machine ran before. */
const isOffForThis = ({ one }: VmOffering, { id, state }: Vm): Effect.Effect<boolean, SiteError> =>
  state !== "Poweroff"
    ? Effect.succeed(false)
    : Effect.zipWith(one.vm.info(id), one.user.info(-1), ({ switchedOffBy }, agent) =>
        Option.contains(switchedOffBy, agent.id)
      )

/** Somebody may just be restarting it. */
const atRest = (offering: VmOffering, vm: Vm): Effect.Effect<Vm, SiteError> =>
  isResting(vm)
    ? Effect.succeed(vm)
    : Effect.flatMap(
        whenWithin(offering, vm.id, isResting, offering.settings.poweroff_timeout * 1000),
        Option.match({
          onSome: (rested) => Effect.succeed(rested),
          onNone: () =>
            new OrderRefused({
              customerMessage: `The machine is busy (${vmStateText(vm.state).toLowerCase()}): wait until it runs, then order again.`
            })
        })
      )

/** What a power-off would be for nothing for. Both are asked in the same moment; of one that is off already, the host says so itself. */
const checkRoom = (offering: VmOffering, vm: Vm, before: Before, change: Change): Effect.Effect<void, SiteError> =>
  change.none
    ? Effect.void
    : Effect.gen(function* () {
        const wanted = wantedBy(vm, before, change)
        const { capacity } = wanted
        const [holders, host] = yield* Effect.all(
          [
            holdersOf(offering.one, vm),
            before.running && capacity !== undefined ? hostOf(offering.one, vm) : Effect.succeedNone
          ],
          { concurrency: "unbounded" }
        )
        const refused =
          quotaRefusal(holders, vm, wanted, countsIn(bootDisk(vm))) ??
          (Option.isSome(host) && capacity !== undefined ? roomRefusal(host.value, capacity) : undefined) ??
          (change.capacity?.vcpu === undefined ? undefined : stepRefusal(vm, change.capacity.vcpu))
        if (refused !== undefined) return yield* refused
      }).pipe(
        Effect.catchTag("NoSuchObject", (error) =>
          error.method === "one.user.info"
            ? ownerless(error)
            : new OrderRefused({
                customerMessage:
                  "The virtual data centre of the machine does not exist any more, so it cannot be changed."
              })
        )
      )

/** A machine that is started again is counted as running anew, whatever of it has changed (OpenNebula 7.4 `VirtualMachineAPI::action`). */
const wantedBy = (vm: Vm, before: Before, { capacity, disk }: Change): Wanted => {
  const cpu = capacity?.cpu ?? before.cpu
  const memory = capacity?.memory ?? vm.memory
  const counted = vm.state === "Running" ? { vms: 1, cpu: vm.cpu, memory: vm.memory } : { vms: 0, cpu: 0, memory: 0 }
  return {
    capacity: capacity === undefined ? undefined : { cpu: cpu - vm.cpu, memory: memory - vm.memory },
    disk: disk === undefined ? 0 : disk.size - before.facts.sizes.disk,
    running: before.running
      ? { vms: 1 - counted.vms, cpu: cpu - counted.cpu, memory: memory - counted.memory }
      : undefined
  }
}

const resume = (offering: VmOffering, vmId: number, change: Change): Effect.Effect<VmFacts, SiteError> => {
  const stays =
    change.disk === undefined ? "" : ` Its disk has grown to ${change.disk.size} MB and cannot shrink again.`
  return startedUnlessPaused(
    offering,
    vmId,
    `The machine could not be started with the ordered sizes, so they are taken back.${stays}`
  ).pipe(
    Effect.flatMap((vm) => verified(vm, change)),
    Effect.catchIf(
      (error) => error instanceof QuotaExceeded,
      (error) => new OrderRefused({ customerMessage: `${error.customerMessage}${stays}`, detail: error.message })
    )
  )
}

const readBack = (offering: VmOffering, vmId: number, change: Change): Effect.Effect<VmFacts, SiteError> =>
  Effect.flatMap(findVm(offering, vmId), Option.match({ onNone: () => vanished, onSome: (vm) => verified(vm, change) }))

/** OpenNebula takes a resize of nonsense for a success (recordings 108 to 115), so what counts is what it says afterwards. */
const verified = (vm: Vm, { target }: Change): Effect.Effect<VmFacts, OrderRefused> => {
  const actual = sizesOf(vm)
  return actual.vcpu === target.vcpu && actual.ram === target.ram && actual.disk === target.disk
    ? Effect.succeed(factsOf(vm))
    : new OrderRefused({
        customerMessage: "The cloud did not give the machine the ordered sizes: try again later, or ask the provider.",
        detail: `VM ${vm.id} has ${JSON.stringify(actual)} instead of ${JSON.stringify(target)}`
      })
}

/** `one.vm.*`: virtual machines. OK means queued: whether an action succeeded, only reading back tells. */
import { Effect } from "effect"
import { OrderRefused } from "../../core/errors.js"
import type { OpenNebulaClient } from "../client.js"
import type { OpenNebulaError } from "../errors.js"
import { documentOf } from "../model/element.js"
import { type HistoryRecord, historyPool } from "../model/history.js"
import {
  inShortForm,
  type SeenVm,
  seenVmPool,
  type Vm,
  type VmShort,
  vmPool,
  vmShortPool,
  WholeVm
} from "../model/vm.js"
import type { TemplateUnencodable } from "../template/serialize.js"
import { single } from "../template/template.js"
import type { Answer } from "../wire/answer.js"
import { type Call, chmod, chown, command, everything, updates, withTemplate } from "./support.js"

const info = documentOf(WholeVm)

/** OpenNebula 7.4 `one.vm.action`; which one in which state: ActionRefused tells. */
export type VmAction =
  | "terminate"
  | "terminate-hard"
  | "poweroff"
  | "poweroff-hard"
  | "resume"
  | "reboot"
  | "reboot-hard"
  | "suspend"
  | "stop"
  | "undeploy"
  | "undeploy-hard"
  | "hold"
  | "release"
  | "resched"
  | "unresched"

/** What is left out stays as it is. */
export interface Capacity {
  /** cores, may be a fraction, over 0 */
  readonly cpu?: number
  readonly vcpu?: number
  /** MB */
  readonly memory?: number
}

/** Of `one.vm.recover`: 0 failure, 1 success, 2 retry, 3 delete (OpenNebula 7.4). */
const retryOperation = 2

/** -1: all but Done, -2: all, else one state's number. */
const notDone = -1
const anyState = -2
const onHold = 2
const stateParam = (includeDone: boolean | undefined): number => (includeDone === true ? anyState : notDone)

const lockEverything = 1

/**
 * Of `infoset`: some 5 MB of answer. The front-end writes one while another is on its way and is read; more at once would take places from orders.
 */
const vmsPerCall = 1_000
const callsAtOnce = 2
/** How often a call is asked again whose answer came in another's form. */
const formTries = 5

const chunksOf = <A>(all: ReadonlyArray<A>, size: number): ReadonlyArray<ReadonlyArray<A>> =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size))

const capacityProblem = (capacity: Capacity): string | undefined => {
  if (capacity.cpu !== undefined && !(Number.isFinite(capacity.cpu) && capacity.cpu > 0)) {
    return `The CPU capacity ${capacity.cpu} is not a number over 0.`
  }
  for (const [name, value] of [
    ["vCPU count", capacity.vcpu],
    ["memory size in MB", capacity.memory]
  ] as const) {
    if (value !== undefined && !(Number.isInteger(value) && value > 0))
      return `The ${name} ${value} is not a whole number over 0.`
  }
  if (capacity.cpu === undefined && capacity.vcpu === undefined && capacity.memory === undefined) {
    return "The new size names neither CPU, nor vCPU, nor memory."
  }
  return undefined
}

const infoset = <A>(
  client: OpenNebulaClient,
  vmIds: ReadonlyArray<number>,
  extended: boolean,
  answer: Answer<ReadonlyArray<A>>
): Call<ReadonlyArray<A>> =>
  Effect.map(
    Effect.forEach(
      chunksOf([...new Set(vmIds)], vmsPerCall),
      (some) =>
        client.call("one.vmpool.infoset", [some.join(","), extended], answer).pipe(
          Effect.retry({
            times: formTries,
            while: (error) => error._tag === "MalformedAnswer" && error.reason === inShortForm
          })
        ),
      { concurrency: callsAtOnce }
    ),
    (found) => found.flat()
  )

export const vmCalls = (client: OpenNebulaClient) => ({
  /** `one.vm.info`, also of a VM that is Done (recordings 081, 187). NoSuchObject. */
  info: (vmId: number): Call<WholeVm> => client.call("one.vm.info", [vmId], info),

  /** `one.vmpool.info`: without USER_TEMPLATE, so without owner tags (recordings 213, 214). */
  list: (options: { readonly includeDone?: boolean } = {}): Call<ReadonlyArray<VmShort>> =>
    client.call("one.vmpool.info", [...everything, stateParam(options.includeDone)], vmShortPool),

  /** `one.vmpool.infoextended`: with tags and context (recording 212); some 2.5 kB a VM. */
  listExtended: (options: { readonly includeDone?: boolean } = {}): Call<ReadonlyArray<Vm>> =>
    client.call("one.vmpool.infoextended", [...everything, stateParam(options.includeDone)], vmPool),

  /**
   * The same of those on hold: few, however large the cloud is, as only what is being made is there (OpenNebula 7.4 `VirtualMachinePoolAPI::info`: the
   * state is a condition of its database's).
   */
  listOnHold: (): Call<ReadonlyArray<Vm>> => client.call("one.vmpool.infoextended", [...everything, onHold], vmPool),

  /**
   * `one.vmpool.infoset`: these VMs, 1,000 in a call, whatever their state; unknown ids are left out (recordings 227, 228).
   *
   * The front-end keeps which form was asked for in the method, which all its connections share (OpenNebula 7.4 `VirtualMachinePoolAPI::info_set`,
   * `PoolSharedAPI::extended`): where somebody asks for the short one in the same moment (our own watcher, OneFlow), this one may be answered in it,
   * and is asked again.
   */
  infoset: (vmIds: ReadonlyArray<number>): Call<ReadonlyArray<Vm>> => infoset(client, vmIds, true, vmPool),

  /**
   * How these VMs are and no more: `infoset` in the short form of `one.vmpool.info` (recording 213; OpenNebula 7.4
   * `VirtualMachinePoolAPI::info_set`), some 1.5 kB each where the long one has 5.
   */
  states: (vmIds: ReadonlyArray<number>): Call<ReadonlyArray<SeenVm>> => infoset(client, vmIds, false, seenVmPool),

  /**
   * `one.vm.action`. ActionRefused in a wrong state, ObjectLocked, QuotaExceeded on `resume` (recordings 088 to 096,
   * 377).
   */
  action: (vmId: number, action: VmAction): Call<void> => command(client, "one.vm.action", [action, vmId]),

  /**
   * `one.vm.recover` with "retry": what the driver failed at last (a boot, a copy) is tried again (recording 194). ActionRefused for a VM that
   * has not failed.
   */
  retry: (vmId: number): Call<void> => command(client, "one.vm.recover", [vmId, retryOperation]),

  /**
   * `one.vm.resize` (recordings 085, 097). In Poweroff it is done when the call returns; live it passes through
   * HotplugResize and may fail silently. `enforce` makes the host's capacity and the quota count. The front-end answers
   * OK to `CPU="0"`, `VCPU="1.5"` or nothing (recordings 108 to 114), so numbers are checked before: OrderRefused.
   * QuotaExceeded, ActionRefused.
   */
  resize: (
    vmId: number,
    capacity: Capacity,
    options: { readonly enforce?: boolean } = {}
  ): Effect.Effect<void, OpenNebulaError | TemplateUnencodable | OrderRefused> => {
    const problem = capacityProblem(capacity)
    if (problem !== undefined) return Effect.fail(new OrderRefused({ customerMessage: problem }))
    const template = [
      ...(capacity.cpu === undefined ? [] : [single("CPU", capacity.cpu)]),
      ...(capacity.vcpu === undefined ? [] : [single("VCPU", capacity.vcpu)]),
      ...(capacity.memory === undefined ? [] : [single("MEMORY", capacity.memory)])
    ]
    return withTemplate(template, (text) => command(client, "one.vm.resize", [vmId, text, options.enforce ?? true]))
  },

  /**
   * `one.vm.diskresize` to `size` MB; a disk only grows (recordings 099, 102, 103: ActionRefused). Passes through
   * DiskResizePoweroff or DiskResize: wait for the old state before the next action, and read the size back.
   */
  diskResize: (vmId: number, diskId: number, size: number): Effect.Effect<void, OpenNebulaError | OrderRefused> =>
    Number.isInteger(size) && size > 0
      ? command(client, "one.vm.diskresize", [vmId, diskId, String(size)])
      : Effect.fail(new OrderRefused({ customerMessage: `The disk size ${size} MB is not a whole number over 0.` })),

  /** `one.vm.update`: USER_TEMPLATE (recordings 122, 123). */
  ...updates(client, "one.vm.update"),

  /** `one.vm.chown`: moves it into the new group's quota as well (recording 078). QuotaExceeded. */
  chown: chown(client, "one.vm.chown"),

  chmod: chmod(client, "one.vm.chmod"),

  /**
   * `one.vm.lock` at level 1, USE: every action on it is refused, oneadmin's too, until `unlock` (recordings 144 to 148). ObjectLocked if it
   * is locked already.
   */
  lock: (vmId: number): Call<void> => command(client, "one.vm.lock", [vmId, lockEverything]),

  /** `one.vm.unlock` (recording 148). */
  unlock: (vmId: number): Call<void> => command(client, "one.vm.unlock", [vmId]),

  /** `one.vm.rename` (recordings 121, 432 to 434). VM names need not be unique. InvalidName. */
  rename: (vmId: number, name: string): Call<void> => command(client, "one.vm.rename", [vmId, name]),

  /**
   * `one.vmpool.accounting`: the records of all VMs, Done or not, that lie at least partly between two moments (seconds since 1970, -1 open;
   * recordings 245, 246). Some 8 kB each on the wire, of which little is kept.
   */
  accounting: (from: number, to: number): Call<ReadonlyArray<HistoryRecord>> =>
    client.call("one.vmpool.accounting", [-2, from, to], historyPool)
})

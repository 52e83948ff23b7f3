/** Has a VM's host room for its new sizes? Asked before it is powered off for nothing. */
import { Effect, type Option } from "effect"
import type { Host, OpenNebulaError, OpenNebulaService, Vm } from "../../opennebula/index.js"
import { OrderRefused } from "../../plugin/index.js"

const noRoom = "The cloud has no room for the ordered sizes where the machine is: order less, or try again later."

const unarranged = (vcpuStep?: number): string =>
  `The cloud arranges this machine's cores so that it cannot have so many${vcpuStep === undefined ? "" : `, but a multiple of ${vcpuStep}`}: order another number, or ask the provider.`

/** Of a machine whose template says how its cores are arranged. */
export const stepRefusal = ({ id, vcpuStep }: Pick<Vm, "id" | "vcpuStep">, vcpu: number): OrderRefused | undefined =>
  vcpu % vcpuStep === 0
    ? undefined
    : new OrderRefused({
        customerMessage: unarranged(vcpuStep),
        detail: `VM ${id}: SOCKETS and THREADS of its TOPOLOGY`
      })

/** Why OpenNebula has refused a resize of a machine that is off: the arrangement of its cores (7.4 `VirtualMachine::resize`), or its host. */
export const notGiven = (serverMessage: string): string =>
  /\b(threads|cores|sockets|topology|NUMA)\b/i.test(serverMessage) ? unarranged() : noRoom

/** The one that it is on, also while it is off. None where it is gone, never was anywhere, or is not shown: a look is no reason to stop. */
export const hostOf = (
  one: OpenNebulaService,
  { history }: Pick<Vm, "history">
): Effect.Effect<Option.Option<Host>, OpenNebulaError> => {
  const last = history.at(-1)
  return last === undefined
    ? Effect.succeedNone
    : Effect.asSome(one.host.info(last.hostId)).pipe(
        Effect.catchTag("NoSuchObject", "NotAuthorized", () => Effect.succeedNone)
      )
}

/**
 * What is given away counts, not what is used (OpenNebula 7.4 `HostShare::test_compute`). Of what shrinks, and of cores and nodes of a host that a VM has for
 * itself, it has the say alone.
 */
export const roomRefusal = (
  { given, id, name }: Host,
  more: { readonly cpu: number; readonly memory: number }
): OrderRefused | undefined => {
  const cpu = Math.round(more.cpu * 100)
  const memory = more.memory * 1024
  const lacks = [
    ...(cpu > 0 && given.cpu + cpu > given.maxCpu ? [`${(given.maxCpu - given.cpu) / 100} cores`] : []),
    ...(memory > 0 && given.memory + memory > given.maxMemory
      ? [`${Math.floor((given.maxMemory - given.memory) / 1024)} MB`]
      : [])
  ]
  return lacks.length === 0
    ? undefined
    : new OrderRefused({
        customerMessage: noRoom,
        detail: `host ${id} (${name}) has ${lacks.join(" and ")} left to give`
      })
}

/** `one.vrouter.*`: virtual routers. Their names need not be unique. */
import type { OpenNebulaClient } from "../client.js"
import { documentOf, poolOf } from "../model/element.js"
import { VirtualRouter } from "../model/router.js"
import type { Template } from "../template/template.js"
import { type Call, chown, command, everything, id, type TemplateCall, updates, withTemplate } from "./support.js"

const info = documentOf(VirtualRouter)

export interface RouterInstance {
  /** At least 1: 0 and -1 answer OK and make none (recordings 338, 339). */
  readonly count: number
  readonly templateId: number
  /** `%i` stands for the number of the VM. */
  readonly name: string
  readonly hold?: boolean
  readonly extra?: Template
}

export const routerCalls = (client: OpenNebulaClient) => ({
  /** `one.vrouterpool.info` (recording 207). */
  list: (): Call<ReadonlyArray<VirtualRouter>> =>
    client.call("one.vrouterpool.info", everything, poolOf("VROUTER", VirtualRouter)),

  /** `one.vrouter.info` (recording 055). NoSuchObject. */
  info: (routerId: number): Call<VirtualRouter> => client.call("one.vrouter.info", [routerId], info),

  /**
   * `one.vrouter.allocate` (recording 050): the new router's id, without VMs. `NAME`, `NIC=[NETWORK_ID, FLOATING_IP,
   * IP]` ... (errors: recordings 419 to 422).
   */
  allocate: (template: Template): TemplateCall<number> =>
    withTemplate(template, (text) => client.call("one.vrouter.allocate", [text], id)),

  /**
   * `one.vrouter.instantiate` (recording 054). It answers the router's id; read its VMs by `info`. They belong to the
   * caller's group whatever the router's is: `chown` afterwards. ActionRefused for a template that is no router's
   * (recording 337).
   */
  instantiate: (routerId: number, instance: RouterInstance): TemplateCall<void> =>
    withTemplate(instance.extra ?? [], (text) =>
      command(client, "one.vrouter.instantiate", [
        routerId,
        instance.count,
        instance.templateId,
        instance.name,
        instance.hold ?? false,
        text
      ])
    ),

  /** `one.vrouter.update`. */
  ...updates(client, "one.vrouter.update"),

  /** `one.vrouter.chown` (recording 052). After `instantiate` it moves the VMs, and their share of the quota, too. */
  chown: chown(client, "one.vrouter.chown"),

  /**
   * `one.vrouter.delete` (recording 469). The router is gone at once; its VMs end asynchronously and hold their leases
   * until they are Done. Note their ids first.
   */
  delete: (routerId: number): Call<void> => command(client, "one.vrouter.delete", [routerId])
})

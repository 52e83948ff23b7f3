/** `one.group.*`: groups and their quotas. */
import { Effect } from "effect"
import { OrderRefused } from "../../core/errors.js"
import type { OpenNebulaClient } from "../client.js"
import { documentOf, poolOf } from "../model/element.js"
import { Group, GroupPart, GroupQuotas, GroupShort, type GroupWithQuotas, groupsOf } from "../model/group.js"
import type { TemplateUnencodable } from "../template/serialize.js"
import { type Quota, quotaProblem, quotaTemplate } from "./quota.js"
import { type Call, command, id, updates, withTemplate } from "./support.js"

const info = documentOf(Group)

export const groupCalls = (client: OpenNebulaClient) => ({
  /** `one.grouppool.info`: all groups, newest first, without quotas (recording 204). */
  list: (): Call<ReadonlyArray<GroupShort>> => client.call("one.grouppool.info", [], poolOf("GROUP", GroupShort)),

  /** `one.grouppool.info`: the quotas and usage of all groups in one call (recording 204). */
  listQuotas: (): Call<ReadonlyArray<GroupQuotas>> =>
    client.call("one.grouppool.info", [], poolOf("QUOTAS", GroupQuotas)),

  /** `one.grouppool.info`: all groups with quotas and usage, from one answer (recording 204). */
  listWithQuotas: (): Call<ReadonlyArray<GroupWithQuotas>> =>
    Effect.map(client.call("one.grouppool.info", [], poolOf(["GROUP", "QUOTAS"], GroupPart)), groupsOf),

  /** `one.group.info` with quotas and usage (recording 118). -1 is the caller's own group. NoSuchObject. */
  info: (groupId: number): Call<Group> => client.call("one.group.info", [groupId], info),

  /**
   * `one.group.allocate` (recording 031): the new group's id. It starts in VDC 0, which has the whole zone, and has no
   * right to create anything. NameTaken, InvalidName (a space, `:`, `<`, over 128 characters; recordings 387 to 396).
   */
  allocate: (name: string): Call<number> => client.call("one.group.allocate", [name], id),

  /** `one.group.update` (recording 435). `append` keeps what it does not name. */
  ...updates(client, "one.group.update"),

  /**
   * `one.group.delete` (recordings 442, 456). ActionRefused while it has users; VMs, networks and routers in it do NOT
   * stop it and are orphaned: look first. Rules made by `acl.addRule` outlive it.
   */
  delete: (groupId: number): Call<void> => command(client, "one.group.delete", [groupId]),

  /** `one.group.addadmin` (recording 065). InternalRefusal if the user is one. */
  addAdmin: (groupId: number, userId: number): Call<void> => command(client, "one.group.addadmin", [groupId, userId]),

  /** `one.group.deladmin`. InternalRefusal if the user is none. */
  deleteAdmin: (groupId: number, userId: number): Call<void> =>
    command(client, "one.group.deladmin", [groupId, userId]),

  /**
   * `one.group.quota` (recordings 048, 069, 074). Sections left out are kept; VM metrics left out of `vm` are reset to
   * the default. The front-end answers OK to nonsense (recordings 363 to 368), so numbers are checked before
   * (OrderRefused) and should be read back (`unmetQuota`).
   */
  quota: (
    groupId: number,
    quota: Quota
  ): Effect.Effect<void, Effect.Effect.Error<Call<void>> | TemplateUnencodable | OrderRefused> => {
    const problem = quotaProblem(quota)
    return problem === undefined
      ? withTemplate(quotaTemplate(quota), (text) => command(client, "one.group.quota", [groupId, text]))
      : Effect.fail(new OrderRefused({ customerMessage: problem }))
  }
})

/** `one.acl.*`: access rules. Only an administrator may read them (recording 239). */
import type { OpenNebulaClient } from "../client.js"
import {
  type AclResource,
  type AclRight,
  AclRule,
  type AclRuleSpec,
  type AclTarget,
  aclAll,
  aclGroup,
  encodeAclRule
} from "../model/acl.js"
import { poolOf } from "../model/element.js"
import { type Call, command, id } from "./support.js"

/** A rule for a group. `target` and `zone` are "all" where they are left out. */
export interface GroupRule {
  readonly group: number
  readonly resources: ReadonlyArray<AclResource>
  readonly rights: ReadonlyArray<AclRight>
  readonly target?: AclTarget
  readonly zone?: AclTarget
}

/** `@100 VM+NET/* CREATE *` is `{ group: 100, resources: ["VM", "NET"], rights: ["CREATE"] }`. */
export const groupRule = (rule: GroupRule): AclRuleSpec => ({
  user: aclGroup(rule.group),
  resources: rule.resources,
  rights: rule.rights,
  target: rule.target ?? aclAll,
  zone: rule.zone ?? aclAll
})

export const aclCalls = (client: OpenNebulaClient) => ({
  /** `one.acl.info` (recording 068). */
  list: (): Call<ReadonlyArray<AclRule>> => client.call("one.acl.info", [], poolOf("ACL", AclRule)),

  /**
   * `one.acl.addrule` (recordings 067, 165): the new rule's id. InternalRefusal "already exists" (recording 168). It
   * outlives the group it is for.
   */
  addRule: (rule: AclRuleSpec): Call<number> => client.call("one.acl.addrule", [...encodeAclRule(rule)], id),

  /** `one.acl.delrule`. InternalRefusal "Rule n does not exist" (recording 167). */
  deleteRule: (ruleId: number): Call<void> => command(client, "one.acl.delrule", [ruleId])
})

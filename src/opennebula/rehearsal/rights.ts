/**
 * The rules that come and go with VDCs, groups and networks (OpenNebula 7.4, recordings 034, 046, 478, 480): a handler that takes some of
 * them back must find them in a rehearsal as well.
 */
import { groupRule } from "../calls/acl.js"
import { type AclRule, type AclRuleSpec, aclCluster, aclId, sameAclRule } from "../model/acl.js"
import type { Vdc } from "../model/vdc.js"

/** What a cluster in a VDC gives to a group of it. */
const ofCluster = (group: number, zone: number, cluster: number): ReadonlyArray<AclRuleSpec> => {
  const rule = { group, target: aclCluster(cluster), zone: aclId(zone) }
  return [
    groupRule({ ...rule, resources: ["HOST"], rights: ["MANAGE"] }),
    groupRule({ ...rule, resources: ["NET"], rights: ["USE"] }),
    groupRule({ ...rule, resources: ["DATASTORE"], rights: ["USE"] })
  ]
}

const ofNetwork = (group: number, zone: number, network: number): AclRuleSpec =>
  groupRule({ group, resources: ["NET"], rights: ["USE"], target: aclId(network), zone: aclId(zone) })

export class Rights {
  private readonly groups = new Map<number, ReadonlyArray<number>>()
  private readonly added: Array<AclRule> = []
  private readonly removed: Array<(rule: AclRule) => boolean> = []

  constructor(private readonly newId: () => number) {}

  /** A group in a VDC that would be made; what it gets there comes with its clusters and networks. */
  joins(vdc: number, group: number): void {
    this.groups.set(vdc, [...(this.groups.get(vdc) ?? []), group])
  }

  getsCluster(vdc: number, zone: number, cluster: number): void {
    for (const group of this.groups.get(vdc) ?? []) for (const rule of ofCluster(group, zone, cluster)) this.add(rule)
  }

  getsNetwork(vdc: number, zone: number, network: number): void {
    for (const group of this.groups.get(vdc) ?? []) this.add(ofNetwork(group, zone, network))
  }

  add(rule: AclRuleSpec): number {
    const id = this.newId()
    this.added.push({ id, rule, text: "" })
    return id
  }

  delete(id: number): void {
    this.removed.push((rule) => rule.id === id)
  }

  /** A VDC goes with all that it gave. */
  ends({ groups, clusters, networks }: Vdc): void {
    const given = groups.flatMap((group) => [
      ...clusters.flatMap(({ zone, id }) => ofCluster(group, zone, id)),
      ...networks.map(({ zone, id }) => ofNetwork(group, zone, id))
    ])
    this.removed.push(({ rule }) => given.some((one) => sameAclRule(one, rule)))
  }

  /** A network goes out of every VDC that has it. */
  losesNetwork(network: number): void {
    this.removed.push(
      ({ rule }) =>
        rule.target._tag === "Id" &&
        rule.target.id === network &&
        rule.resources.length === 1 &&
        rule.resources[0] === "NET"
    )
  }

  over(rules: ReadonlyArray<AclRule>): ReadonlyArray<AclRule> {
    return [...rules, ...this.added].filter((rule) => !this.removed.some((isIt) => isIt(rule)))
  }
}

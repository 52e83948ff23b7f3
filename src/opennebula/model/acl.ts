/**
 * Access rules: who (USER) may do what (RIGHTS) with which objects (RESOURCE), in which ZONE.
 *
 * On the wire each part is a 64-bit number in hexadecimal, beyond what a JavaScript number or the wire's integers hold.
 * Bits 32 to 35 say what the lower 32 bits mean: 0x1 one id (`#5`), 0x2 a group (`@100`), 0x4 all (`*`), 0x8 a cluster
 * (`%0`). From bit 36 on stand the kinds of objects (OpenNebula 7.4 `PoolObjectSQL::ObjectType`; recordings 016, 037,
 * 067, 068, 165).
 */
import { ParseResult, Schema } from "effect"
import { fromElement, Int, text } from "./element.js"

/** Whom or what a part of a rule means. */
export type AclTarget =
  | { readonly _tag: "All" }
  | { readonly _tag: "Id"; readonly id: number }
  | { readonly _tag: "Group"; readonly id: number }
  | { readonly _tag: "Cluster"; readonly id: number }

const targetBits = { Id: 0x1n << 32n, Group: 0x2n << 32n, All: 0x4n << 32n, Cluster: 0x8n << 32n } as const
const idMask = 0xffff_ffffn

const resourceBits = {
  VM: 0x1n << 36n,
  HOST: 0x2n << 36n,
  NET: 0x4n << 36n,
  IMAGE: 0x8n << 36n,
  USER: 0x10n << 36n,
  TEMPLATE: 0x20n << 36n,
  GROUP: 0x40n << 36n,
  DATASTORE: 0x100n << 36n,
  CLUSTER: 0x200n << 36n,
  DOCUMENT: 0x400n << 36n,
  ZONE: 0x800n << 36n,
  SECGROUP: 0x1000n << 36n,
  VDC: 0x2000n << 36n,
  VROUTER: 0x4000n << 36n,
  MARKETPLACE: 0x8000n << 36n,
  MARKETPLACEAPP: 0x10000n << 36n,
  VMGROUP: 0x20000n << 36n,
  VNTEMPLATE: 0x40000n << 36n,
  BACKUPJOB: 0x100000n << 36n
} as const
export type AclResource = keyof typeof resourceBits

const rightBits = { USE: 0x1n, MANAGE: 0x2n, ADMIN: 0x4n, CREATE: 0x8n } as const
export type AclRight = keyof typeof rightBits

/** A rule as people read it: `@100 VM+NET/* CREATE #0`. */
export interface AclRuleSpec {
  readonly user: AclTarget
  readonly resources: ReadonlyArray<AclResource>
  readonly target: AclTarget
  readonly rights: ReadonlyArray<AclRight>
  readonly zone: AclTarget
}

export const aclAll: AclTarget = { _tag: "All" }
export const aclId = (id: number): AclTarget => ({ _tag: "Id", id })
export const aclGroup = (id: number): AclTarget => ({ _tag: "Group", id })
export const aclCluster = (id: number): AclTarget => ({ _tag: "Cluster", id })

const targetNumber = (target: AclTarget): bigint =>
  targetBits[target._tag] | (target._tag === "All" ? 0n : BigInt(target.id) & idMask)

const keysOf = <Key extends string>(table: Readonly<Record<Key, bigint>>, bits: bigint): ReadonlyArray<Key> => {
  const found: Array<Key> = []
  for (const key in table) if ((bits & table[key]) !== 0n) found.push(key)
  return found
}

const union = <Key extends string>(table: Readonly<Record<Key, bigint>>, keys: ReadonlyArray<Key>): bigint =>
  keys.reduce((bits, key) => bits | table[key], 0n)

const hex = (bits: bigint): string => `0x${bits.toString(16)}`

/** The four parameters of `one.acl.addrule`: user, resource, rights, zone. */
export const encodeAclRule = (
  rule: AclRuleSpec
): readonly [user: string, resource: string, rights: string, zone: string] => [
  hex(targetNumber(rule.user)),
  hex(union(resourceBits, rule.resources) | targetNumber(rule.target)),
  hex(union(rightBits, rule.rights)),
  hex(targetNumber(rule.zone))
]

const targetOf = (bits: bigint): AclTarget | undefined => {
  const id = Number(bits & idMask)
  if ((bits & targetBits.All) !== 0n) return aclAll
  if ((bits & targetBits.Id) !== 0n) return aclId(id)
  if ((bits & targetBits.Group) !== 0n) return aclGroup(id)
  if ((bits & targetBits.Cluster) !== 0n) return aclCluster(id)
  return undefined
}

/** Four hexadecimal texts, with or without `0x`, to a rule; `undefined` if they are none. */
export const decodeAclRule = (parts: {
  readonly user: string
  readonly resource: string
  readonly rights: string
  readonly zone: string
}): AclRuleSpec | undefined => {
  const numbers = [parts.user, parts.resource, parts.rights, parts.zone].map((part) => part.replace(/^0x/i, ""))
  if (!numbers.every((part) => /^[0-9a-f]{1,16}$/i.test(part))) return undefined
  const [userBits = 0n, resource = 0n, rights = 0n, zoneBits = 0n] = numbers.map((part) => BigInt(`0x${part}`))
  const user = targetOf(userBits)
  const target = targetOf(resource)
  const zone = targetOf(zoneBits)
  if (user === undefined || target === undefined || zone === undefined) return undefined
  return { user, resources: keysOf(resourceBits, resource), target, rights: keysOf(rightBits, rights), zone }
}

const isSpec = (input: unknown): input is AclRuleSpec =>
  typeof input === "object" && input !== null && "resources" in input
const Parts = Schema.Struct({
  user: Schema.String,
  resource: Schema.String,
  rights: Schema.String,
  zone: Schema.String
})
const Spec = Schema.transformOrFail(Parts, Schema.declare(isSpec, { identifier: "AclRuleSpec" }), {
  strict: true,
  decode: (parts, _, ast) => {
    const spec = decodeAclRule(parts)
    return spec === undefined
      ? ParseResult.fail(new ParseResult.Type(ast, parts, "Expected hexadecimal numbers with a target bit each"))
      : ParseResult.succeed(spec)
  },
  encode: (spec) => {
    const [user, resource, rights, zone] = encodeAclRule(spec)
    return ParseResult.succeed({ user, resource, rights, zone })
  }
})

/** As `one.acl.info` lists it. */
export const AclRule = fromElement(
  Schema.Struct({
    id: Int,
    rule: Spec,
    /** `@100 NET/%0 USE #0` */
    text: Schema.String
  }),
  (element) => ({
    id: text(element, "ID"),
    rule: {
      user: text(element, "USER"),
      resource: text(element, "RESOURCE"),
      rights: text(element, "RIGHTS"),
      zone: text(element, "ZONE")
    },
    text: text(element, "STRING")
  })
)
export type AclRule = typeof AclRule.Type

/** Whether two rules say the same; order of resources and rights does not count. */
export const sameAclRule = (one: AclRuleSpec, other: AclRuleSpec): boolean =>
  encodeAclRule(one).join() === encodeAclRule(other).join()

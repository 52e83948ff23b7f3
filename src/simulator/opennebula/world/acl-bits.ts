/** The bits of access rules (OpenNebula 7.4 `AclRule`): who, on which kind of thing, may do what, in which zone. */
export const individual = 0x100000000n
export const ofGroup = 0x200000000n
export const all = 0x400000000n
export const ofCluster = 0x800000000n
const idMask = 0xffffffffn

/** In the order in which rules name them. */
const resourceBits = {
  VM: 0x1000000000n,
  HOST: 0x2000000000n,
  NET: 0x4000000000n,
  IMAGE: 0x8000000000n,
  USER: 0x10000000000n,
  TEMPLATE: 0x20000000000n,
  GROUP: 0x40000000000n,
  DATASTORE: 0x100000000000n,
  CLUSTER: 0x200000000000n,
  DOCUMENT: 0x400000000000n,
  ZONE: 0x800000000000n,
  SECGROUP: 0x1000000000000n,
  VDC: 0x2000000000000n,
  VROUTER: 0x4000000000000n,
  MARKETPLACE: 0x8000000000000n,
  MARKETPLACEAPP: 0x10000000000000n,
  VMGROUP: 0x20000000000000n,
  VNTEMPLATE: 0x40000000000000n,
  BACKUPJOB: 0x100000000000000n
} as const

const rightBits = { USE: 0x1n, MANAGE: 0x2n, ADMIN: 0x4n, CREATE: 0x8n } as const

export type ResourceKind = keyof typeof resourceBits
export type Right = keyof typeof rightBits

export const resourceBit = (kind: ResourceKind): bigint => resourceBits[kind]
export const rightBit = (right: Right): bigint => rightBits[right]

export const idOf = (bits: bigint): number => Number(bits & idMask)

const subject = (bits: bigint): string => {
  if ((bits & individual) !== 0n) return `#${idOf(bits)}`
  if ((bits & ofGroup) !== 0n) return `@${idOf(bits)}`
  if ((bits & ofCluster) !== 0n) return `%${idOf(bits)}`
  return (bits & all) !== 0n ? "*" : "??"
}

const names = (bits: bigint, table: Readonly<Record<string, bigint>>): string =>
  Object.entries(table)
    .filter(([, bit]) => (bits & bit) !== 0n)
    .map(([name]) => name)
    .join("+")

export interface RuleBits {
  readonly user: bigint
  readonly resource: bigint
  readonly rights: bigint
  readonly zone: bigint
}

/** For example "@100 NET/#1 USE #0". */
export const ruleText = (rule: RuleBits): string =>
  [
    subject(rule.user),
    `${names(rule.resource, resourceBits)}/${subject(rule.resource)}`,
    names(rule.rights, rightBits),
    subject(rule.zone)
  ].join(" ")

const hasOne = (bits: bigint, ...kinds: ReadonlyArray<bigint>) => kinds.some((kind) => (bits & kind) !== 0n)

/** Why a rule is malformed, or undefined (recording 166). */
export const ruleFault = (rule: RuleBits): string | undefined => {
  const faults = [
    hasOne(rule.user, individual, ofGroup, all) ? [] : ["[user] is missing one of the INDIVIDUAL, GROUP or ALL bits"],
    hasOne(rule.resource, ...Object.values(resourceBits)) ? [] : ["[resource] type is missing"],
    hasOne(rule.resource, individual, ofGroup, ofCluster, all)
      ? []
      : ["[resource] is missing one of the INDIVIDUAL, GROUP, CLUSTER or ALL bits"],
    hasOne(rule.rights, ...Object.values(rightBits)) ? [] : ["one right is missing"],
    hasOne(rule.zone, individual, all) ? [] : ["[zone] is missing one of the INDIVIDUAL or ALL bits"]
  ].flat()
  return faults.length === 0 ? undefined : faults.join("; ")
}

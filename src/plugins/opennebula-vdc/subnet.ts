/** IPv4 subnets as ranges of whole numbers: what a customer may ask for, and which one is next. Pure. */
import { Either } from "effect"
import { printable, type Range } from "../../plugin/index.js"

/** Wider ones would eat the pool, and OpenNebula keeps a bit for each address. */
const widestPrefix = 16
/** Two usable addresses: the gateway and one machine. */
const narrowestPrefix = 30

/** `first` is the network's own address, `last` the broadcast address. */
export interface Subnet extends Range {
  readonly prefix: number
}

export const addressText = (address: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".")

export const cidrText = (subnet: Subnet): string => `${addressText(subnet.first)}/${subnet.prefix}`

/** The first usable address: the router's. */
export const gatewayOf = (subnet: Subnet): number => subnet.first + 1
/** Usable addresses, the gateway's included: all but the network's and the broadcast address. */
export const usableOf = (subnet: Subnet): number => subnet.last - subnet.first - 1

export const overlaps = (one: Range, other: Range): boolean => one.first <= other.last && other.first <= one.last
const isWithin = (inner: Range, outer: Range): boolean => outer.first <= inner.first && inner.last <= outer.last

/** `undefined` for anything but four decimal numbers up to 255, without leading zeros (which some read as octal). */
export const parseAddress = (text: string): number | undefined => {
  const parts = text.split(".")
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255))
    return undefined
  return parts.reduce((address, part) => address * 256 + Number(part), 0)
}

/** The subnet that an address is in: `10.0.1.7` with 24 is `10.0.1.0/24`. */
export const subnetOf = (address: number, prefix: number): Subnet => {
  const size = 2 ** (32 - prefix)
  const first = Math.floor(address / size) * size
  return { first, last: first + size - 1, prefix }
}

/** A customer's `subnet_cidr`, or one sentence for that customer. */
export const parseSubnet = (text: string, pool: Subnet): Either.Either<Subnet, string> => {
  const asked = `The subnet "${printable(text)}"`
  const [, addressPart = "", prefixPart = ""] = /^([^/]+)\/(\d{1,2})$/.exec(text.trim()) ?? []
  if (text.includes(":")) return Either.left(`${asked} is IPv6; only IPv4 subnets such as ${example(pool)} can be had.`)
  const address = parseAddress(addressPart)
  const prefix = Number(prefixPart)
  if (address === undefined || prefix > 32) {
    return Either.left(`${asked} is not a subnet; write it as ${example(pool)}.`)
  }
  const subnet = subnetOf(address, prefix)
  if (subnet.first !== address) {
    return Either.left(`${asked} has host bits set; did you mean ${cidrText(subnet)}?`)
  }
  if (prefix > narrowestPrefix) return Either.left(`${asked} is too small; the smallest is a /${narrowestPrefix}.`)
  if (!isWithin(subnet, pool))
    return Either.left(`${asked} lies outside ${cidrText(pool)}, from which subnets are given.`)
  if (prefix < widestPrefix) return Either.left(`${asked} is too large; the largest is a /${widestPrefix}.`)
  return Either.right(subnet)
}
const example = (pool: Subnet): string => cidrText(subnetOf(pool.first, Math.min(24, narrowestPrefix)))

/** What is wrong with the pool that the settings describe; `undefined` if it can be used. */
export const poolProblem = (base: string, poolPrefix: number, subnetPrefix: number): string | undefined => {
  if (parseAddress(base) === undefined) return `internal_network_base "${printable(base)}" is not an IPv4 address.`
  if (subnetPrefix < poolPrefix) {
    return `subnet_prefix_length ${subnetPrefix} is wider than the pool (internal_network_prefix ${poolPrefix}).`
  }
  if (subnetPrefix > narrowestPrefix) return `subnet_prefix_length ${subnetPrefix} leaves no address for machines.`
  if (subnetPrefix < widestPrefix) return `subnet_prefix_length ${subnetPrefix} is wider than /${widestPrefix}.`
  return undefined
}

/** The pool that the settings describe. Host bits in the base are ignored, as the Python agent does. */
export const poolOf = (base: string, prefix: number): Subnet => subnetOf(parseAddress(base) ?? 0, prefix)

/** Sorted, and those that touch or overlap made one. */
const merged = (ranges: ReadonlyArray<Range>): ReadonlyArray<Range> => {
  const result: Array<Range> = []
  for (const range of ranges.toSorted((one, other) => one.first - other.first)) {
    const before = result.at(-1)
    if (before !== undefined && range.first <= before.last + 1) {
      result[result.length - 1] = { first: before.first, last: Math.max(before.last, range.last) }
    } else result.push(range)
  }
  return result
}

/**
 * The free subnets of a pool, lowest first, lazily. The pool's very first one is never given: 10.0.0.0/24 is what half the world uses
 * at home, and the Python agent skips it too.
 */
export function* freeSubnets(pool: Subnet, prefix: number, occupied: ReadonlyArray<Range>): Generator<Subnet> {
  const taken = merged(occupied)
  const size = 2 ** (32 - prefix)
  let next = 0
  for (let first = pool.first + size; first + size - 1 <= pool.last; first += size) {
    while (next < taken.length && (taken[next]?.last ?? 0) < first) next++
    const candidate = { first, last: first + size - 1, prefix }
    const nearest = taken[next]
    if (nearest === undefined || !overlaps(nearest, candidate)) yield candidate
  }
}

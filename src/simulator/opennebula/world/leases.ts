/** Address ranges and their leases: who holds which address of a network. */
import { cdata, element, wrap } from "../wire/xml.js"
import type { AddressRange, Lease, Network } from "./objects.js"
import type { Vector } from "./template.js"

export const readIp = (text: string): number | undefined => {
  const parts = text.trim().split(".")
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) return undefined
  return parts.reduce((ip, part) => ip * 256 + Number(part), 0)
}

export const writeIp = (ip: number): string => [24, 16, 8, 0].map((shift) => (ip >>> shift) & 255).join(".")

const hexByte = (byte: number) => byte.toString(16).padStart(2, "0")

/** OpenNebula derives a MAC from the IP: 02:00 and its four bytes. */
export const macOfIp = (ip: number): string =>
  ["02", "00", ...[24, 16, 8, 0].map((shift) => hexByte((ip >>> shift) & 255))].join(":")

const macAt = (range: AddressRange, index: number): string => {
  if (range.firstIp !== undefined) return macOfIp(range.firstIp + index)
  const number =
    range.firstMac.split(":").reduce((total, byte) => total * 256n + BigInt(`0x${byte}`), 0n) + BigInt(index)
  return [40n, 32n, 24n, 16n, 8n, 0n].map((shift) => hexByte(Number((number >> shift) & 255n))).join(":")
}

/** Reads an AR; undefined when it is no good: OpenNebula then keeps the network without it (recording 407). */
export const readRange = (given: Vector, id: number): AddressRange | undefined => {
  const type = given.values.get("TYPE") ?? ""
  const size = Number(given.values.get("SIZE") ?? "")
  if (!Number.isInteger(size) || size <= 0) return undefined
  const firstIp = readIp(given.values.get("IP") ?? "")
  if (type.startsWith("IP4") && firstIp === undefined) return undefined
  const firstMac =
    given.values.get("MAC") ?? (firstIp === undefined ? `02:00:00:00:${hexByte(id)}:00` : macOfIp(firstIp))
  return { id, type, firstIp, firstMac, size, nextIndex: 0, leases: new Map() }
}

export interface Address {
  readonly range: AddressRange
  readonly index: number
  readonly ip: string | undefined
  readonly mac: string
}

const addressAt = (range: AddressRange, index: number): Address => ({
  range,
  index,
  ip: range.firstIp === undefined ? undefined : writeIp(range.firstIp + index),
  mac: macAt(range, index)
})

const take = (range: AddressRange, index: number, holder: Lease["holder"]): Address => {
  range.leases.set(index, { index, holder })
  return addressAt(range, index)
}

const freeIndex = (range: AddressRange): number | undefined => {
  for (let step = 0; step < range.size; step++) {
    const index = (range.nextIndex + step) % range.size
    if (!range.leases.has(index)) return index
  }
  return undefined
}

/** Leases the wanted address, or the next free one; undefined when there is none. */
export const leaseAddress = (
  network: Network,
  holder: Lease["holder"],
  wantedIp: string | undefined
): Address | undefined => {
  if (wantedIp !== undefined) {
    const ip = readIp(wantedIp)
    for (const range of network.ranges) {
      if (ip === undefined || range.firstIp === undefined) continue
      const index = ip - range.firstIp
      if (index >= 0 && index < range.size && !range.leases.has(index)) return take(range, index, holder)
    }
    return undefined
  }
  for (const range of network.ranges) {
    const index = freeIndex(range)
    if (index === undefined) continue
    range.nextIndex = (index + 1) % range.size
    return take(range, index, holder)
  }
  return undefined
}

/** Whether it could be had: exactly this address. */
export const holdAddress = (network: Network, holder: Lease["holder"], ip: string): boolean =>
  readIp(ip) !== undefined && leaseAddress(network, holder, ip) !== undefined

/** So many addresses next to each other, as the range of the network that they are for; undefined where no range has them free. */
export const reserveAddresses = (network: Network, forNetwork: number, size: number): AddressRange | undefined => {
  for (const range of network.ranges) {
    for (let first = 0; first + size <= range.size; first++) {
      const wanted = Array.from({ length: size }, (_, at) => first + at)
      if (wanted.some((index) => range.leases.has(index))) continue
      const [begin] = wanted.map((index) => take(range, index, { kind: "NET", id: forNetwork }))
      if (begin === undefined) continue
      return {
        id: 0,
        type: range.type,
        firstIp: range.firstIp === undefined ? undefined : range.firstIp + first,
        firstMac: begin.mac,
        size,
        nextIndex: 0,
        leases: new Map()
      }
    }
  }
  return undefined
}

/** Gives back what this holder has: one address, or all of them. */
export const releaseAddresses = (network: Network, holder: Lease["holder"], ip?: string): void => {
  for (const range of network.ranges)
    for (const [index, lease] of [...range.leases]) {
      if (lease.holder.kind !== holder.kind || lease.holder.id !== holder.id) continue
      if (ip === undefined || addressAt(range, index).ip === ip) range.leases.delete(index)
    }
}

export const usedLeases = (network: Network): number =>
  network.ranges.reduce((total, range) => total + range.leases.size, 0)

const inOrder = (range: AddressRange) => [...range.leases.values()].sort((a, b) => a.index - b.index)

/** Its bit (7.4 `PoolObjectSQL::ObjectType`), and what it is called. What is held by hand is a VM's of id -1. */
const kinds = {
  VM: { bit: 36n, name: "VM" },
  HOLD: { bit: 36n, name: "VM" },
  NET: { bit: 38n, name: "VNET" },
  VROUTER: { bit: 50n, name: "VROUTER" }
} as const

/** How a pool's document packs a holder: a bit for its kind, and its id. */
const packed = ({ id, kind }: Lease["holder"]): bigint => (1n << kinds[kind].bit) | BigInt.asUintN(32, BigInt(id))

const baseFields = (range: AddressRange): string =>
  cdata("AR_ID", range.id) +
  (range.firstIp === undefined ? "" : cdata("IP", writeIp(range.firstIp))) +
  cdata("MAC", range.firstMac) +
  cdata("NEXT_INDEX", range.nextIndex) +
  cdata("SHARED", "NO") +
  cdata("SIZE", range.size) +
  cdata("TYPE", range.type)

/** As in `vnpool.info`: no lease list, but all of them packed in ALLOCATED (recording 206). */
export const briefRangeDocument = (range: AddressRange): string => {
  const allocated = inOrder(range).map(({ holder, index }) => ` ${index} ${packed(holder)}`)
  return wrap("AR", (allocated.length === 0 ? "" : cdata("ALLOCATED", allocated.join(""))) + baseFields(range))
}

/** As in `vn.info`, with the end of the range and each lease. */
export const rangeDocument = (range: AddressRange): string => {
  const last = addressAt(range, range.size - 1)
  const leases = inOrder(range).map(({ holder, index }) => {
    const { ip, mac } = addressAt(range, index)
    return wrap(
      "LEASE",
      (ip === undefined ? "" : cdata("IP", ip)) + cdata("MAC", mac) + cdata(kinds[holder.kind].name, holder.id)
    )
  })
  return wrap(
    "AR",
    baseFields(range) +
      cdata("MAC_END", last.mac) +
      (last.ip === undefined ? "" : cdata("IP_END", last.ip)) +
      element("USED_LEASES", leases.length) +
      (leases.length === 0 ? "<LEASES/>" : wrap("LEASES", leases.join("")))
  )
}

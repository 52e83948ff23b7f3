import { describe, expect, it } from "@effect/vitest"
import { Either, FastCheck } from "effect"
import {
  addressText,
  cidrText,
  freeSubnets,
  gatewayOf,
  overlaps,
  parseAddress,
  parseSubnet,
  poolOf,
  poolProblem,
  subnetOf,
  usableOf
} from "./subnet.js"

const pool = poolOf("10.0.0.0", 8)
const refusal = (text: string) =>
  Either.getOrElse(Either.flip(parseSubnet(text, pool)), (subnet) => `accepted ${cidrText(subnet)}`)
const address = FastCheck.integer({ min: 0, max: 2 ** 32 - 1 })

describe("addresses", () => {
  it.prop("read back as they were written", [address], ([number]) => {
    expect(parseAddress(addressText(number))).toBe(number)
  })

  it("are four decimal numbers up to 255, and nothing else", () => {
    for (const text of [
      "10.0.0",
      "10.0.0.256",
      "10.0.0.01",
      "10.0.0.1.1",
      "10.0.0.-1",
      "0x0a.0.0.1",
      "",
      "10.0.0.1 "
    ]) {
      expect(parseAddress(text), text).toBeUndefined()
    }
  })
})

describe("a subnet that a customer asks for", () => {
  it("is accepted within the pool, from /16 to /30", () => {
    expect(parseSubnet(" 10.4.0.0/24 ", pool)).toEqual(Either.right(subnetOf(0x0a040000, 24)))
    for (const prefix of [16, 20, 30]) expect(Either.isRight(parseSubnet(`10.16.0.0/${prefix}`, pool))).toBe(true)
  })

  it.each([
    ["banana", "not a subnet"],
    ["10.0.1.0", "not a subnet"],
    ["10.0.1.0/33", "not a subnet"],
    ["10.0.1.0/-1", "not a subnet"],
    ["10.0.1.0/24/8", "not a subnet"],
    ["10.0.300.0/24", "not a subnet"],
    ["10.0.1.7/24", "did you mean 10.0.1.0/24"],
    ["fd00::/64", "IPv6"],
    ["10.0.1.0/31", "too small"],
    ["10.0.1.0/32", "too small"],
    ["192.168.0.0/24", "outside 10.0.0.0/8"],
    ["0.0.0.0/0", "outside"],
    ["10.0.0.0/8", "too large"],
    ["10.0.0.0/15", "too large"]
  ])("is refused in one sentence: %s", (text, said) => {
    expect(refusal(text)).toContain(said)
    expect(refusal(text)).toMatch(/^The subnet "[^"]*".*[.?]$/)
  })

  it("does not carry control characters or endless text into the sentence", () => {
    expect(refusal(`10.\u0007${"9".repeat(500)}`).length).toBeLessThan(200)
    expect(refusal("\u0007")).not.toContain("\u0007")
  })

  it("has room for a gateway and all but the network's and the broadcast address", () => {
    const subnet = subnetOf(0x0a000100, 24)
    expect([addressText(gatewayOf(subnet)), usableOf(subnet)]).toEqual(["10.0.1.1", 254])
    expect(usableOf(subnetOf(0x0a000100, 30))).toBe(2)
  })
})

describe("free subnets", () => {
  it("begin with the second of the pool, as the Python agent's do", () => {
    const [first, second] = freeSubnets(pool, 24, [])
    expect([first, second].map((subnet) => (subnet === undefined ? "" : cidrText(subnet)))).toEqual([
      "10.0.1.0/24",
      "10.0.2.0/24"
    ])
  })

  const small = poolOf("10.9.0.0", 16)
  const range = FastCheck.tuple(
    FastCheck.integer({ min: -300, max: 66_000 }),
    FastCheck.integer({ min: 1, max: 3_000 })
  ).map(([offset, size]) => ({ first: small.first + offset, last: small.first + offset + size - 1 }))

  it.prop(
    "overlap nothing that is occupied, and leave out nothing that is free",
    [FastCheck.array(range, { maxLength: 40 }), FastCheck.integer({ min: 20, max: 26 })],
    ([occupied, prefix]) => {
      const given = [...freeSubnets(small, prefix, occupied)].map(({ first }) => first)
      const size = 2 ** (32 - prefix)
      const expected: Array<number> = []
      for (let first = small.first + size; first + size - 1 <= small.last; first += size) {
        const candidate = { first, last: first + size - 1 }
        if (!occupied.some((other) => overlaps(other, candidate))) expected.push(first)
      }
      expect(given).toEqual(expected)
    }
  )

  it("come quickly from a pool in which ten thousand are taken", () => {
    const occupied = Array.from({ length: 10_000 }, (_, index) => subnetOf(pool.first + (index + 1) * 256, 24))
    // The processor's time, not the clock's: others may be using it.
    const began = process.cpuUsage()
    const [first] = freeSubnets(pool, 24, occupied)
    expect(first?.first).toBe(pool.first + 10_001 * 256)
    expect(process.cpuUsage(began).user / 1000).toBeLessThan(2_000)
  })
})

describe("a pool", () => {
  it("ignores host bits in its base", () => {
    expect(cidrText(poolOf("10.1.2.3", 8))).toBe("10.0.0.0/8")
  })

  it.each([
    ["10.0.0.0", 8, 24, undefined],
    ["10.0.0", 8, 24, "not an IPv4 address"],
    ["10.0.0.0", 25, 24, "wider than the pool"],
    ["10.0.0.0", 8, 31, "no address"],
    ["10.0.0.0", 8, 12, "wider than /16"]
  ])("%s/%i cut into /%i is told right from wrong", (base, prefix, length, problem) => {
    const found = poolProblem(base, prefix, length)
    if (problem === undefined) expect(found).toBeUndefined()
    else expect(found).toContain(problem)
  })
})

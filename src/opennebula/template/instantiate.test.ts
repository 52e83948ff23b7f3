import { describe, expect, it } from "@effect/vitest"
import { Option } from "effect"
import { mergeForInstantiate, osDisk } from "./instantiate.js"
import { ownerOf, ownerTags } from "./owner.js"
import { single, type Template, vector, vectorsOf } from "./template.js"

/** Recording 022, with a second disk and an interface. */
const template: Template = [
  vector("CONTEXT", { NETWORK: "YES", SSH_PUBLIC_KEY: "$USER[SSH_PUBLIC_KEY]" }),
  single("CPU", 1),
  vector("DISK", { TYPE: "swap", SIZE: 512 }),
  vector("DISK", { IMAGE_ID: 0, SIZE: 10240, DEV_PREFIX: "vd" }),
  single("MEMORY", 1024),
  vector("NIC", { NETWORK_ID: 0 })
]

describe("what is sent along with instantiate", () => {
  it("lays the context over the template's, key by key", () => {
    const extra = mergeForInstantiate(template, {
      context: { ssh_public_key: "ssh-ed25519 AAAA", SET_HOSTNAME: "web" }
    })
    expect(extra).toEqual([
      vector("CONTEXT", { NETWORK: "YES", SSH_PUBLIC_KEY: "ssh-ed25519 AAAA", SET_HOSTNAME: "web" })
    ])
  })

  it("grows the boot disk, and repeats every other disk as it was, since all are replaced together", () => {
    expect(mergeForInstantiate(template, { osDiskSize: 20480 })).toEqual([
      vector("DISK", { TYPE: "swap", SIZE: 512 }),
      vector("DISK", { IMAGE_ID: 0, SIZE: 20480, DEV_PREFIX: "vd" })
    ])
  })

  it("puts new interfaces behind the template's own, or in their place", () => {
    const own = vector("NIC", { NETWORK_ID: 7 })
    expect(mergeForInstantiate(template, { nics: { mode: "keep", add: [own] } })).toEqual([
      ...vectorsOf(template, "NIC"),
      own
    ])
    expect(mergeForInstantiate(template, { nics: { mode: "replace", add: [own] } })).toEqual([own])
  })

  it("sends nothing that is not changed", () => {
    expect(mergeForInstantiate(template, {})).toEqual([])
    expect(mergeForInstantiate(template, { singles: [single("CPU", 2)] })).toEqual([single("CPU", 2)])
  })

  it("takes the first disk with an image for the boot disk, else the first, else none", () => {
    expect(Option.map(osDisk(template), ({ index }) => index)).toEqual(Option.some(1))
    expect(Option.map(osDisk([vector("DISK", { TYPE: "fs" })]), ({ index }) => index)).toEqual(Option.some(0))
    expect(osDisk([])).toEqual(Option.none())
    expect(mergeForInstantiate([], { osDiskSize: 1 })).toEqual([])
  })
})

describe("the owner tag", () => {
  it("is read back as it was written, among other attributes", () => {
    const owner = { resource: "5f0a", order: "77b1" }
    expect(ownerOf([single("A", "b"), ...ownerTags(owner)])).toEqual(Option.some(owner))
  })

  it("is not there on an object that is not ours, whatever its name", () => {
    expect(ownerOf([single("NAME", "acme"), single("WALDUR_ORDER_UUID", "77b1")])).toEqual(Option.none())
  })
})

import { Either } from "effect"
import { describe, expect, it } from "vitest"
import { encoded } from "./user-data.js"

const base64 = (text: string) => Buffer.from(text).toString("base64")
const refusalOf = (value: unknown) => Either.getOrThrow(Either.flip(encoded(value))).customerMessage

describe("user data", () => {
  it.each(["#cloud-config\npackages: [nginx]", "#!/bin/sh\necho ä", "Content-Type: multipart/mixed\n"])(
    "may be text or its base64, in lines or not, and goes out as base64: %j",
    (text) => {
      const once = Either.right(base64(text))
      expect(encoded(text)).toEqual(once)
      expect(encoded(base64(text))).toEqual(once)
      expect(encoded(base64(text).replace(/(.{8})/g, "$1\n"))).toEqual(once)
    }
  )

  it("may be gzip in base64", () => {
    const gzip = Buffer.from([0x1f, 0x8b, 8, 0]).toString("base64")
    expect(encoded(gzip)).toEqual(Either.right(gzip))
  })

  it("is refused where cloud-init would not know it, without being quoted", () => {
    for (const secret of ["hunter2", base64("hunter2"), { hunter2: 1 }, undefined]) {
      expect(refusalOf(secret)).toContain("The user data cannot be used")
      expect(refusalOf(secret)).not.toContain("hunter2")
    }
    expect(refusalOf(`#${"x".repeat(40_000)}`)).toContain("longer than 32768 bytes")
  })
})

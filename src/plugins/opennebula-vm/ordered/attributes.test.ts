import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Option, Schema } from "effect"
import { Marketplace } from "../../../core/index.js"
import { sshKeyOf, VmAttributes } from "./attributes.js"

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ+DyvyX2UiX7wPPY4FqVwRbJ4YC7pPKmNLpjzGcmyRB jane@example.org"
const uuid = "0123456789abcdef0123456789abcdef"

const marketplace = (keys: Readonly<Record<string, string>>) =>
  Layer.succeed(Marketplace, {
    sshKey: (asked) => Effect.succeed(keys[asked]),
    projectResources: () => Effect.succeed([]),
    withheld: () => Effect.succeed(undefined)
  })
const keyOf = (ssh_public_key: string, keys: Readonly<Record<string, string>> = {}) =>
  sshKeyOf({ ssh_public_key }).pipe(Effect.provide(marketplace(keys)))

describe("an order's attributes", () => {
  it("may be left out, null or empty, and others are left alone", () => {
    const decode = Schema.decodeUnknownSync(VmAttributes)
    expect(decode({ name: "my vm", template_id: null, ssh_public_key: "", parent_backend_id: 105 })).toEqual({
      ssh_public_key: "",
      parent_backend_id: "105"
    })
    expect(decode({ template_id: "7" })).toEqual({ template_id: 7 })
    expect(() => decode({ template_id: "seven" })).toThrow()
    expect(() => decode({ ssh_public_key: ["a"] })).toThrow()
  })

  it("may name a model by name or id, and the engine's settings as text, number or tick", () => {
    const decode = Schema.decodeUnknownSync(VmAttributes)
    expect(
      decode({
        model: 7,
        ONEAPP_VLLM_API_PORT: 8080,
        ONEAPP_VLLM_API_WEB: false,
        ONEAPP_VLLM_ENFORCE_EAGER: "yes",
        ONEAPP_VLLM_SLEEP_MODE: "",
        ONEAPP_VLLM_MODEL_QUANTIZATION: null,
        ONEAPP_VLLM_GPU_MEMORY_UTILIZATION: 0.9
      })
    ).toEqual({
      model: "7",
      ONEAPP_VLLM_API_PORT: "8080",
      ONEAPP_VLLM_API_WEB: "NO",
      ONEAPP_VLLM_ENFORCE_EAGER: "YES",
      ONEAPP_VLLM_SLEEP_MODE: "",
      ONEAPP_VLLM_GPU_MEMORY_UTILIZATION: "0.9"
    })
  })

  it.each([
    ["ONEAPP_VLLM_API_PORT", "0", "a port"],
    ["ONEAPP_VLLM_API_PORT", "80; rm", "a port"],
    ["ONEAPP_VLLM_API_WEB", "maybe", "YES or NO"],
    ["ONEAPP_VLLM_MODEL_QUANTIZATION", 8, "0 or 4"],
    ["ONEAPP_VLLM_MODEL_MAX_LENGTH", "-1", "tokens"],
    ["ONEAPP_VLLM_GPU_MEMORY_UTILIZATION", "1.1", "above 0"],
    ["ONEAPP_VLLM_GPU_MEMORY_UTILIZATION", "$USER[TEMPLATE]", "above 0"]
  ])("may not have nonsense for the engine's settings: %s=%s", (key, value, expected) => {
    const decode = Schema.decodeUnknownSync(VmAttributes)
    expect(() => decode({ [key]: value })).toThrow(expected)
  })
})

describe("an SSH key", () => {
  it.effect("may be given as text, as a Waldur key's uuid in either spelling, or not at all", () =>
    Effect.gen(function* () {
      expect(yield* keyOf(`  ${key}\n`)).toEqual(Option.some(key))
      expect(yield* keyOf(uuid, { [uuid]: key })).toEqual(Option.some(key))
      expect(yield* keyOf("01234567-89AB-cdef-0123-456789abcdef", { [uuid]: `${key}\n` })).toEqual(Option.some(key))
      expect(yield* keyOf(" ")).toEqual(Option.none())
    })
  )

  it.effect("that does not exist in Waldur is refused by its uuid", () =>
    Effect.gen(function* () {
      const refused = yield* Effect.flip(keyOf(uuid))
      expect(refused.customerMessage).toBe(
        `The SSH key ${uuid} does not exist (any more): choose another key and order again.`
      )
    })
  )

  it.each([
    ["several lines", `${key}\n${key}`, "more than one line"],
    ["a control character", `${key}\u0000`, "control character"],
    ["an unknown type", "ssh-foo AAAA", "does not begin with a key type"],
    ["options before it", `command="id" ${key}`, "does not begin with a key type"],
    ["a cut-off key", "ssh-ed25519 AAAAC3Nza", "incomplete or damaged"],
    ["a key of another type", key.replace("ssh-ed25519", "ssh-rsa"), "incomplete or damaged"],
    ["a private key", "-----BEGIN OPENSSH PRIVATE KEY----- abc", "private key"],
    ["16 kB of text", `${key}${"x".repeat(17_000)}`, "too long"]
  ])("with %s is refused, and does not show up in the sentence", (_, text, reason) =>
    Effect.runPromise(
      Effect.map(Effect.flip(keyOf(text)), (refused) => {
        expect(refused.customerMessage).toContain(reason)
        expect(refused.message).not.toContain("AAAA")
      })
    )
  )

  it.effect("of Waldur is looked at as closely as one in the order", () =>
    Effect.gen(function* () {
      const refused = yield* Effect.flip(keyOf(uuid, { [uuid]: 'ssh-ed25519 AAAA"]' }))
      expect(refused.customerMessage).toContain("incomplete or damaged")
    })
  )
})

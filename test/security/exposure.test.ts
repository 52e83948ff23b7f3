/** What `site-actors check` warns of: the agent's own secrets, lying open. */
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { fileExposure, wireExposure } from "../../src/runtime/check/exposure.js"
import { accepted, file } from "../../src/runtime/config/harness.js"
import type { OfferingConfig } from "../../src/runtime/config/index.js"

const offeringWith = async (more: Partial<OfferingConfig>): Promise<OfferingConfig> => {
  const [offering] = (await accepted(file())).offerings
  if (offering === undefined) throw new Error("the file of the tests has an offering")
  return { ...offering, ...more }
}
const token = { _tag: "Token", token: Redacted.make("a-token-of-the-agent") } as const
const oidc = {
  _tag: "Oidc",
  tokenUrl: "http://idp.example.com/token",
  clientId: "a",
  clientSecret: Redacted.make("a-client-secret")
} as const
const https = { apiUrl: "https://waldur.example.com/api/", credentials: token, tls: { verify: true } }

describe("a warning is given", () => {
  it.each([
    ["Waldur without TLS", { waldur: { ...https, apiUrl: "http://waldur.example.com/api/" } }, /unencrypted/],
    ["Waldur unverified", { waldur: { ...https, tls: { verify: false } } }, /not verified/],
    ["an identity provider without TLS", { waldur: { ...https, credentials: oidc } }, /client secret/],
    ["OpenNebula without TLS", { backendSettings: Redacted.make({ api_url: "http://one:2633/RPC2" }) }, /unencrypted/],
    ["OpenNebula unverified", { backendSettings: Redacted.make({ verify_ssl: false }) }, /verify_ssl/]
  ])("of %s", async (_, more, said) => {
    const found = wireExposure(
      await offeringWith({ waldur: https, backendSettings: Redacted.make({ api_url: "https://one/RPC2" }), ...more })
    )
    expect(found).toMatchObject([{ status: "warning", detail: expect.stringMatching(said) }])
  })

  it("of none on the way to this very machine, or where all is well", async () => {
    const here = { ...https, apiUrl: "http://localhost:8000/api/" }
    const backendSettings = Redacted.make({ api_url: "http://127.0.0.1:2633/RPC2" })
    expect(wireExposure(await offeringWith({ waldur: here, backendSettings }))).toEqual([])
  })

  it.scopedLive("of a configuration with secrets that everybody may read, not of one that only names them", () =>
    Effect.gen(function* () {
      const directory = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(tmpdir(), "site-actors-exposure-"))),
        (made) => Effect.promise(() => rm(made, { recursive: true, force: true }))
      )
      const path = join(directory, "config.yaml")
      const offering = yield* Effect.promise(() => offeringWith({ waldur: https }))
      const config = { ...(yield* Effect.promise(() => accepted(file()))), file: path, offerings: [offering] }
      const look = (text: string, mode: number) =>
        Effect.zipRight(
          Effect.promise(async () => {
            await writeFile(path, text)
            await chmod(path, mode)
          }),
          fileExposure(config)
        )
      expect(yield* look("waldur_api_token: a-token-of-the-agent", 0o644)).toMatchObject([{ status: "warning" }])
      expect(yield* look("waldur_api_token: a-token-of-the-agent", 0o640)).toEqual([])
      expect(yield* look("waldur_api_token: named elsewhere", 0o644)).toEqual([])
      // As a part of a URL, and in a comment, it lies as open; a word that a secret happens to be is none.
      expect(yield* look("# proxy: http://me:a-token-of-the-agent@proxy:3128", 0o644)).toHaveLength(1)
      expect(yield* look("name: not-a-token-of-the-agent-at-all", 0o644)).toEqual([])
      expect(
        yield* look("backend_type: a-token-of-the-agent\n    reporting_backend: a-token-of-the-agent", 0o644)
      ).toEqual([])
    })
  )
})

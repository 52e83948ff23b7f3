/** Who gets in, and what is turned away: over real HTTP, as a browser, a program and another site would try. */
import { request as rawRequest } from "node:http"
import { brotliCompressSync, gzipSync } from "node:zlib"
import { FileSystem } from "@effect/platform"
import { describe, expect } from "@effect/vitest"
import { Effect, Exit, Fiber, Option, Redacted } from "effect"
import { type Role, requestHeader } from "../../src/api/index.js"
import { rotateToken } from "../../src/runtime/http/tokens.js"
import { makeSite, scenario } from "../support/agent.js"
import { ask, clientOf, show } from "./support.js"

const json = { "content-type": "application/json", [requestHeader]: "1" }

/** With headers that `fetch` does not let one set. */
const raw = (url: string, headers: Readonly<Record<string, string>>, method = "GET", body = "") =>
  Effect.async<{ readonly status: number; readonly text: string }>((resume) => {
    const sent = rawRequest(url, { method, headers }, (response) => {
      let text = ""
      response.on("data", (chunk) => {
        text += String(chunk)
      })
      response.on("end", () => resume(Effect.succeed({ status: response.statusCode ?? 0, text })))
    })
    sent.end(body)
  })

const cookieOf = (headers: Headers): string => (headers.get("set-cookie") ?? "").split(";")[0] ?? ""

describe("the page on this machine alone", () => {
  scenario("asks for no token, but turns away names that are not ours, other sites, and proxies", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const { client, url } = yield* show(site, agent)
      const { host } = new URL(url)
      expect(yield* client.session.current()).toMatchObject({
        visitor: { role: "operator", by: "loopback" },
        tokens: false
      })

      // A name of another site that was made to point here.
      expect(yield* raw(`${url}/api/overview`, { host: "evil.example.com" })).toMatchObject({ status: 403 })
      expect(yield* raw(`${url}/`, { host: "evil.example.com" })).toMatchObject({ status: 403 })
      expect((yield* raw(`${url}/api/overview`, { host: "localhost:1" })).status).toBe(200)
      // Probes and collectors come by address, or by a name of the cluster; nobody's browser by one of these.
      for (const path of ["/healthz", "/metrics"]) {
        for (const name of ["10.0.0.7", "[fd00::7]:8090", "localhost:8090", "site-actors.cloud.svc:8090"]) {
          expect((yield* raw(`${url}${path}`, { host: name })).status, `${path} ${name}`).toBe(200)
        }
        const foreign = yield* raw(`${url}${path}`, { host: "evil.example.com" })
        expect([foreign.status, foreign.text.includes("page.hosts")], path).toEqual([403, true])
      }
      expect((yield* raw(`${url}/readyz`, { host: "evil.example.com" })).status).toBe(403)
      // What a proxy brings did not come from this machine.
      expect((yield* raw(`${url}/api/overview`, { host, "x-forwarded-for": "203.0.113.5" })).status).toBe(401)

      const action = JSON.stringify({ kind: "reconcile" })
      const act = (headers: Readonly<Record<string, string>>) =>
        raw(`${url}/api/actions`, { host, ...headers }, "POST", action)
      expect((yield* act({ "content-type": "application/json" })).text).toContain(requestHeader)
      // Deeper than any stack.
      for (const body of [
        `${"[".repeat(30_000)}${"]".repeat(30_000)}`,
        `{"kind":${"[".repeat(30_000)}${"]".repeat(30_000)}}`
      ]) {
        expect((yield* raw(`${url}/api/actions`, { host, ...json }, "POST", body)).status).toBe(400)
      }
      for (const foreign of [
        { origin: "https://evil.example.com" },
        { origin: "null" },
        { "sec-fetch-site": "cross-site" },
        { "sec-fetch-site": "same-site" }
      ]) {
        expect((yield* act({ ...json, ...foreign })).status).toBe(403)
      }
      expect((yield* act({ ...json, origin: url, "sec-fetch-site": "same-origin" })).status).toBe(200)
      const audit = yield* client.actions.audit({ urlParams: {} })
      expect(audit.rows.map(({ by, kind, ok, who }) => [who, by, kind, ok])).toEqual([
        ["this machine", "loopback", "reconcile", true]
      ])
    })
  )

  scenario("sends its files with a policy that lets nothing in from elsewhere, and leads every place to the page", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const { assets, url } = yield* show(site, agent)
      const fs = yield* FileSystem.FileSystem
      expect((yield* ask(`${url}/`)).text).toContain("npm run build")
      yield* fs.makeDirectory(`${assets}/assets`, { recursive: true })
      yield* fs.writeFileString(`${assets}/index.html`, "<!doctype html><title>page</title>")
      const text = "export const page = 1\n".repeat(100)
      yield* fs.writeFileString(`${assets}/assets/app-1a2b3c.js`, text)
      yield* fs.writeFile(`${assets}/assets/app-1a2b3c.js.br`, brotliCompressSync(text))
      yield* fs.writeFile(`${assets}/assets/app-1a2b3c.js.gz`, gzipSync(text))
      yield* fs.writeFileString(`${site.dataDir}/secret.txt`, "secret")

      for (const place of ["/", "/index.html"]) {
        const { headers, status, text } = yield* ask(`${url}${place}`)
        expect([place, status, text.includes("<title>page"), headers.get("cache-control")]).toEqual([
          place,
          200,
          true,
          "no-cache"
        ])
        expect(headers.get("content-security-policy")).toMatch(/default-src 'none'.*frame-ancestors 'none'/)
        expect(headers.get("content-security-policy")).not.toContain("unsafe")
        expect(headers.get("x-frame-options")).toBe("DENY")
        expect(headers.get("x-content-type-options")).toBe("nosniff")
      }
      // A proxy that keeps its connections for a minute, as most do, never writes to one that is just being closed here.
      expect((yield* ask(`${url}/healthz`)).headers.get("keep-alive")).toBe("timeout=75")
      const order = "0d5a1f6b8c3e4b7f9a2d6e8c1b3f5a70"
      const place = yield* ask(`${url}/orders/${order}`)
      expect([place.status, place.headers.get("location")]).toEqual([302, `../#/orders/${order}`])
      expect((yield* ask(`${url}/resources`)).headers.get("location")).toBe("./#/resources")
      const script = yield* ask(`${url}/assets/app-1a2b3c.js`)
      expect(script.headers.get("cache-control")).toBe("public, max-age=31536000, immutable")
      expect(script.headers.get("content-type")).toContain("javascript")
      const again = yield* ask(`${url}/assets/app-1a2b3c.js`, {
        headers: { "if-none-match": script.headers.get("etag") ?? "" }
      })
      expect(again.status).toBe(304)
      // Compressed by the build: for those who take it so, each with a tag of its own, and under the same rules.
      const encoded = (encoding: string, more: Readonly<Record<string, string>> = {}) =>
        ask(`${url}/assets/app-1a2b3c.js`, { headers: { "accept-encoding": encoding, ...more } })
      const small = yield* encoded("gzip, br")
      expect([small.text, small.headers.get("content-encoding")]).toEqual([text, "br"])
      expect(small.headers.get("vary")).toBe("accept-encoding")
      expect(small.headers.get("content-type")).toBe(script.headers.get("content-type"))
      expect(small.headers.get("content-security-policy")).toBe(script.headers.get("content-security-policy"))
      expect((yield* encoded("br;q=0, gzip")).headers.get("content-encoding")).toBe("gzip")
      expect((yield* encoded("identity")).headers.get("content-encoding")).toBe(null)
      const tags = new Set(
        [small, yield* encoded("gzip"), yield* encoded("identity")].map(({ headers }) => headers.get("etag"))
      )
      expect(tags.size).toBe(3)
      const tag = small.headers.get("etag") ?? ""
      expect((yield* encoded("br", { "if-none-match": tag })).status).toBe(304)
      expect((yield* encoded("identity", { "if-none-match": tag })).status).toBe(200)
      for (const elsewhere of [
        "/..%2fdata/secret.txt",
        "/%2e%2e/data/secret.txt",
        "/assets/../../data/secret.txt",
        "/.env",
        "/x.js"
      ]) {
        const answer = yield* raw(`${url}${elsewhere}`, { host: "localhost" })
        expect([elsewhere, answer.text.includes("secret")]).toEqual([elsewhere, false])
      }
      expect((yield* ask(`${url}/x.js`)).status).toBe(404)
      const overview = yield* ask(`${url}/api/overview`)
      expect([overview.status, overview.headers.get("cache-control"), overview.headers.get("x-frame-options")]).toEqual(
        [200, "no-store", "DENY"]
      )
      expect(JSON.parse((yield* ask(`${url}/api/openapi.json`)).text)).toMatchObject({ openapi: expect.any(String) })
      // Bodies that are none.
      const post = (body: string) => ask(`${url}/api/actions`, { method: "POST", headers: json, body })
      expect((yield* post('{"kind":')).status).toBe(400)
      expect((yield* post('{"kind":"explode"}')).status).toBe(400)
      // Longer than anything that is meant: it is not read to its end.
      const cut = yield* Effect.exit(post(`{"kind":"${"x".repeat(100_000)}"}`))
      expect(Exit.isFailure(cut) || cut.value.status === 400).toBe(true)
      expect((yield* ask(`${url}/api/orders?limit=1000`)).status).toBe(400)
      expect((yield* ask(`${url}/api/orders?cursor=nonsense`)).text).toContain("begin again")
    })
  )
})

describe("the page for others", () => {
  scenario("tells nothing without a token, and what a viewer's token may not do", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const { client, url } = yield* show(site, agent, { host: "0.0.0.0" })
      for (const path of [
        "overview",
        "orders",
        "resources",
        "leftovers",
        "audit",
        "live",
        `orders/${"0".repeat(32)}`
      ]) {
        const { status, text } = yield* ask(`${url}/api/${path}`)
        expect([path, status, text.includes("SignInFirst")]).toEqual([path, 401, true])
      }
      expect(yield* client.session.current()).toMatchObject({ visitor: null, tokens: true })

      const token = (role: Role) => Effect.provide(rotateToken(role), agent.services)
      const viewer = yield* token("viewer")
      const operator = yield* token("operator")

      const signIn = (token: string) =>
        ask(`${url}/api/session`, { method: "POST", headers: json, body: JSON.stringify({ token }) })
      const seen = yield* signIn(Redacted.value(viewer))
      expect(JSON.parse(seen.text)).toMatchObject({ visitor: { role: "viewer", by: "token" } })
      const set = seen.headers.get("set-cookie") ?? ""
      expect(set).toMatch(/^site-actors-session=[\w-]{43};/)
      for (const part of ["HttpOnly", "SameSite=Strict", "Path=/"]) expect(set).toContain(part)

      const asViewer = yield* clientOf(url, { cookie: cookieOf(seen.headers) })
      expect((yield* asViewer.overview.overview()).offerings.length).toBe(2)
      const act = { payload: { kind: "reconcile" as const } }
      expect(yield* Effect.flip(asViewer.actions.perform(act))).toMatchObject({ _tag: "NotAllowed" })
      expect(yield* asViewer.actions.preview(act)).toMatchObject({ impossible: null, weight: "looks" })

      const asOperator = yield* clientOf(url, { cookie: cookieOf((yield* signIn(Redacted.value(operator))).headers) })
      expect(yield* asOperator.actions.perform(act)).toMatchObject({ outcome: expect.any(String) })
      expect((yield* asOperator.actions.audit({ urlParams: {} })).rows).toMatchObject([
        { who: "operator (token)", role: "operator", by: "token", kind: "reconcile" }
      ])

      // What is watched ends with the session too.
      const watching = yield* Effect.fork(ask(`${url}/api/live`, { headers: { cookie: cookieOf(seen.headers) } }))
      // A new token ends the sessions of the one before; signing out ends one's own.
      yield* token("viewer")
      yield* Effect.repeat(Effect.delay(Effect.either(asViewer.overview.overview()), "100 millis"), {
        until: (answer) => answer._tag === "Left"
      }).pipe(Effect.timeout("1 minute"))
      expect((yield* Effect.timeout(Fiber.join(watching), "1 minute")).text).toContain('"_tag":"Hello"')
      yield* asOperator.session.signOut()
      expect(yield* Effect.flip(asOperator.overview.overview())).toMatchObject({ _tag: "SignInFirst" })

      // Nothing of the tokens is in the log or in the journal's files, nor what a browser has.
      const fs = yield* FileSystem.FileSystem
      const files = yield* Effect.forEach(["journal.db", "journal.db-wal"], (name) =>
        Effect.map(fs.readFile(`${site.dataDir}/${name}`), (bytes) => Buffer.from(bytes).toString("latin1"))
      )
      for (const secret of [Redacted.value(viewer), Redacted.value(operator), cookieOf(seen.headers).split("=")[1]]) {
        expect(secret).toHaveLength(43)
        expect([...files, ...site.logged].join("\n")).not.toContain(secret)
      }
      const answers = yield* Effect.forEach([1, 2, 3, 4, 5, 6], (n) => signIn(`wrong ${n}`))
      expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403, 429])
      expect((yield* signIn(Redacted.value(operator))).status).toBe(429)
    })
  )

  scenario("believes a proxy's header from the proxy's address alone", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const trusting = { trustedHeader: Option.some("x-forwarded-user"), operators: ["alice"] }
      const { url } = yield* show(site, agent, { page: { ...trusting, trustedProxies: ["127.0.0.0/8"] } })
      const as = (name: string, at = url) =>
        Effect.map(
          ask(`${at}/api/session`, { headers: { "x-forwarded-user": name } }),
          ({ text }) => JSON.parse(text).visitor
        )
      expect(yield* as("alice")).toEqual({ name: "alice", role: "operator", by: "proxy" })
      expect(yield* as("bob")).toEqual({ name: "bob", role: "viewer", by: "proxy" })
      // Behind a proxy nobody is let in for coming from this machine: the proxy does too.
      expect((yield* ask(`${url}/api/overview`)).status).toBe(401)

      // Wrong tokens count for whoever stands before the proxy, not for the proxy, through which all come. What a browser says itself counts for
      // nothing.
      const wrongFrom = (forwardedFor: string) =>
        Effect.map(
          ask(`${url}/api/session`, {
            method: "POST",
            headers: { ...json, "x-forwarded-for": forwardedFor },
            body: JSON.stringify({ token: "wrong" })
          }),
          ({ status }) => status
        )
      const attacker = [1, 2, 3, 4, 5, 6].map((n) => wrongFrom(`198.51.100.${n}, 203.0.113.9`))
      expect(yield* Effect.all(attacker)).toEqual([403, 403, 403, 403, 403, 429])
      expect(yield* wrongFrom("203.0.113.10, 127.0.0.2")).toBe(403)
      expect(yield* wrongFrom("")).toBe(403)

      const elsewhere = yield* show(site, agent, { page: { ...trusting, trustedProxies: ["10.0.0.5"] } })
      expect(yield* as("alice", elsewhere.url)).toBe(null)
    })
  )
})

/** The health endpoints of a running agent, over HTTP. */
import { createServer } from "node:http"
import { describe, expect } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Logger, Option, Schedule, Scope } from "effect"
import { serveHttp } from "../../src/runtime/http/index.js"
import { listen } from "../../src/runtime/http/serve.js"
import { Others } from "../../src/runtime/placement/index.js"
import { overviewOf } from "../../src/runtime/views/overview.js"
import { eventTiming } from "../../src/waldur/index.js"
import { makeSite, scenario } from "../support/agent.js"
import { serve } from "../support/tinyServers.js"
import { eventually, quick } from "./support.js"

const events = { stomp_enabled: true, websocket_use_tls: false }

const get = (url: string) =>
  Effect.promise(async () => {
    const response = await fetch(url)
    const text = await response.text()
    return { status: response.status, type: response.headers.get("content-type"), text }
  })
/** Completes with the first answer that fulfils the condition. */
const until = (url: string, condition: (answer: { readonly status: number; readonly text: string }) => boolean) =>
  get(url).pipe(Effect.delay("20 millis"), Effect.repeat({ until: condition }), Effect.timeout("1 minute"))

describe("A running agent", () => {
  scenario("says that it lives, and of each offering whether it is ready and why not; and tells no secret", () =>
    Effect.gen(function* () {
      const site = yield* makeSite({ vdcOffering: events })
      const agent = yield* Effect.locally(site.start(), eventTiming, quick)
      const url = yield* listen(site.config, "127.0.0.1", 0).pipe(Effect.provide(agent.services))

      const alive = yield* get(`${url}/healthz`)
      expect(alive).toMatchObject({ status: 200, type: "application/json" })
      expect(JSON.parse(alive.text)).toMatchObject({ status: "alive" })

      const ready = yield* until(
        `${url}/readyz`,
        ({ status, text }) => status === 200 && text.split('"status":"ok","since"').length === 4
      )
      expect(JSON.parse(ready.text)).toMatchObject({
        status: "ready",
        offerings: [
          {
            name: "VDC",
            ready: true,
            reasons: [],
            events: expect.arrayContaining([
              expect.objectContaining({ objectType: "order", status: "ok", reconnects: 0 })
            ])
          },
          {
            name: "VM",
            ready: true,
            waldur: { status: "ok" },
            backend: { status: "ok", type: "opennebula-vm" },
            events: []
          }
        ]
      })

      site.marketplace.broker.behaviour.refuseUpgrade = 503
      site.marketplace.broker.cutAll()
      const without = yield* until(
        `${url}/readyz`,
        ({ text }) => text.split('"status":"down"').length === 4 && text.includes("server response: 503")
      )
      // A broker that restarts is no news: it counts after half a minute.
      expect(without.status).toBe(200)
      expect(JSON.parse(without.text).offerings[0].events).toMatchObject([
        { status: "down" },
        { status: "down" },
        { status: "down" }
      ])

      site.marketplace.intercept(({ path }) => (path.startsWith("/api/") ? { _tag: "Status", status: 503 } : undefined))
      const unready = yield* until(`${url}/readyz`, ({ status }) => status === 503)
      expect(JSON.parse(unready.text)).toMatchObject({ status: "not ready" })
      expect(unready.text).toContain("is away: Waldur answered 503")
      expect((yield* get(`${url}/healthz`)).status).toBe(200)

      for (const { text } of [alive, ready, without, unready]) {
        for (const secret of [site.world.agentToken, site.cloud.session]) {
          expect(text).not.toContain(secret)
        }
      }
      expect((yield* get(`${url}/`)).status).toBe(404)
    })
  )

  scenario("says which of several processes do not reach each other, and is as ready as before", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const both = { from: "a:1 at 10.0.0.1:34431", to: "b:1 at 10.0.0.2:34431", both: true }
      const others = Layer.map(Others.none, (context) =>
        Context.make(Others, {
          ...Context.get(context, Others),
          reach: Effect.succeed({
            leftOut: true,
            unreached: 1,
            cutOffs: [{ ...both, since: 1_767_225_600_000, sentence: "They do not reach each other." }]
          })
        })
      )
      const url = yield* listen(site.config, "127.0.0.1", 0).pipe(
        Effect.provide(others),
        Effect.provide(agent.services)
      )
      const ready = yield* until(`${url}/readyz`, ({ status }) => status === 200)
      expect(JSON.parse(ready.text).cutOff).toEqual([
        {
          ...both,
          since: "2026-01-01T00:00:00.000Z",
          reason: expect.stringMatching(
            /^They do not reach each other\. Check that the port is open .*cluster\.host\.$/
          )
        }
      ])
      const { text } = yield* get(`${url}/metrics`)
      expect(text).toMatch(/^site_actors_processes_unreached 1$/m)
      expect(text).toMatch(/^site_actors_left_out 1$/m)
      const { troubles } = yield* overviewOf(site.config, 0).pipe(
        Effect.provide(others),
        Effect.provide(agent.services)
      )
      expect(troubles).toEqual([
        {
          severity: "warning",
          what: "They do not reach each other.",
          where: { kind: "process", id: "", name: both.from },
          since: 1_767_225_600_000,
          todo: expect.stringContaining("the port is open")
        }
      ])
      const alone = yield* listen(site.config, "127.0.0.1", 0).pipe(Effect.provide(agent.services))
      expect((yield* get(`${alone}/readyz`)).text).not.toContain("cutOff")
      expect((yield* get(`${alone}/metrics`)).text).toMatch(/^site_actors_processes_unreached 0$/m)
    })
  )

  scenario("says which port is taken, and shows its health as soon as it is free", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const taken = yield* Scope.make()
      const port = yield* Scope.extend(serve(createServer()), taken)
      const config = { ...site.config, http: { host: "127.0.0.1", port: Option.some(port) } }
      const heard: Array<string> = []
      const logger = Logger.make(({ message }) => heard.push(String(message)))
      yield* serveHttp(config, Schedule.spaced("50 millis")).pipe(
        Effect.provide(agent.services),
        Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
        Effect.forkScoped
      )
      yield* eventually(() => heard.length > 0)
      expect(heard[0]).toContain(`127.0.0.1:${port}: `)
      expect(heard[0]).toContain("EADDRINUSE")
      yield* Scope.close(taken, Exit.void)
      yield* eventually(() => heard.some((line) => line.startsWith("Health: ")))
      expect((yield* get(`http://127.0.0.1:${port}/healthz`)).status).toBe(200)
    })
  )
})

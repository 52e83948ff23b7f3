/** `site-actors check` and the broker: one line that says where it was tried, what is wrong, and which key to look at. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { checkOffering } from "../../src/runtime/check/index.js"
import { connectWaldur, openBackend } from "../../src/runtime/offerings/open.js"
import { attach, serveBroker } from "../../src/simulator/stomp/index.js"
import { type EventsProbe, probeEvents } from "../../src/waldur/index.js"
import { makeSite, scenario } from "../support/agent.js"
import { freePort } from "../support/ports.js"
import { certificateFile, makeHttps, serve, serveTcp } from "../support/tinyServers.js"
import { event, preparedBroker, queue, queueName, quick, vhost } from "./support.js"

const probe = (url: string, more: Partial<EventsProbe> = {}) =>
  probeEvents({ url, transport: {}, queue, timing: quick, ...more })

const plain = Effect.map(serveBroker({ broker: preparedBroker() }), ({ port }) => port)
const secure = Effect.gen(function* () {
  const server = makeHttps((_, response) => response.end())
  attach(server, preparedBroker(), "/ws")
  return yield* serve(server)
})

describe("The broker that check tries", () => {
  it.scopedLive("is connected to, and left as it was: what is in the queue stays there", () =>
    Effect.gen(function* () {
      const { broker, port } = yield* serveBroker({ broker: preparedBroker() })
      broker.publish(vhost, queueName, event)
      const found = yield* probe(`ws://127.0.0.1:${port}/ws`)
      expect(found).toEqual({
        ok: true,
        detail: `ws://127.0.0.1:${port}/ws: connected, logged in, subscribed to ${queueName}.`
      })
      yield* Effect.repeat(
        Effect.delay(
          Effect.sync(() => broker.counts(vhost, queueName)?.ready),
          "5 millis"
        ),
        { until: (ready) => ready === 1 }
      ).pipe(Effect.timeout("1 minute"))
      expect(broker.counts(vhost, queueName)).toEqual({ ready: 1, unacked: 0, consumers: 0 })
    })
  )

  it.scopedLive("is not there, or not as the file says: the line names the address, the fault and the key", () =>
    Effect.gen(function* () {
      const port = yield* plain
      const tls = yield* secure
      const closed = yield* freePort
      const mute = yield* serveTcp(() => {})
      const hangingUp = yield* serveTcp((socket) => socket.destroy())
      const through = (proxy: number) => ({
        transport: { proxy: Redacted.make(`http://user:secret@127.0.0.1:${proxy}`) }
      })
      const other = { ...queue, passcode: Redacted.make("wrong-passcode") }
      const cases: ReadonlyArray<readonly [string, Partial<EventsProbe>, RegExp]> = [
        [`ws://127.0.0.1:${closed}/ws`, {}, /ECONNREFUSED.*stomp_ws_port/],
        [`ws://127.0.0.1:${port}/elsewhere`, {}, /404.*stomp_ws_path/],
        [`wss://127.0.0.1:${port}/ws`, {}, /does not speak TLS.*websocket_use_tls/],
        [`ws://127.0.0.1:${tls}/ws`, {}, /may speak TLS.*websocket_use_tls/],
        [`wss://127.0.0.1:${tls}/ws`, {}, /SELF_SIGNED.*ca_file/],
        [`ws://127.0.0.1:${port}/ws`, { queue: other }, /Bad CONNECT.*does not know this login/],
        [`ws://127.0.0.1:${port}/ws`, { queue: { ...queue, name: "none" } }, /STOMP died.*no such queue/],
        [`ws://127.0.0.1:${port}/ws`, through(closed), /through the proxy: ECONNREFUSED.*global_proxy/],
        [
          `ws://127.0.0.1:${port}/ws`,
          through(hangingUp),
          /through the proxy: (ECONNRESET|socket hang up).*global_proxy/
        ],
        [`ws://127.0.0.1:${mute}/ws`, { timing: { ...quick, connect: 300 } }, /stomp_ws_port.*firewall/]
      ]
      yield* Effect.forEach(
        cases,
        ([url, more, wanted]) =>
          Effect.map(probe(url, more), ({ detail, ok }) => {
            expect(ok, detail).toBe(false)
            expect(detail).toMatch(wanted)
            expect(detail.startsWith(`${url}: `), detail).toBe(true)
            expect(detail).not.toMatch(/wrong-passcode|secret|\n/)
          }),
        { concurrency: "unbounded", discard: true }
      )
      expect((yield* probe(`wss://127.0.0.1:${tls}/ws`, { transport: { tls: { caFile: certificateFile } } })).ok).toBe(
        true
      )
    })
  )
})

describe("site-actors check", () => {
  scenario("has a row for events where they are on, and none where they are not", () =>
    Effect.gen(function* () {
      const site = yield* makeSite({ vdcOffering: { stomp_enabled: true, websocket_use_tls: false } })
      const rowsOf = (index: number) =>
        Effect.gen(function* () {
          const offering = site.config.offerings[index] ?? (yield* Effect.dieMessage("none"))
          const memoMap = yield* Layer.makeMemoMap
          const rows = yield* checkOffering({
            offering,
            waldur: connectWaldur(offering),
            backend: (known) => openBackend(offering, known, memoMap)
          })
          return rows.filter(({ subject }) => subject === "events")
        })
      expect(yield* rowsOf(0)).toMatchObject([
        { status: "ok", detail: expect.stringContaining("subscribed to subscription_") }
      ])
      expect(yield* rowsOf(1)).toEqual([])

      site.marketplace.broker.behaviour.refuseUpgrade = 404
      expect(yield* rowsOf(0)).toMatchObject([{ status: "failed", detail: expect.stringContaining("stomp_ws_path") }])
      site.marketplace.intercept(({ path }) =>
        path.includes("marketplace-site-agent-identities") ? { _tag: "Status", status: 404 } : undefined
      )
      expect(yield* rowsOf(0)).toMatchObject([{ status: "warning" }])
    })
  )
})

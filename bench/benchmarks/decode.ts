/**
 * `vmpool.infoextended` of 10,000 machines, 25 MB, decoded as the agent decodes it: how fast, how long nothing else gets its turn, how much memory.
 */
import { readFileSync } from "node:fs"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { Effect, Option } from "effect"
import { vmPool } from "../../src/opennebula/model/vm.js"
import { decodeAnswer } from "../../src/opennebula/wire/response.js"
import type { Figure } from "../figures.js"
import type { Given } from "../site/bench.js"

/** A recorded answer with two machines (recording 212), its machines repeated until there are so many. */
const recorded = "test/fixtures/opennebula/212-one.vmpool.infoextended-full.res.xml"
const chunkBytes = 65_536

const answerWith = (machines: number): Buffer => {
  const text = readFileSync(recorded, "utf8")
  const first = text.indexOf("&lt;VM&gt;")
  const end = text.lastIndexOf("&lt;/VM&gt;") + "&lt;/VM&gt;".length
  const body = text.slice(first, end)
  const count = body.split("&lt;VM&gt;").length - 1
  return Buffer.from(text.slice(0, first) + body.repeat(Math.ceil(machines / count)) + text.slice(end))
}

export const decode = (given: Given) =>
  Effect.gen(function* () {
    const bytes = answerWith(given.tiny ? 10 : 10_000)
    const decodeOnce = Effect.suspend(() => {
      let at = 0
      const next = Effect.sync(() => {
        if (at >= bytes.length) return Option.none<Uint8Array>()
        const chunk = bytes.subarray(at, at + chunkBytes)
        at += chunkBytes
        return Option.some<Uint8Array>(chunk)
      })
      const call = { method: "one.vmpool.infoextended", endpoint: "" }
      return decodeAnswer(vmPool, next, { call, limitBytes: 1e9, redact: (text) => text })
    })
    yield* decodeOnce
    globalThis.gc?.()
    const before = process.memoryUsage().rss
    let most = before
    const delay = monitorEventLoopDelay({ resolution: 1 })
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss)
    }, 20)
    delay.enable()
    const began = performance.now()
    const vms = yield* decodeOnce
    const milliseconds = performance.now() - began
    delay.disable()
    clearInterval(watch)
    const speed = bytes.length / 1000 / milliseconds
    return [
      {
        what: "Decoding 25 MB of 10,000 VMs: speed",
        value: speed,
        unit: "MB/s",
        reach: { atLeast: 40 },
        work: milliseconds / (bytes.length / 1_000_000),
        note: `${(bytes.length / 1_000_000).toFixed(1)} MB, ${vms.length} VMs`
      },
      {
        what: "Decoding 25 MB of 10,000 VMs: longest pause",
        value: delay.max / 1e6,
        unit: "ms",
        reach: { atMost: 50 }
      },
      {
        what: "Decoding 25 MB of 10,000 VMs: memory beyond what there was",
        value: Math.max(0, most - before) / 1_000_000,
        unit: "MB",
        reach: { atMost: 120 }
      }
    ] satisfies ReadonlyArray<Figure>
  })

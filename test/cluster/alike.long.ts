/** Two processes over one PostgreSQL whose files differ. */
import { expect } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { parse, stringify } from "yaml"
import { AgentMain, long, withAgent } from "../crash/harness.js"
import { orNever } from "../crash/waits.js"
import { makeClusterSite } from "./site.js"

const takeover = 3

withAgent("two processes over one PostgreSQL", (it) => {
  it.scoped(
    "say so, each of them, where one has other offerings or settings than the rest",
    () =>
      Effect.gen(function* () {
        const main = yield* AgentMain
        const site = yield* makeClusterSite({
          main,
          processes: 2,
          takeover,
          file: (name, text) => {
            if (name === 1) return text
            const { offerings, ...rest } = parse(text)
            const [vdc] = offerings
            const backend_settings = { ...vdc.backend_settings, internal_network_base: "172.16.0.0" }
            return stringify({ ...rest, offerings: [{ ...vdc, backend_settings }] })
          }
        })
        const [first, second] = site.nodes
        if (first === undefined || second === undefined) return
        const said = (node: typeof first, ...sentences: ReadonlyArray<string>) =>
          Effect.sync(() => node.agent.output()).pipe(
            Effect.delay("100 millis"),
            Effect.repeat({ until: (output) => sentences.every((sentence) => output.includes(sentence)) }),
            orNever(() => `${sentences.join(", ")} in ${node.agent.output()}`)
          )
        const { vdcOffering, vmOffering } = site.world
        const settings = `(${vdcOffering.uuid}) has other settings at `
        const what = ": backend_settings.internal_network_base. "
        yield* said(first, settings, what, `(${vmOffering.uuid}) is not in the configuration of `)
        yield* said(second, settings, what, `(${vmOffering.uuid}) of `, " is not in the configuration of this process.")
        const rows = yield* Effect.flatMap(
          site.query("SELECT settings AS line FROM cluster_runner WHERE settings IS NOT NULL"),
          Schema.decodeUnknown(Schema.Array(Schema.Struct({ line: Schema.String })))
        )
        expect(rows).toHaveLength(2)
        expect(JSON.stringify(rows)).not.toMatch(/credential|token|passw/i)
      }),
    long
  )
})

/** `site-actors order-test`: an order from a template through the whole agent, on a simulated cloud or the offering's own. */
import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Either } from "effect"
import * as Agent from "../../../src/runtime/agent.js"
import { listenForOpening, tryOrder } from "../../../src/runtime/order-test/run.js"
import { makeStage } from "../../../src/runtime/order-test/stage.js"
import { readOrder, render, type TestOrder } from "../../../src/runtime/order-test/template.js"
import { makeSite, type Site, scenario } from "../../support/agent.js"
import { typed } from "../../support/commands.js"

const examples = `${import.meta.dirname}/../../../examples`

const trying = (site: Site, offering: "VDC" | "VM", template: string, options: { real: boolean; keep: boolean }) =>
  Effect.flatMap(readOrder(`${examples}/${template}`, new Map([["name", "trial"]])), (order) =>
    tryingOrder(site, offering, order, options)
  )

const tryingOrder = (site: Site, offering: "VDC" | "VM", order: TestOrder, options: { real: boolean; keep: boolean }) =>
  Effect.gen(function* () {
    const chosen = site.config.offerings.find(({ name }) => name === offering)
    if (chosen === undefined) throw new Error(`no offering ${offering}`)
    const stage = yield* makeStage(site.config, { offering: chosen, order, real: options.real })
    return yield* Effect.gen(function* () {
      const opened = yield* listenForOpening
      yield* Effect.forkScoped(Agent.run(stage.config))
      yield* opened
      return yield* tryOrder(stage, options.keep)
    }).pipe(Effect.scoped, Effect.provide(Agent.layer(stage.dataDir, "order-test")))
  })

describe("a test order", () => {
  scenario(
    "of either offering is created, changed and ended on a simulated cloud, and the real one hears nothing",
    () =>
      Effect.gen(function* () {
        const site = yield* makeSite()
        for (const [offering, template] of [
          ["VDC", "order-vdc.yaml"],
          ["VM", "order-vm.yaml"]
        ] as const) {
          const tried = yield* trying(site, offering, template, { real: false, keep: false })
          expect(tried.map(({ operation, state }) => `${operation} ${state}`)).toEqual([
            "create done",
            "change done",
            "terminate done"
          ])
        }
        expect(site.cloud.calls).toEqual([])
        expect(site.marketplace.calls).toEqual([])
      })
  )

  scenario(
    "on the offering's own cloud makes real things, and leaves nothing of them but what it was told to keep",
    () =>
      Effect.gen(function* () {
        const site = yield* makeSite()
        yield* trying(site, "VDC", "order-vdc.yaml", { real: true, keep: false })
        expect(site.made()).toEqual([])
        yield* trying(site, "VDC", "order-vdc.yaml", { real: true, keep: true })
        expect(site.made().some((object) => object.startsWith("group"))).toBe(true)
        expect(site.marketplace.calls).toEqual([])
      })
  )
})

describe("a test order of an offering that cannot be opened", () => {
  scenario("ends with the reason, and does not wait until that is mended", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const misspelt = { name: "trial", attributes: {}, amounts: { cpus: 4 } }
      const failed = yield* Effect.flip(tryingOrder(site, "VDC", misspelt, { real: false, keep: false }))
      expect(String(failed)).toContain("Waldur sells the component cpus by limit")
    })
  )
})

describe("a test order of another offering", () => {
  scenario("is refused before anything is tried, with what this one sells", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const { ending, failure, out } = yield* typed(
        ...["order-test", "-c", site.file, `${examples}/order-vm.yaml`, "--set", "name=trial", "--offering", "VDC"]
      )
      expect({ ending, out }).toEqual({ ending: "failed", out: "" })
      expect(failure).toMatch(
        /it names vcpu, vm_ram, vm_disk, and orders for "VDC" \(opennebula-vdc\) can name .*cpu.*\. Correct them, or name the offering/
      )
    })
  )
})

describe("a template", () => {
  it("has its values put in, and none of them adds anything to it", () => {
    const values = new Map([
      ["name", 'a"\namounts: { cpu: 99 }'],
      ["cpu", "2"]
    ])
    expect(Either.getOrNull(render('name: "{{name}}"\namounts: { cpu: {{ cpu }} }', values))).toBe(
      'name: "a\\"\\namounts: { cpu: 99 }"\namounts: { cpu: 2 }'
    )
  })

  it("without a value for one of its places says which", () => {
    expect(render("name: {{who}}", new Map())).toEqual(Either.left("it has places without a value: give --set who=..."))
  })

  it.scoped(
    "that is no order says once what one has, and what this one has or lacks, and prints nothing of a file of secrets",
    () =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const file = yield* files.makeTempFileScoped()
        const refused = (text: string) =>
          files.writeFileString(file, text).pipe(
            Effect.zipRight(Effect.flip(readOrder(file, new Map()))),
            Effect.map(({ message }) => message.replace(/^The order in \S+ cannot be used: /, ""))
          )
        const needed = "An order has name and amounts, and may have attributes and change: see examples/order-vdc.yaml."
        for (const other of ["oneadmin:swordfish", "- swordfish", ""])
          expect(yield* refused(other)).toBe(`it is no order. ${needed}`)
        expect(yield* refused("offerings: []\ndata_dir: x\n")).toBe(
          `it lacks name and amounts; it has what no order has: offerings, data_dir. ${needed}`
        )
        expect(yield* refused("name: a\namounts: { cpu: 1 }\nchanges: {}")).toBe(
          `it has what no order has: changes. ${needed}`
        )
        expect(yield* refused('name: ""\namounts: { cpu: two }')).toMatch(
          /^name: .*non empty.*; amounts\.cpu: .*number/
        )
        expect(yield* refused("name: a\nb: [")).toMatch(/^it is not valid YAML, at line \d\.$/)
      }).pipe(Effect.provide(NodeContext.layer))
  )
})

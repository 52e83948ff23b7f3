import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Logger, Option, Schema, TestClock } from "effect"
import { fragile } from "../../../test/support/fragile.js"
import { defineBackend, notedIn, OfferingId, type Plugin } from "../../core/index.js"
import { accepted, file, noticed, plugin, refused, withLine } from "../config/harness.js"
import { plugins as own } from "../plugins.js"
import { admit } from "./admit.js"
import { loadPlugins } from "./index.js"

const fixture = (name: string) => resolve("test/fixtures/plugins", name)
const naming = (...names: ReadonlyArray<string>) => `${file()}\nplugins: ${JSON.stringify(names)}`
const served = (type: string, ...names: ReadonlyArray<string>) =>
  [
    withLine("backend_type", `    backend_type: ${type}`)
      .replace(/order_processing_backend: .*/, `order_processing_backend: ${type}`)
      .replace(/ {6}api_url.*\n.*$/, "      region: north"),
    `plugins: ${JSON.stringify(names)}`
  ].join("\n")
const context = {
  offering: OfferingId.make("a".repeat(32)),
  name: "Here",
  settings: { region: "north" },
  components: []
}
const openIt = (it: Plugin) => Effect.flatMap(Layer.makeMemoMap, (memoMap) => it.open(context, memoMap))

describe("plugins of the configuration", () => {
  it("come in by path, several in one module, and serve offerings", async () => {
    const config = await accepted(served("idle-two", fixture("two.ts")))
    expect(config.offerings[0]?.plugin.type).toBe("idle-two")
    expect(await refused(served("idle-three", fixture("two.ts")))).toEqual([
      expect.stringContaining("Known backends: idle-one, idle-two, opennebula-vdc, opennebula-vm.")
    ])
  })

  it("have their settings read by their own schema", async () => {
    const wrong = served("idle-one", fixture("two.ts")).replace("region: north", "regoin: north")
    expect((await refused(wrong)).join("\n")).toMatch(
      /backend_settings.regoin is not a known key.*Did you mean region/s
    )
  })

  it("are found as packages from the configuration's folder upwards, by what their package.json says", async () => {
    const folder = await mkdtemp(join(tmpdir(), "site-actors-plugins-"))
    try {
      const packages = {
        "@acme/proxmox": [{ exports: { ".": { types: "./x.d.ts", import: "./lib/main.mjs" } } }, "lib/main.mjs"],
        plain: [{ main: "main.mjs" }, "main.mjs"],
        "only-subpath": [{ exports: { "./vdc": "./vdc.mjs" } }, "vdc.mjs"]
      } as const
      for (const [name, [manifest, entry]] of Object.entries(packages)) {
        const root = join(folder, "node_modules", name)
        await mkdir(dirname(join(root, entry)), { recursive: true })
        await writeFile(join(root, "package.json"), JSON.stringify(manifest))
        await writeFile(join(root, entry), `export default { contract: 1, type: "My ${name}" }`)
      }
      const names = ["@acme/proxmox", "plain", "only-subpath/vdc", "only-subpath", "absent"]
      const { refused } = await Effect.runPromise(loadPlugins(names, join(folder, "etc", "config.yaml"), own))
      expect(refused.map(({ what }) => what)).toEqual([
        'calls itself "My @acme/proxmox", which cannot stand in backend_type',
        'calls itself "My plain", which cannot stand in backend_type',
        'calls itself "My only-subpath", which cannot stand in backend_type',
        'names a module that is not there: "only-subpath"',
        'names a module that is not there: "absent"'
      ])
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

describe("what the door turns away", () => {
  it("is said with its place in the file, what is wrong, and what to do", async () => {
    expect(await refused(naming("./none.js", fixture("wrong.ts")))).toEqual([
      '11:11: plugins[0] names a module that is not there: "./none.js". A path begins at the configuration\'s folder, /etc/site-actors. Plugins in TypeScript are named by what they are compiled to.',
      expect.stringMatching(/^11:\d+: plugins\[1\] exports no plugin\. .*default export/),
      expect.stringMatching(/version 2 of the plugin contract, and this agent has version 1\. Upgrade site-actors/),
      expect.stringMatching(/version 0 of the plugin contract, .* Take a newer version of the plugin/),
      expect.stringMatching(/calls itself "My Backend", which cannot stand in backend_type\./),
      expect.stringMatching(/has settings that are no schema\./),
      expect.stringMatching(/has not the shape of a plugin\. Make it with `defineBackend`/)
    ])
  })

  it("is what was compiled to CommonJS, and how it is compiled otherwise", () => {
    expect(admit({ __esModule: true, default: plugin("idle-one") }, [])).toMatchObject({
      left: { what: "exports no plugin", hint: expect.stringContaining('"type": "module"') }
    })
  })

  it("is a name that another plugin has, whoever was first", async () => {
    const twice = await refused(naming(fixture("two.ts"), fixture("two.ts")))
    expect(twice).toHaveLength(2)
    expect(twice[0]).toMatch(/plugins\[1\] is called idle-\w+, as a plugin that is loaded already/)
    const { refused: ours } = await Effect.runPromise(loadPlugins([fixture("two.ts")], "/x.yaml", [plugin("idle-one")]))
    expect(ours).toMatchObject([{ at: 0, what: "is called idle-one, as a plugin that is loaded already" }])
  })

  it("is no less so for a plugin of this build", async () => {
    const twice = Effect.runPromise(loadPlugins([], "/x.yaml", [...own, ...own]))
    await expect(twice).rejects.toThrow("A plugin of this build is called opennebula-vdc")
  })
})

describe("a plugin that breaks while it is imported", () => {
  it("is a notice, and leaves the offerings of others alone", async () => {
    const notices = await noticed(naming(fixture("breaks.ts")))
    expect(notices).toEqual([
      expect.stringMatching(
        /^11:\d+: plugins\[0\] broke while it was loaded: .*breaks\.ts, Error: the library of the cloud is not installed\. Offerings of its backends take no orders/
      )
    ])
  })

  const reasons = (name: string) =>
    Effect.map(loadPlugins([fixture(name)], "/x.yaml", own), ({ broken, plugins }) => [
      ...broken.map(({ reason }) => reason),
      plugins.at(-1)?.type
    ])

  it.effect("is waited for for 30 s, if it does not end", () =>
    Effect.gen(function* () {
      const loading = yield* Effect.fork(reasons("waits.ts"))
      // A second at a time, as it is only waited for once the file has been found.
      while (Option.isNone(yield* Fiber.poll(loading))) {
        yield* TestClock.adjust("1 second")
        yield* Effect.promise(() => new Promise((done) => setImmediate(done)))
      }
      expect(yield* Fiber.join(loading)).toEqual([
        "it had not ended after 30 s: something at its top waits",
        "not-loaded"
      ])
    })
  )

  it.effect("or breaks when it is looked at, is no bug of the agent's", () =>
    Effect.map(reasons("bites.ts"), (found) => expect(found).toEqual(["Error: hands off", "not-loaded"]))
  )

  it.effect("closes the offerings that name what nobody else serves, and says why", () =>
    Effect.gen(function* () {
      const config = yield* Effect.promise(() => accepted(served("proxmox", fixture("breaks.ts"))))
      const [offering] = config.offerings
      const fault = yield* Effect.flip(openIt(offering?.plugin ?? plugin("none")))
      expect(fault.message).toMatch(/has no plugin: .*breaks\.ts broke while it was loaded.*not installed/)
    }).pipe(Effect.scoped)
  )
})

describe("a bug in a plugin", () => {
  const loaded = (name: string, type: string) =>
    Effect.map(
      loadPlugins([fixture(name)], "/x.yaml", own),
      ({ plugins }) => plugins.find((one) => one.type === type) ?? plugin("none")
    )

  it.effect("in `open` is a fault of its offering", () =>
    Effect.gen(function* () {
      const fault = yield* Effect.flip(openIt(yield* loaded("dies-at-open.ts", "dies-at-open")))
      expect(fault).toMatchObject({ _tag: "OfferingFault", disposition: "stop-offering" })
      expect(fault.message).toContain("has a bug in `open`: TypeError: Cannot read properties of undefined")
    }).pipe(Effect.scoped)
  )

  it.effect("in a question is an answer to ask for again, and in `check` a failed row", () =>
    Effect.gen(function* () {
      const backend = yield* openIt(yield* loaded("two.ts", "idle-one"))
      expect(yield* Effect.flip(backend.ping)).toMatchObject({ _tag: "PluginBug", disposition: "retry" })
      expect(yield* backend.check).toEqual([
        { subject: "idle-one", status: "failed", detail: "A bug in `check`: a bug in check" }
      ])
    }).pipe(Effect.scoped)
  )

  it.effect("in what an order waits for has the order's handler run instead", () =>
    Effect.gen(function* () {
      const plugin = fragile(() => false)
      const broken: Plugin = {
        ...plugin,
        open: (context, memoMap) =>
          Effect.map(plugin.open(context, memoMap), (backend) => ({
            ...backend,
            waitsFor: () => {
              throw new TypeError("no such step")
            }
          }))
      }
      const { plugins } = yield* loadPlugins([], "/x.yaml", [broken])
      const { waitsFor } = yield* openIt(plugins[0] ?? broken)
      expect(yield* waitsFor === undefined ? Effect.void : waitsFor(notedIn([]))).toEqual(Option.none())
    }).pipe(Effect.scoped)
  )

  it.effect("may come from another version of effect beside it: that is said when it is opened", () =>
    Effect.gen(function* () {
      const said: Array<string> = []
      const of = { ...Effect.void[Effect.EffectTypeId], _V: "3.1.4" }
      const ping: Effect.Effect<void> = Object.create(Effect.void, { [Effect.EffectTypeId]: { value: of } })
      const nothing = () => Effect.succeed({})
      const older = defineBackend({
        contract: 1,
        type: "older",
        settings: Schema.Struct({ region: Schema.String }),
        attributes: Schema.Struct({}),
        shared: Layer.empty,
        open: () =>
          Effect.succeed({
            create: nothing,
            update: nothing,
            terminate: nothing,
            usage: () => Effect.succeed([]),
            observe: () => Effect.succeed([]),
            ping,
            check: Effect.succeed([])
          })
      })
      const { plugins } = yield* loadPlugins([], "/x.yaml", [older])
      yield* openIt(plugins[0] ?? older).pipe(
        Effect.provide(
          Logger.replace(
            Logger.defaultLogger,
            Logger.make(({ message }) => said.push(String(message)))
          )
        )
      )
      expect(said).toEqual([
        expect.stringMatching(
          /^The plugin older runs on effect 3\.1\.4 of its own, and this agent on 3\.\d+\.\d+\. Install effect@3/
        )
      ])
    }).pipe(Effect.scoped)
  )

  it.effect("that leaves out a handler is found when it is opened", () =>
    Effect.gen(function* () {
      const half = defineBackend({
        contract: 1,
        type: "half",
        settings: Schema.Struct({ region: Schema.String }),
        attributes: Schema.Struct({}),
        shared: Layer.empty,
        open: () => Effect.succeed(JSON.parse("{}"))
      })
      const { plugins } = yield* loadPlugins([], "/x.yaml", [half])
      const fault = yield* Effect.flip(openIt(plugins[0] ?? half))
      expect(fault.message).toContain(
        "opened without `create`, `update`, `terminate`, `usage`, `observe`, `ping`, `check`"
      )
    }).pipe(Effect.scoped)
  )
})

/** `site-actors init`, against both simulators: the file that it writes is one that `check` passes. */
import { FileSystem, Path, Terminal } from "@effect/platform"
import { describe, expect } from "@effect/vitest"
import { ConfigProvider, Console, Effect, Mailbox, Option, Redacted } from "effect"
import { OpenNebulaConnections } from "../../src/opennebula/index.js"
import { loadConfig } from "../../src/runtime/config/index.js"
import { fileOf, type Given, interview } from "../../src/runtime/init/index.js"
import { writeNew } from "../../src/runtime/new-file.js"
import { plugins } from "../../src/runtime/plugins.js"
import * as OpenNebula from "../../src/simulator/opennebula/index.js"
import * as Waldur from "../../src/simulator/waldur/index.js"
import { scenario } from "../support/agent.js"
import { typed } from "../support/commands.js"

/** Both servers, and an empty folder. */
const makePlace = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const folder = yield* files.makeTempDirectoryScoped({ prefix: "site-actors-init-" })
  const cloud = yield* OpenNebula.serve({ port: 0 })
  const served = yield* Waldur.serve({ seed: 1 })
  const world = yield* Waldur.demoWorld(served.marketplace)
  const waldurUrl = `${served.url}/api/`
  const session: string = cloud.frontEnd.session
  return { cloud, folder, session, waldurUrl, world, at: (name: string) => path.join(folder, name) }
})

const environment = (variables: Readonly<Record<string, string>>) =>
  Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables))))

const plain = (name: string) => ({ input: Option.none(), key: { name, ctrl: false, meta: false, shift: false } })
const keysOf = (text: string): ReadonlyArray<Terminal.UserInput> =>
  [...text].map((letter) => ({ ...plain(letter), input: Option.some(letter) }))
const enter = plain("enter")
const line = (text: string) => [...keysOf(text), enter]

/** Somebody at a terminal who has typed all that ahead. */
const somebody = (keys: ReadonlyArray<Terminal.UserInput>) =>
  Effect.gen(function* () {
    const input = yield* Mailbox.make<Terminal.UserInput>()
    yield* input.offerAll(keys)
    const seen: Array<string> = []
    const terminal = Terminal.Terminal.of({
      columns: Effect.succeed(200),
      rows: Effect.succeed(50),
      isTTY: Effect.succeed(true),
      readInput: Effect.succeed(input),
      readLine: Effect.die("not used"),
      display: (text) => Effect.sync(() => void seen.push(text))
    })
    return { terminal, seen }
  })

const nothingGiven: Given = {
  waldurUrl: Option.none(),
  waldurTokenFile: Option.none(),
  waldurCaFile: Option.none(),
  offerings: [],
  openNebulaUrl: Option.none(),
  openNebulaCredentialsFile: Option.none(),
  openNebulaCaFile: Option.none(),
  zone: Option.none(),
  clusters: Option.none(),
  externalNetwork: Option.none(),
  routerTemplate: Option.none(),
  template: Option.none(),
  dataDir: Option.none()
}

describe.concurrent("site-actors init", () => {
  scenario("writes a file from its options that check passes, with secrets left where they are", () =>
    Effect.gen(function* () {
      const place = yield* makePlace
      const files = yield* FileSystem.FileSystem
      const file = place.at("config.yaml")
      const credentials = place.at("one_auth")
      yield* files.writeFileString(credentials, `${place.session}\n`, { mode: 0o600 })
      const words = [
        ...["init", "-o", file, "--waldur-url", place.waldurUrl, "--offering", "OpenNebula VDC=vdc"],
        ...["--offering", `${place.world.vmOffering.uuid}=vm`, "--opennebula-url", place.cloud.url],
        ...["--opennebula-credentials-file", credentials, "--external-network", "public"],
        ...["--router-template", "vrouter", "--template", "2", "--data-dir", place.at("data")]
      ]
      const variables = environment({ WALDUR_API_TOKEN: place.world.agentToken })
      const written = yield* variables(typed(...words))
      expect(written).toMatchObject({ ok: true, err: "" })
      expect(written.out).toContain("Waldur knows it as site-agent, who sees 2 offerings.")
      expect(written.out).toContain(`site-actors check -c ${file}`)
      expect((yield* files.stat(file)).mode & 0o777).toBe(0o600)
      const text = yield* files.readFileString(file)
      expect(text).not.toContain(place.world.agentToken)
      expect(text).not.toContain(place.session)

      const checked = yield* variables(typed("check", "-c", file))
      expect(checked).toMatchObject({ ok: true })
      expect(checked.out).toContain("0 failed")
      expect(checked.out).toContain("external network 0")

      const again = yield* variables(typed(...words))
      expect(again.failure).toBe(
        `${file} is there already, and is not overwritten: name another with --output, or move it away.`
      )
      expect(yield* files.readFileString(file)).toBe(text)
    })
  )

  scenario("says what is missing where there is nobody to ask, and what is wrong with an answer", () =>
    Effect.gen(function* () {
      const place = yield* makePlace
      const file = place.at("config.yaml")
      const none = environment({})
      const at = ["init", "-o", file, "--waldur-url", place.waldurUrl]
      expect((yield* none(typed(...at, "--offering", "OpenNebula VM=vm"))).failure).toBe(
        "There is no terminal to ask at, and these answers are missing: --waldur-token-file (or the variable WALDUR_API_TOKEN), --opennebula-url, --opennebula-credentials-file (or the variable OPENNEBULA_CREDENTIALS), --template. Give them on the command line (site-actors init --help), or run it in a terminal."
      )
      const all = (more: Readonly<Record<string, string>>, ...words: ReadonlyArray<string>) =>
        environment({
          WALDUR_API_TOKEN: place.world.agentToken,
          OPENNEBULA_CREDENTIALS: place.session,
          ...more
        })(typed(...at, "--opennebula-url", place.cloud.url, "--template", "2", ...words)).pipe(
          Effect.map(({ failure }) => failure ?? "")
        )
      const vm = ["--offering", "OpenNebula VM=vm"]
      expect(yield* all({ WALDUR_API_TOKEN: "f".repeat(40) }, ...vm)).toMatch(
        /^WALDUR_API_TOKEN: Waldur does not accept/
      )
      // In the words of what is asked: whoever runs this has not seen a key of the file yet.
      const servers = (waldur: string, openNebula: string) =>
        environment({ WALDUR_API_TOKEN: place.world.agentToken, OPENNEBULA_CREDENTIALS: place.session })(
          typed(
            ...["init", "-o", file, "--waldur-url", waldur, "--opennebula-url", openNebula, "--template", "2", ...vm]
          )
        ).pipe(Effect.map(({ failure }) => failure ?? ""))
      const wrong = [
        yield* all({ OPENNEBULA_CREDENTIALS: "oneadmin:wrong" }, ...vm),
        yield* servers(place.waldurUrl, place.waldurUrl),
        yield* servers(place.waldurUrl, "http://nowhere.invalid:2633/RPC2"),
        yield* servers("http://nowhere.invalid/api/", place.cloud.url)
      ]
      expect(wrong).toEqual([
        expect.stringMatching(/^OPENNEBULA_CREDENTIALS: .* does not accept .*Give user:password of an administrator/),
        expect.stringMatching(/^--opennebula-url: no OpenNebula answers at .* \(HTTP status 404\): give the address/),
        expect.stringMatching(/^--opennebula-url: OpenNebula cannot be reached .*correct OpenNebula's address/),
        expect.stringMatching(/^--waldur-url: Waldur cannot be reached .*correct Waldur's address/)
      ])
      for (const sentence of wrong) expect(sentence).not.toMatch(/backend_settings|api_url/)
      expect(yield* all({}, "--offering", "OpenNebula VX=vm")).toBe(
        `--offering: the token sees no offering "OpenNebula VX". It sees ${place.world.vdcOffering.uuid} (OpenNebula VDC), ${place.world.vmOffering.uuid} (OpenNebula VM).`
      )
      expect(yield* all({}, "--offering", "OpenNebula VM")).toContain("=vdc or <uuid or name>=vm.")
      expect(yield* all({}, ...vm, "--offering", `${place.world.vmOffering.uuid}=vm`)).toBe(
        '--offering: "OpenNebula VM" is named twice: name it once.'
      )
      expect(yield* all({}, ...vm, "--clusters", "0,7")).toBe(
        '--clusters: there is no cluster "7". OpenNebula has 0 (default).'
      )
      const files = yield* FileSystem.FileSystem
      expect(yield* files.exists(file)).toBe(false)
      const template = (name: string) =>
        environment({ WALDUR_API_TOKEN: place.world.agentToken, OPENNEBULA_CREDENTIALS: place.session })(
          typed(...at, "--opennebula-url", place.cloud.url, "--template", name, ...vm)
        )
      // Each order for a machine would err.
      expect((yield* template("vm-tiny")).failure).toBe(
        "--template: VM template 3 (vm-tiny) cannot be used: it has no disk, and OpenNebula VM sells its size. Mend it, or name another: 2 (vm-small)."
      )
      const told = environment({ WALDUR_API_TOKEN: place.world.agentToken, OPENNEBULA_CREDENTIALS: place.session })
      for (const [flag, path, why] of [
        ["--waldur-token-file", "/nowhere/token", "cannot be read: there is no such file. Name another."],
        ["--waldur-ca-file", "/nowhere/ca.pem", "cannot be read: there is no such file. Name another."],
        ["--opennebula-credentials-file", "/dev/null", "is none that stays: name one that does."]
      ] as const)
        expect(
          (yield* told(typed(...at, ...vm, "--opennebula-url", place.cloud.url, "--template", "2", flag, path))).failure
        ).toMatch(new RegExp(`^${flag}: .*${path} ${why}`))
      // By name and by id.
      expect(yield* all({}, ...vm, "--clusters", "default,0")).toBe("")
      expect(yield* files.readFileString(file)).toContain("cluster_ids: [0] # default")
    })
  )

  scenario("asks a person, says what does not hold, asks again, and keeps what was typed to the file alone", () =>
    Effect.gen(function* () {
      const place = yield* makePlace
      const files = yield* FileSystem.FileSystem
      const { terminal, seen } = yield* somebody([
        ...line("waldur"),
        ...line(place.cloud.url),
        ...line(place.waldurUrl),
        ...line("not the token"),
        ...line(place.world.agentToken),
        // The first of the two offerings, after "select all" and "inverse selection".
        ...[plain("down"), plain("down"), plain("space"), enter],
        ...[enter],
        ...line(place.waldurUrl),
        ...line(place.cloud.url),
        ...line("oneadmin:wrong"),
        ...line(place.session),
        // Network, template of routers, data directory.
        ...[enter, enter],
        ...line(place.at("data"))
      ])
      const said: Array<string> = []
      const hear = (...words: ReadonlyArray<unknown>) => Effect.sync(() => void said.push(words.join(" ")))
      const answers = yield* interview(nothingGiven, true).pipe(
        Effect.provide(OpenNebulaConnections.live()),
        Effect.provideService(Terminal.Terminal, terminal),
        Effect.withConsole({ ...(yield* Console.consoleWith(Effect.succeed)), log: hear, error: hear }),
        environment({}),
        Effect.scoped
      )
      expect(answers.offerings).toMatchObject([
        {
          kind: "opennebula-vdc",
          uuid: place.world.vdcOffering.uuid,
          network: { external: { id: 0, name: "public" }, routerTemplate: { name: "vrouter" } }
        }
      ])
      expect(said).toHaveLength(7)
      expect(said[0]).toContain("must be an address")
      expect(Redacted.value(answers.openNebula.credentials.value)).toBe(place.session)
      expect([...said, ...seen].join("\n")).not.toContain(place.world.agentToken)

      const file = place.at("typed.yaml")
      yield* writeNew(file, new TextEncoder().encode(fileOf(answers)))
      const config = yield* loadConfig(file, plugins)
      expect(config.offerings.map(({ id }) => id)).toEqual([place.world.vdcOffering.uuid])
      expect((yield* files.stat(file)).mode & 0o777).toBe(0o600)
      expect((yield* typed("check", "-c", file)).ok).toBe(true)
    })
  )

  scenario("writes nothing that a server says into the file as more than a comment or a name", () =>
    Effect.gen(function* () {
      const place = yield* makePlace
      const odd = `a"b: \${HOME}\nroot: 1`
      const file = place.at("odd.yaml")
      const token = { _tag: "Typed", value: Redacted.make(`to"ken \${X} #`) } as const
      const text = fileOf({
        waldur: { apiUrl: place.waldurUrl, token, caFile: undefined },
        openNebula: {
          apiUrl: place.cloud.url,
          credentials: { _tag: "Typed", value: Redacted.make(`a:\${b}`) },
          caFile: undefined,
          zone: { id: 0, name: odd },
          clusters: [{ id: 0, name: odd }]
        },
        offerings: [
          {
            uuid: place.world.vmOffering.uuid,
            name: odd,
            components: [],
            kind: "opennebula-vm",
            template: { id: 2, name: odd }
          }
        ],
        dataDir: odd
      })
      yield* writeNew(file, new TextEncoder().encode(text))
      const { dataDir, offerings } = yield* loadConfig(file, plugins)
      expect(dataDir).toEqual(Option.some(odd))
      const [only] = offerings
      expect(only?.name).toBe(odd)
      expect(only?.waldur.credentials).toEqual({ _tag: "Token", token: Redacted.make(`to"ken \${X} #`) })
      expect(Redacted.value(only?.backendSettings ?? Redacted.make({}))).toMatchObject({ credentials: `a:\${b}` })
    })
  )
})

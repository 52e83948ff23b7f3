/** What changes while the agent runs and somebody looks on: SIGHUP, and `site-actors logs --follow`. */
import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect } from "@effect/vitest"
import { Effect, Fiber, Logger, LogLevel } from "effect"
import { rereadLevels } from "../../src/runtime/cli/commands/run.js"
import { commandLine } from "../../src/runtime/cli/site-actors.js"
import { formats } from "../../src/runtime/logging.js"
import { levelled, logFile, logPath, makeLevels } from "../../src/runtime/logs/index.js"
import { scenario } from "../support/agent.js"

const until = (isIt: () => boolean) =>
  Effect.sync(isIt).pipe(Effect.delay("20 millis"), Effect.repeat({ until: (is) => is }), Effect.timeout("60 seconds"))

const configuration = (levels: string) => `${levels}
offerings:
  - name: VM
    waldur_api_url: https://waldur.example.com/api/
    waldur_api_token: t
    waldur_offering_uuid: 0ffe0000000040000000000000000002
    backend_type: opennebula-vm
    backend_settings: { api_url: "http://one:2633/RPC2", credentials: "a:b", template_id: 1 }
`

describe("SIGHUP", () => {
  scenario(
    "takes the levels from the file as it is now, keeps them where it is wrong, and is heard no more afterwards",
    () =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const file = `${yield* files.makeTempDirectoryScoped()}/config.yaml`
        const said: Array<string> = []
        const logger = Logger.make(({ message }) => void said.push(String(message)))
        const levels = makeLevels("INFO", { orders: "ERROR" })
        const before = process.listenerCount("SIGHUP")
        yield* Effect.gen(function* () {
          yield* rereadLevels(file, levels)
          yield* files.writeFileString(file, configuration("log_level: WARNING\nlog_levels: { waldur: DEBUG }"))
          process.emit("SIGHUP")
          yield* until(() => levels.logs("waldur", LogLevel.Debug))
          // Levels of the command line, and those that the file has no more, are gone too.
          expect(levels.logs("orders", LogLevel.Warning)).toBe(true)
          expect(levels.logs(undefined, LogLevel.Info)).toBe(false)
          yield* files.writeFileString(file, configuration("log_level: LOUD"))
          process.emit("SIGHUP")
          yield* until(() => said.some((line) => line.includes("the levels stay as they are")))
          expect(levels.logs("waldur", LogLevel.Debug)).toBe(true)
          expect(said.filter((line) => line.includes("Everything else needs a restart"))).toHaveLength(1)
        }).pipe(Effect.scoped, Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
        expect(process.listenerCount("SIGHUP")).toBe(before)
      })
  )
})

describe("site-actors logs --follow", () => {
  scenario("prints what comes, of one order alone, whole lines, and goes on in a new file", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const dataDir = yield* files.makeTempDirectoryScoped()
      const printed: Array<string> = []
      const own = yield* Effect.console
      const log = (...words: ReadonlyArray<unknown>) => Effect.sync(() => void printed.push(words.join(" ")))
      yield* Effect.gen(function* () {
        const file = yield* logFile(dataDir, formats.json([]))
        const saying = (message: string, order: string) =>
          Effect.logInfo(message).pipe(
            Effect.annotateLogs({ order }),
            Effect.provide(Logger.replace(Logger.defaultLogger, levelled(makeLevels("INFO"), [file])))
          )
        const path = logPath(dataDir)
        yield* saying("first", "aaaa1111")
        yield* fileHas(path, "first")
        const words = ["node", "site-actors", "logs", "aaaa", "--data-dir", dataDir, "--follow"]
        const following = yield* commandLine(words).pipe(
          Effect.withConsole({ ...own, log }),
          Effect.provide(NodeContext.layer),
          Effect.forkScoped
        )
        yield* until(() => printed.some((line) => line.includes("first")))
        yield* saying("another's", "bbbb2222")
        yield* saying("second", "aaaa1111")
        yield* until(() => printed.some((line) => line.includes("second")))

        // Half a line is not printed before its other half has come.
        const line = (yield* files.readFileString(path)).trimEnd().split("\n").at(-1) ?? ""
        const third = line.replace("second", "third")
        yield* files.writeFileString(path, third.slice(0, 20), { flag: "a" })
        yield* files.writeFileString(path, `${third.slice(20)}\n`, { flag: "a" })
        yield* until(() => printed.some((text) => text.includes("third")))
        // The agent has begun a new file, which is shorter.
        yield* files.writeFileString(path, `${line.replace("second", "fourth")}\n`)
        yield* until(() => printed.some((text) => text.includes("fourth")))
        yield* Fiber.interrupt(following)
        const unknown = commandLine(["node", "site-actors", "logs", "cccc", "--data-dir", dataDir])
        expect(String(yield* Effect.flip(Effect.provide(unknown, NodeContext.layer)))).toContain(
          'Nothing in the log is about an order or a resource whose uuid begins with "cccc"'
        )
      }).pipe(Effect.scoped)
      const order = ["first", "second", "third", "fourth"]
      expect(printed.map((line) => order.find((word) => line.includes(word)))).toEqual(order)
    })
  )
})

const fileHas = (path: string, text: string) =>
  Effect.flatMap(FileSystem.FileSystem, (files) => files.readFileString(path)).pipe(
    Effect.map((content) => content.includes(text)),
    Effect.orElseSucceed(() => false),
    Effect.delay("20 millis"),
    Effect.repeat({ until: (has) => has }),
    Effect.timeout("60 seconds")
  )

/** How much is logged, and the agent's own copy of it. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Either, Logger, LogLevel, Option } from "effect"
import { isAbout } from "../../src/runtime/cli/commands/logs.js"
import { answerTo, ask } from "../../src/runtime/control/requests.js"
import { formats, isJournal, withPriorities } from "../../src/runtime/logging.js"
import { LogLevelsInUse, levelled, linesIn, logFile, logPath, makeLevels } from "../../src/runtime/logs/index.js"
import { coloured, painted } from "../../src/runtime/terminal/paint.js"
import { makeSite, scenario } from "../support/agent.js"

describe("log levels", () => {
  it("are of everything and of single parts, and change while the agent runs", () => {
    const levels = makeLevels("INFO", { waldur: "DEBUG" })
    expect(levels.logs("waldur", LogLevel.Debug)).toBe(true)
    expect(levels.logs("orders", LogLevel.Debug)).toBe(false)
    expect(levels.logs(undefined, LogLevel.Info)).toBe(true)
    expect(Either.isRight(levels.change("waldur=error"))).toBe(true)
    expect(levels.logs("waldur", LogLevel.Warning)).toBe(false)
    expect(levels.change("waldur=")).toEqual(Either.right("waldur logs as everything does: INFO."))
    expect(Either.isRight(levels.change("=debug"))).toBe(true)
    expect(levels.logs("orders", LogLevel.Debug)).toBe(true)
    expect(Either.isLeft(levels.change("nobody=debug"))).toBe(true)
    expect(levels.change("orders=loud")).toEqual(
      Either.left('There is no level "loud": use one of DEBUG, INFO, WARNING, ERROR, CRITICAL.')
    )
  })

  scenario("are changed by who may write the journal's file, and the calls are heard from then on", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const levels = makeLevels("INFO")
      const agent = yield* Effect.provideService(site.start(), LogLevelsInUse, levels)
      const isCall = (line: string) => line.includes("part=waldur")
      yield* site.awaitLogged((line) => line.includes("Open: opennebula-vm"))
      expect(site.logged.some(isCall)).toBe(false)
      yield* Effect.gen(function* () {
        const id = yield* ask("log-level", "waldur=debug")
        const answer = yield* Effect.delay(answerTo(id), "50 millis").pipe(Effect.repeat({ until: Option.isSome }))
        expect(Option.getOrThrow(answer)).toMatchObject({ ok: true })
      }).pipe(Effect.provide(agent.services))
      yield* site.awaitLogged(isCall)
    })
  )
})

describe("the log in systemd's journal", () => {
  it.effect("has the level of each line before it, as journald takes it", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.map(
        withPriorities(formats.pretty([], false)),
        (text) => void lines.push(...text.split("\n"))
      )
      yield* Effect.logInfo("one").pipe(
        Effect.zipRight(Effect.logWarning("two").pipe(Effect.annotateLogs({ order: 2 }))),
        Effect.zipRight(Effect.logError("three")),
        Effect.provide(Logger.replace(Logger.defaultLogger, logger))
      )
      expect(lines.map((line) => line.replace(/\[.*?\] /, ""))).toEqual([
        "<6>INFO: one",
        "<4>WARN: two",
        "<4>    order: 2",
        "<3>ERROR: three"
      ])
    })
  )

  it("is where stdout leads, and not where it was led to since", () => {
    expect(isJournal("8:1234", { dev: 8, ino: 1234 })).toBe(true)
    expect(isJournal("8:1234", { dev: 8, ino: 99 })).toBe(false)
    expect(isJournal(undefined, { dev: 8, ino: 1234 })).toBe(false)
  })
})

describe("the log file", () => {
  scenario("is its owner's alone, has each line with its order, and no secret", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const dataDir = yield* files.makeTempDirectoryScoped()
      yield* Effect.gen(function* () {
        const file = yield* logFile(dataDir, formats.json(["very-secret-word"]))
        const logger = levelled(makeLevels("INFO"), [file])
        yield* Effect.gen(function* () {
          yield* Effect.logInfo("Accepted").pipe(Effect.annotateLogs({ order: "abc123", part: "orders" }))
          yield* Effect.logDebug("not wanted")
          yield* Effect.logWarning("The token is very-secret-word").pipe(Effect.annotateLogs({ resource: "def456" }))
        }).pipe(
          Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
          Logger.withMinimumLogLevel(LogLevel.Debug)
        )
      }).pipe(Effect.scoped)
      const lines = yield* linesIn(dataDir)
      expect(lines.map(({ message }) => message)).toEqual(["Accepted", "The token is <redacted>"])
      expect(lines.filter(isAbout("abc"))).toMatchObject([
        { level: "INFO", annotations: { order: "abc123", part: "orders" } }
      ])
      expect(lines.filter(isAbout("def")).map(({ level }) => level)).toEqual(["WARN"])
      const { mode } = yield* files.stat(logPath(dataDir))
      expect((mode & 0o777).toString(8)).toBe("600")
    })
  )
})

it.scopedLive("the log file has its first line whole after a process that was killed within one", () =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const dataDir = yield* files.makeTempDirectoryScoped()
    const say = (text: string) =>
      Effect.flatMap(logFile(dataDir, formats.json([])), (file) =>
        Effect.provide(Effect.logInfo(text), Logger.replace(Logger.defaultLogger, file))
      ).pipe(Effect.scoped)
    yield* say("before")
    yield* files.writeFileString(logPath(dataDir), '{"message":"cut o', { flag: "a" })
    yield* say("after")
    yield* say("and after that")
    expect((yield* linesIn(dataDir)).map(({ message }) => message)).toEqual(["before", "after", "and after that"])
    expect(yield* files.readFileString(logPath(dataDir))).not.toContain("\n\n")
  }).pipe(Effect.provide(NodeContext.layer))
)

it.scopedLive("the log file is written again when it can be", () =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const dataDir = yield* files.makeTempDirectoryScoped()
    // Where its folder should be.
    yield* files.writeFileString(`${dataDir}/log`, "")
    const file = yield* logFile(dataDir, formats.json([]), 0)
    const log = (text: string) => Effect.provide(Effect.logInfo(text), Logger.replace(Logger.defaultLogger, file))
    yield* log("lost")
    yield* Effect.repeat(Effect.delay(log("lost as well"), "5 millis"), { times: 5 })
    yield* files.remove(`${dataDir}/log`)
    const found = yield* log("here again").pipe(
      Effect.zipRight(Effect.delay(linesIn(dataDir), "10 millis")),
      Effect.repeat({ until: (lines) => lines.length > 0 }),
      Effect.timeout("1 minute")
    )
    expect(found[0]?.message).toBe("here again")
  }).pipe(Effect.provide(NodeContext.layer))
)

describe("colours", () => {
  it("are for terminals, and for those who did not set NO_COLOR", () => {
    expect(coloured({ isTTY: true }, {})).toBe(true)
    expect(coloured({ isTTY: true }, { NO_COLOR: "1" })).toBe(false)
    expect(coloured({ isTTY: true }, { TERM: "dumb" })).toBe(false)
    expect(coloured({}, {})).toBe(false)
    expect(painted("done", false)).toBe("done")
    expect(painted("done", true)).toBe("\u001b[32mdone\u001b[0m")
  })
})

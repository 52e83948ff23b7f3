/** `site-actors logs` and `log-level`: what the agent says, and how much of it. */
import { Args, Command, Options } from "@effect/cli"
import * as FileSystem from "@effect/platform/FileSystem"
import { Console, Effect, Option, Ref, Schedule } from "effect"
import { inTheWay } from "../../database/whose.js"
import { type LogLine, linesIn, logPath, parts } from "../../logs/index.js"
import { linesOf } from "../../logs/read.js"
import { painted } from "../../terminal/paint.js"
import { described } from "../help.js"
import { dataDirectory, journalAt, NotPossible, request } from "../open-journal.js"
import * as options from "../options.js"

const uuid = Args.text({ name: "uuid" }).pipe(
  Args.withDescription("An order's or a resource's uuid, or its beginning. Without one: everything."),
  Args.optional
)
const follow = Options.boolean("follow").pipe(
  Options.withAlias("f"),
  Options.withDescription("Go on printing what comes, until Ctrl-C.")
)
const lines = options
  .wholeNumber("lines", 0, 1_000_000)
  .pipe(
    Options.withAlias("n"),
    Options.withDescription("How many of the last lines to print; 100 if it is not said."),
    Options.withDefault(100)
  )

/** Lines about an order or a resource; all of them if nothing is wanted. */
export const isAbout =
  (wanted: string | undefined) =>
  ({ annotations }: LogLine): boolean =>
    wanted === undefined || [annotations.order, annotations.resource].some((id) => id?.startsWith(wanted))

const hidden = new Set(["order", "resource", "offering", "trace_id", "span_id"])

const shown = (line: LogLine): string => {
  const { annotations } = line
  const about = [annotations.offering, annotations.order?.slice(0, 8)].filter((part) => part !== undefined).join(" ")
  const rest = Object.entries(annotations)
    .filter(([key]) => !hidden.has(key))
    .map(([key, value]) => `${key}=${value}`)
  const first = [line.at.slice(0, 23).replace("T", " "), painted(line.level), about, line.message, ...rest]
  const cause = line.cause === "" ? [] : line.cause.split("\n").map((text) => `    ${text}`)
  return [first.filter((part) => part !== "").join("  "), ...cause].join("\n")
}

export const logs = Command.make("logs", { uuid, ...options.journal, follow, lines, json: options.json }, (given) =>
  Effect.gen(function* () {
    const directory = yield* dataDirectory(given)
    const wanted = Option.getOrUndefined(Option.map(given.uuid, (text) => text.replaceAll("-", "").toLowerCase()))
    const files = yield* FileSystem.FileSystem
    const file = logPath(directory)
    const isThere = files.access(file, { readable: true }).pipe(
      Effect.as(true),
      Effect.catchIf(
        (error) => error._tag === "SystemError" && error.reason === "NotFound",
        () => Effect.succeed(false)
      ),
      Effect.mapError((error) => {
        const { hint, reason } = inTheWay(directory, error)
        return new NotPossible({ reason: `The log ${file} cannot be read: ${reason}. ${hint}` })
      })
    )
    if (!(yield* isThere)) {
      return yield* new NotPossible({
        reason: `There is no log at ${file}. Name the agent's data directory with --data-dir, or its configuration with -c; log_file: false keeps none.`
      })
    }
    const print = (all: ReadonlyArray<LogLine>) =>
      Effect.forEach(all, (line) => Console.log(given.json ? line.text : shown(line)), { discard: true })
    const before = Number((yield* files.stat(file)).size)
    const known = (yield* linesIn(directory)).filter(isAbout(wanted))
    if (wanted !== undefined && known.length === 0 && !given.follow) {
      return yield* new NotPossible({
        reason: `Nothing in the log is about an order or a resource whose uuid begins with ${JSON.stringify(wanted)}: it may be older than what is kept. \`site-actors orders\` lists what the journal knows.`
      })
    }
    yield* print(given.lines === 0 ? [] : known.slice(-given.lines))
    if (!given.follow) return
    // Looked at again and again: what file systems tell of changes differs from one to the next.
    const read = yield* Ref.make(before)
    yield* Effect.gen(function* () {
      const size = Number((yield* files.stat(file)).size)
      const from = yield* Ref.get(read)
      if (size === from) return
      // Smaller: the agent has begun a new file.
      const text = (yield* files.readFile(file)).subarray(size < from ? 0 : from)
      const whole = Buffer.from(text).lastIndexOf(10) + 1
      yield* Ref.set(read, (size < from ? 0 : from) + whole)
      yield* print(linesOf(Buffer.from(text.subarray(0, whole)).toString("utf8")).filter(isAbout(wanted)))
    }).pipe(Effect.ignore, Effect.repeat(Schedule.spaced("300 millis")))
  })
).pipe(
  Command.withDescription(
    described(
      "Prints what the agent logged, of everything or of one order or resource.",
      "site-actors logs -c config.yaml --follow",
      "site-actors logs 3f2a6c0e --lines 20 --json"
    )
  )
)

const part = Options.choice("part", parts).pipe(
  Options.withDescription("Of this part alone. Without it: of everything that has no level of its own."),
  Options.optional
)
const level = Args.choice(
  [
    ["debug", "debug"],
    ["info", "info"],
    ["warning", "warning"],
    ["error", "error"],
    ["critical", "critical"],
    ["reset", ""]
  ] as const,
  { name: "level" }
).pipe(Args.withDescription("debug, info, warning, error or critical; reset takes a part's own level away."))

export const logLevel = Command.make("log-level", { level, part, ...options.journal }, (given) =>
  given.level === "" && Option.isNone(given.part)
    ? new NotPossible({
        reason: `reset takes away a part's own level: name the part by --part (${parts.join(", ")}). All of them together are those of the file again when the agent gets SIGHUP.`
      })
    : request("log-level", `${Option.getOrElse(given.part, () => "")}=${given.level}`, "30 seconds").pipe(
        Effect.provide(journalAt(given))
      )
).pipe(
  Command.withDescription(
    described(
      "Has the running agent log more or less, until it ends or gets SIGHUP.",
      "site-actors log-level debug --part waldur -c config.yaml",
      "site-actors log-level reset --part waldur -c config.yaml"
    )
  )
)

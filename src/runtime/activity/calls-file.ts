/**
 * What the running agent is calling, for `site-actors top`: `calls.json` in the data directory, written once a second while something
 * changes, and taken away at the end (docs/decisions/0021). Names of calls and figures; nothing secret.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import { Clock, Effect, Option, Schedule, Schema } from "effect"
import { Recorder } from "./recorder.js"

const System = Schema.Struct({
  system: Schema.String,
  /** Calls that have begun and not ended. */
  underWay: Schema.Int,
  /** Of those, the one that takes longest. `since`: ms since 1970. */
  longest: Schema.NullOr(Schema.Struct({ call: Schema.String, about: Schema.String, since: Schema.Number })),
  /** In the last ten minutes. */
  calls: Schema.Int,
  errors: Schema.Int,
  /** ms; null: there was no call. */
  p50: Schema.NullOr(Schema.Number),
  p95: Schema.NullOr(Schema.Number)
})

export const CallsNow = Schema.Struct({
  /** When it was written: ms since 1970. */
  at: Schema.Number,
  systems: Schema.Array(System)
})
export type CallsNow = typeof CallsNow.Type

const Json = Schema.parseJson(CallsNow)
const tenMinutes = 600_000
/** A file that is older is of an agent that has ended without a goodbye; one that runs writes every five seconds at least. */
const staleAfter = 15_000
const heartbeat = 5_000

const pathIn = (directory: string) => Effect.map(Path.Path, (path) => path.join(directory, "calls.json"))

export const callsNow = Effect.gen(function* () {
  const { underWay, windows } = yield* Recorder
  const at = yield* Clock.currentTimeMillis
  const begun = underWay()
  const names = [...new Set([...windows.systems, ...begun.map(({ system }) => system)])].toSorted()
  const systems = names.map((system): CallsNow["systems"][number] => {
    const own = begun.filter((call) => call.system === system)
    const [first] = own
    return {
      system,
      underWay: own.length,
      longest: first === undefined ? null : { call: first.call, about: first.about, since: first.since },
      ...windows.window(system, at - tenMinutes, at)
    }
  })
  return { at, systems } satisfies CallsNow
})

/** Writes until its scope closes. What cannot be written is not shown, and harms nothing. */
export const keepCallsFile = (directory: string) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const file = yield* pathIn(directory)
    let last = ""
    let written = 0
    const write = Effect.gen(function* () {
      const now = yield* callsNow
      const content = JSON.stringify(now.systems)
      if (content === last && now.at - written < heartbeat) return
      // Whole, or not at all: whoever reads meanwhile has the one before.
      yield* files.writeFileString(`${file}.new`, yield* Schema.encode(Json)(now), { mode: 0o600 })
      yield* files.rename(`${file}.new`, file)
      last = content
      written = now.at
    })
    yield* Effect.addFinalizer(() => Effect.ignore(files.remove(file, { force: true })))
    yield* Effect.repeat(Effect.ignore(write), Schedule.spaced("1 second"))
  }).pipe(Effect.scoped)

/** None: no agent runs there, or it tells nothing. */
export const readCallsFile = (directory: string) =>
  Effect.gen(function* () {
    const text = yield* (yield* FileSystem.FileSystem).readFileString(yield* pathIn(directory))
    const found = yield* Schema.decodeUnknown(Json)(text)
    const now = yield* Clock.currentTimeMillis
    return Option.liftPredicate(found, ({ at }) => now - at < staleAfter)
  }).pipe(Effect.orElseSucceed(() => Option.none<CallsNow>()))

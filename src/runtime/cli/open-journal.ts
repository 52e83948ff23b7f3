/** How commands that look at the journal find it, and how they ask the running agent for something. */
import * as FileSystem from "@effect/platform/FileSystem"
import { Console, Data, Duration, Effect, Layer, Logger, LogLevel, Option } from "effect"
import { countOf, printable } from "../../core/index.js"
import { dataDirOf, postgresOf } from "../config/index.js"
import { type Answer, answerTo, ask, type RequestKind } from "../control/requests.js"
import { fileOf, type Place } from "../database/place.js"
import { assertMayWrite, inTheWay } from "../database/whose.js"
import * as Database from "../journal/database.js"
import { ordersLike, signOfLife } from "../journal/history.js"
import { resourcesLike } from "../journal/in-short.js"
import { longSilence } from "../journal/pauses.js"
import { isJournalIn } from "../journal/tables/in-postgres.js"
import { isShown, showing, waiting } from "../terminal/progress.js"
import { span } from "../terminal/times.js"

export const defaultDataDir = "site-actors-data"

/** What was asked for cannot be had; the message says why and what to do. */
export class NotPossible extends Data.TaggedError("NotPossible")<{ readonly reason: string }> {
  override get message(): string {
    return this.reason
  }
}

/** There is none: where it was looked for, and what to do. */
export class NoJournal extends Data.TaggedError("NoJournal")<{ readonly reason: string }> {
  override get message(): string {
    return this.reason
  }
}

export interface JournalPlace {
  readonly config: Option.Option<string>
  readonly dataDir: Option.Option<string>
}

/** The journal's database, as the command line names it. A journal that is not there is an error here, and is not made. */
export const journalAt = (place: JournalPlace) => opened(place, noJournal)

/** Its file, for what is done with the file itself: nothing in it is brought up to date. */
export const journalFile = (place: JournalPlace) =>
  Effect.gen(function* () {
    const { there, where } = yield* journalPlace(place)
    if (typeof where !== "string") {
      return yield* new NotPossible({
        reason: `The journal is in ${where.name}, and no file: back it up with pg_dump, see docs/deploy.md.`
      })
    }
    return there ? fileOf(where) : yield* noJournal(where)
  })

const noJournal = (where: Place) =>
  Effect.fail(
    new NoJournal({
      reason:
        typeof where === "string"
          ? `There is no journal at ${fileOf(where)}. Name the agent's data directory with --data-dir, or its configuration with -c.`
          : `There is no journal in ${where.name} (yet): the agent makes it at its first start. Or another database is meant: it is named by \`database\` in the configuration (-c), or by SITE_ACTORS_DATABASE.`
    })
  )

/** The same for commands that may come before the agent's first start: a journal that is not there is made, or for a rehearsal made elsewhere. */
export const journalFor = (place: JournalPlace, rehearsal: boolean) =>
  opened(place, (where) =>
    rehearsal
      ? Effect.flatMap(FileSystem.FileSystem, (files) => files.makeTempDirectoryScoped({ prefix: "site-actors-" }))
      : Effect.succeed(where)
  )

/** The agent's data directory, as the command line names it. */
export const dataDirectory = ({ config, dataDir }: JournalPlace) =>
  Effect.map(
    Option.isSome(dataDir) || Option.isNone(config) ? Effect.succeedNone : dataDirOf(config.value),
    (fromFile) =>
      Option.getOrElse(
        Option.orElse(dataDir, () => fromFile),
        () => defaultDataDir
      )
  )

/** `otherwise`: what to take if there is no journal. */
const opened = <E, R>(place: JournalPlace, otherwise: (where: Place) => Effect.Effect<Place, E, R>) =>
  Layer.unwrapScoped(
    Effect.gen(function* () {
      const { there, where } = yield* journalPlace(place)
      return Database.layer(there ? where : yield* otherwise(where))
    })
  ).pipe(Layer.provideMerge(Logger.minimumLogLevel(LogLevel.Warning)))

/** Where the journal is, and whether there is one. */
export const journalPlace = (place: JournalPlace) =>
  Effect.gen(function* () {
    const postgres = yield* postgresOf(place.config)
    if (Option.isSome(postgres)) {
      const where: Place = postgres.value
      return { where, there: yield* isJournalIn(postgres.value) }
    }
    const where = yield* dataDirectory(place)
    return { where, there: yield* isThere(where) }
  })

/**
 * Whether a data directory has a journal. One that cannot be worked on is an error before anything is touched; an empty one, too: the first command
 * that only looks would make a journal of it, and nothing would tell any more that a backup did not come whole.
 */
export const isThere = (dataDir: string) =>
  Effect.gen(function* () {
    const file = fileOf(dataDir)
    const refused = (cause: unknown) => {
      const { hint, reason } = inTheWay(dataDir, cause)
      return new NotPossible({ reason: `The journal ${file} cannot be opened: ${reason}. ${hint}` })
    }
    const files = yield* FileSystem.FileSystem
    if (!(yield* Effect.mapError(files.exists(file), refused))) return false
    const { size, type } = yield* Effect.mapError(files.stat(file), refused)
    if (type !== "File") return yield* refused(Object.assign(new Error(`${file} is no file`), { code: "EISDIR" }))
    yield* Effect.try({ try: () => assertMayWrite(dataDir, file), catch: refused })
    if (Number(size) > 0) return true
    return yield* new NotPossible({
      reason: `The journal ${file} is an empty file. If a backup was put back, it did not come whole: put it back again, with the agent stopped. If none was, remove the file: the agent makes a new one at its start.`
    })
  })

const untilRuns = (wanted: boolean) =>
  Effect.delay(agentRuns, "500 millis").pipe(Effect.repeat({ until: (runs) => runs === wanted }))

export const agentRuns = Effect.map(
  signOfLife,
  Option.exists((sign) => sign.runs)
)

/** The same for commands that need no journal: where there is none, no agent runs. */
export const agentRunsAt = (place: JournalPlace) =>
  Effect.if(
    Effect.map(journalPlace(place), ({ there }) => there),
    {
      onTrue: () => Effect.provide(agentRuns, journalAt(place)),
      onFalse: () => Effect.succeed(false)
    }
  )

/** One order, by its uuid (dashes or not) or an unambiguous beginning of it. */
export const findOrder = (uuid: string) =>
  Effect.gen(function* () {
    const wanted = uuid.replaceAll("-", "").toLowerCase()
    if (wanted.length < 4) {
      return yield* new NotPossible({
        reason: `${JSON.stringify(uuid)} is too short: write at least the first four characters of the order's uuid.`
      })
    }
    const found = yield* ordersLike(wanted)
    const [only] = found
    if (only === undefined) {
      const [resource] = yield* resourcesLike(wanted)
      return yield* new NotPossible({
        reason:
          resource === undefined
            ? `The journal knows no order ${JSON.stringify(uuid)}. \`site-actors orders --all\` lists those that it knows.`
            : `${JSON.stringify(uuid)} is a resource, ${JSON.stringify(printable(resource.name))}, and no order: \`site-actors resource ${resource.resource}\` has its orders.`
      })
    }
    if (found.length > 1) {
      return yield* new NotPossible({ reason: `Several orders begin with ${wanted}: write more of the uuid.` })
    }
    return only
  })

/** A restart by systemd or Kubernetes takes less: the answer is the next one's then. */
const restart = "20 seconds"

/** Fails when no agent has run for a while. */
const agentEnded = untilRuns(false).pipe(
  Effect.zipRight(Effect.timeoutOption(untilRuns(true), restart)),
  Effect.repeat({ until: Option.isNone }),
  Effect.zipRight(
    new NotPossible({
      reason:
        "The agent has ended before it answered. What was asked for stands in its journal, and is done when it starts again."
    })
  )
)

const waitsFor = (silence: number, patience: Duration.DurationInput): string => {
  const seconds = countOf(Math.round(Duration.toSeconds(patience)), "second")
  const last = silence < longSilence / 2 ? "" : `, whose last sign of life was ${span(silence)} ago`
  return `Asked the agent${last}: waits for its answer, ${seconds} at most.`
}

/** Asks the agent, waits for its answer and prints it. Fails if the answer is no, or if none comes. `aside`: stdout is for data. */
export const request = (kind: RequestKind, subject: string, patience: Duration.DurationInput, aside: boolean = false) =>
  Effect.gen(function* () {
    const say = aside ? Console.error : Console.log
    const sign = Option.filter(yield* signOfLife, ({ runs }) => runs)
    const id = yield* ask(kind, subject)
    if (Option.isNone(sign)) {
      return yield* say("The agent does not run now. It is done when it starts.")
    }
    // In a pipe there is no bar: without a word it seems to hang, beside an agent that was killed for half a minute.
    if (!isShown(aside)) yield* Console.error(waitsFor(sign.value.silence, patience))
    const asked = Effect.delay(answerTo(id), "200 millis").pipe(
      Effect.repeat({ until: Option.isSome }),
      Effect.timeoutTo({ duration: patience, onSuccess: (found) => found, onTimeout: () => Option.none<Answer>() })
    )
    const answer = yield* Effect.raceFirst(asked, agentEnded).pipe(
      waiting("waits for the agent", patience),
      showing(aside)
    )
    if (Option.isNone(answer)) {
      return yield* new NotPossible({
        reason: "The agent has not answered yet: it does it when it comes to it. See its log."
      })
    }
    if (!answer.value.ok) return yield* new NotPossible({ reason: answer.value.outcome })
    yield* say(answer.value.outcome)
  })

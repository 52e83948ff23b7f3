/** Only where the journal is: for commands that read it, where nobody has the agent's other secrets in the environment. */
import type * as FileSystem from "@effect/platform/FileSystem"
import { Effect, Option, Redacted } from "effect"
import { addressHint, addressProblem, type Postgres, usualConnections } from "../database/place.js"
import { databaseOf } from "./database.js"
import { textOfFile } from "./file-text.js"
import { fillIn, unreadable } from "./outside.js"
import { ConfigInvalid } from "./problem.js"
import { parseYaml } from "./yaml-file.js"

const keys = ["data_dir", "database"] as const

/** What a file says of these keys, as text. Whatever else is wrong with it is for `site-actors check`. */
const textsIn = (
  path: string
): Effect.Effect<Readonly<Partial<Record<(typeof keys)[number], string>>>, ConfigInvalid, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const { from, text } = yield* Effect.mapError(
      textOfFile(path),
      (error) => new ConfigInvalid({ file: path, problems: [unreadable(error)] })
    )
    const file = parseYaml(text)
    if (file.broken.length > 0) return yield* new ConfigInvalid({ file: path, problems: file.broken })
    const { problems } = yield* fillIn(file, from)
    const own = problems.filter((problem) => keys.some((key) => key === problem.path))
    if (own.length > 0) return yield* new ConfigInvalid({ file: path, problems: own })
    const values = file.values()
    const root = "value" in values ? values.value : undefined
    const textAt = (key: string): unknown =>
      typeof root === "object" && root !== null ? Object.entries(root).find(([name]) => name === key)?.[1] : undefined
    return Object.fromEntries(
      keys.flatMap((key) => {
        const found = textAt(key)
        return typeof found === "string" && found !== "" ? [[key, found]] : []
      })
    )
  })

/** None: the file names none. */
export const dataDirOf = (path: string): Effect.Effect<Option.Option<string>, ConfigInvalid, FileSystem.FileSystem> =>
  Effect.map(textsIn(path), ({ data_dir }) => Option.fromNullable(data_dir))

/** The PostgreSQL that keeps the journal; none: it is in a file. No file: the environment says it. */
export const postgresOf = (
  path: Option.Option<string>
): Effect.Effect<Option.Option<Postgres>, ConfigInvalid, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const file = Option.getOrElse(path, () => "the command line")
    const { database } = Option.isSome(path) ? yield* textsIn(path.value) : {}
    const what = database === undefined ? undefined : addressProblem(database)
    if (what !== undefined) {
      return yield* new ConfigInvalid({ file, problems: [{ path: "database", what, hint: addressHint }] })
    }
    return yield* databaseOf(Option.map(Option.fromNullable(database), Redacted.make), usualConnections).pipe(
      Effect.mapError((problem) => new ConfigInvalid({ file, problems: [problem] }))
    )
  })

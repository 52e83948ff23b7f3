/** Only `data_dir` of a file: for commands that read the journal, where nobody has the agent's secrets in the environment. */
import * as FileSystem from "@effect/platform/FileSystem"
import { Effect, Option } from "effect"
import { fillIn, reasonOf } from "./outside.js"
import { ConfigInvalid } from "./problem.js"
import { parseYaml } from "./yaml-file.js"

/** None: the file names none. Whatever else is wrong with the file is for `site-actors check`. */
export const dataDirOf = (path: string): Effect.Effect<Option.Option<string>, ConfigInvalid, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const text = yield* files
      .readFileString(path)
      .pipe(
        Effect.mapError(
          (error) =>
            new ConfigInvalid({ file: path, problems: [{ path: "", what: `cannot be read: ${reasonOf(error)}` }] })
        )
      )
    const file = parseYaml(text)
    if (file.broken.length > 0) return yield* new ConfigInvalid({ file: path, problems: file.broken })
    const { problems } = yield* fillIn(file, path)
    const own = problems.filter((problem) => problem.path === "data_dir")
    if (own.length > 0) return yield* new ConfigInvalid({ file: path, problems: own })
    const values = file.values()
    const root = "value" in values ? values.value : undefined
    return typeof root === "object" && root !== null && "data_dir" in root && typeof root.data_dir === "string"
      ? Option.some(root.data_dir)
      : Option.none()
  })

/** A new file, readable by its owner alone. One that is there is left alone. */
import { FileSystem } from "@effect/platform"
import { Data, Effect } from "effect"

/** The file is there, or cannot be written. */
export class FileNotWritten extends Data.TaggedError("FileNotWritten")<{ readonly reason: string }> {
  override get message(): string {
    return this.reason
  }
}

const isThere = (path: string) =>
  new FileNotWritten({
    reason: `${path} is there already, and is not overwritten: name another with --output, or move it away.`
  })

/** Before the first question: who has answered them all should not hear of it then. */
export const mustNotExist = (path: string) =>
  Effect.flatMap(FileSystem.FileSystem, (files) => files.exists(path)).pipe(
    Effect.orElseSucceed(() => false),
    Effect.filterOrFail(
      (there) => !there,
      () => isThere(path)
    ),
    Effect.asVoid
  )

export const writeNew = (path: string, text: string) =>
  Effect.flatMap(FileSystem.FileSystem, (files) => files.writeFileString(path, text, { flag: "wx", mode: 0o600 })).pipe(
    Effect.mapError((error) =>
      error._tag === "SystemError" && error.reason === "AlreadyExists"
        ? isThere(path)
        : new FileNotWritten({ reason: `${path} cannot be written: ${error.message}` })
    )
  )

/**
 * A new file, its owner's alone, which gets its name when it is whole: whoever is killed in the middle, or finds no room, leaves nothing of that
 * name, so that the next attempt is not told that it is there already. One that is there is left alone.
 */
import { isPlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import { Data, Effect, Either } from "effect"

/** The file is there, or cannot be written. */
export class FileNotWritten extends Data.TaggedError("FileNotWritten")<{
  readonly path: string
  readonly why: "there already" | "impossible"
  /** What stands in the way, and what to do: the end of a sentence that begins with the path. */
  readonly reason: string
}> {
  override get message(): string {
    return `${this.path} ${this.reason}`
  }
}

const isThere = (path: string) =>
  new FileNotWritten({
    path,
    why: "there already",
    reason: "is there already, and is not overwritten: name another with --output, or move it away."
  })

/** Why a file cannot be made, in short. */
export const wordsOf = (cause: unknown): string => {
  if (isPlatformError(cause) && cause._tag === "SystemError") {
    if (cause.reason === "NotFound") return "there is no such folder"
    if (cause.reason === "PermissionDenied") return "permission denied"
    // Node's own: "ENOSPC: no space left on device, write"
    return (cause.description ?? cause.reason).replace(/, \w+( '.*')?$/, "")
  }
  return cause instanceof Error ? cause.message : String(cause)
}

const helpAgainst = (cause: unknown): string => {
  const reason = isPlatformError(cause) && cause._tag === "SystemError" ? cause.reason : undefined
  if (reason === "NotFound") return "Make its folder, or name another place with --output."
  return reason === "PermissionDenied"
    ? "Name a place with --output where this user may write."
    : "Make room, or name another place with --output."
}

const impossible = (path: string) => (cause: unknown) =>
  new FileNotWritten({
    path,
    why: "impossible",
    reason: `cannot be written: ${wordsOf(cause)}. ${helpAgainst(cause)}`
  })

/** Where it stands until it has its name. */
const partOf = (path: string): string => `${path}.part`

/** The part, and what a killed one may have left, go with the scope. */
const writtenPart = (path: string, data: Uint8Array) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const part = partOf(path)
    yield* files.remove(part, { force: true })
    yield* Effect.addFinalizer(() => Effect.ignore(files.remove(part, { force: true })))
    yield* files.writeFile(part, data, { flag: "wx", mode: 0o600 })
    return part
  })

const mustNotExist = (path: string): Effect.Effect<void, FileNotWritten, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    if (yield* Effect.orElseSucceed(files.exists(path), () => false)) return yield* isThere(path)
  })

/** As much as a file of some pages needs. */
const somePages = new Uint8Array(16 * 1024)

/** Whether it could be written, by trying it in its folder: who has answered all questions should not hear of it then. */
export const mayBeWritten = (path: string): Effect.Effect<void, FileNotWritten, FileSystem.FileSystem> =>
  Effect.zipRight(mustNotExist(path), Effect.scoped(writtenPart(path, somePages))).pipe(
    Effect.mapError((error) => (error instanceof FileNotWritten ? error : impossible(path)(error))),
    Effect.asVoid
  )

export const writeNew = (
  path: string,
  data: Uint8Array
): Effect.Effect<void, FileNotWritten, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const folder = (yield* Path.Path).dirname(path)
    yield* mustNotExist(path)
    const part = yield* writtenPart(path, data)
    yield* synced(part)
    // A second name and not a renaming, which would replace a file that has come meanwhile. Where a file system knows no second names, it is renamed.
    const named = yield* Effect.either(files.link(part, path))
    if (Either.isLeft(named)) {
      if (named.left._tag === "SystemError" && named.left.reason === "AlreadyExists") return yield* isThere(path)
      yield* files.rename(part, path)
    }
    yield* synced(folder)
  }).pipe(
    Effect.scoped,
    Effect.mapError((error) => (error instanceof FileNotWritten ? error : impossible(path)(error)))
  )

/** What is written to it is on the disk; of a folder: the names in it. */
export const synced = (path: string) =>
  Effect.scoped(
    Effect.flatMap(FileSystem.FileSystem, (files) =>
      Effect.flatMap(files.open(path, { flag: "r" }), (file) => file.sync)
    )
  )

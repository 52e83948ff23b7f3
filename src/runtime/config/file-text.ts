/** The text of a configuration file, which may come through a pipe: `-c <(sops -d config.yaml)`, `-c /dev/stdin`. */
import { join } from "node:path"
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import { Effect } from "effect"

export interface FileText {
  readonly text: string
  /** The path that relative ones in the file are seen from: a pipe has no folder, it is the one that this was started in. */
  readonly from: string
}

/** What came through pipes, by their paths. A second look, of a command that first asks where the journal is or of SIGHUP, would find them empty. */
const piped = new Map<string, FileText>()

export const textOfFile = (path: string): Effect.Effect<FileText, PlatformError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const known = piped.get(path)
    if (known !== undefined) return known
    const files = yield* FileSystem.FileSystem
    const type = yield* Effect.orElseSucceed(
      Effect.map(files.stat(path), (info) => info.type),
      () => "File" as const
    )
    const text = yield* files.readFileString(path)
    if (type === "File") return { text, from: path }
    const read: FileText = { text, from: join(process.cwd(), "pipe") }
    piped.set(path, read)
    return read
  })

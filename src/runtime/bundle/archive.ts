/** One ZIP file, its owner's alone. */
import * as FileSystem from "@effect/platform/FileSystem"
import { Effect } from "effect"
import { strToU8, zipSync } from "fflate"

/** Fails if there is such a file already: it may be somebody's only copy. */
export const writeArchive = (path: string, folder: string, parts: Readonly<Record<string, string>>) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const entries = Object.entries(parts).map(([name, text]) => [`${folder}/${name}`, strToU8(text)] as const)
    yield* files.writeFile(path, zipSync(Object.fromEntries(entries)), { flag: "wx", mode: 0o600 })
  })

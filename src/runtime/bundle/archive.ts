/** One ZIP file, its owner's alone. */
import { Effect } from "effect"
import { strToU8, zipSync } from "fflate"
import { writeNew } from "../new-file.js"

/** Fails if there is such a file already: it may be somebody's only copy. */
export const writeArchive = (path: string, folder: string, parts: Readonly<Record<string, string>>) =>
  Effect.suspend(() => {
    const entries = Object.entries(parts).map(([name, text]) => [`${folder}/${name}`, strToU8(text)] as const)
    return writeNew(path, zipSync(Object.fromEntries(entries)))
  })

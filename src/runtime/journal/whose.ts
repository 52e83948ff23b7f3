/** Whose a data directory is: what is refused there is mostly mended by being the user that it belongs to. */
import { statSync } from "node:fs"
import { userInfo } from "node:os"

/** This user. */
export const nameOfUser = (): string => {
  try {
    return userInfo().username
  } catch {
    // In a container a user may have a number alone.
    return String(process.getuid?.())
  }
}

const ownerOf = (folder: string): number | undefined => {
  try {
    return statSync(folder).uid
  } catch {
    return undefined
  }
}

/** What to say of a folder that belongs to another user than this one; nothing: it is ours, is not there, or cannot be looked at. */
export const foreign = (folder: string): { readonly reason: string; readonly hint: string } | undefined => {
  const own = process.getuid?.()
  if (own === undefined || own === 0) return undefined
  const of = ownerOf(folder)
  return of === undefined || of === own
    ? undefined
    : {
        reason: `${folder} belongs to another user (${of}) than ${nameOfUser()} (${own}), who wanted to use it`,
        hint: "Run it as that user (sudo -u), or choose another --data-dir."
      }
}

/** Why a data directory cannot be used: what is refused there is mostly mended by being the user that it belongs to. */
import { accessSync, constants, existsSync, statSync } from "node:fs"
import { userInfo } from "node:os"
import { dirname, resolve } from "node:path"
import { codeOf } from "../../core/index.js"

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
        hint: "Run it as that user (sudo -u), or name the agent's own data directory with --data-dir."
      }
}

const nearest = (folder: string): string => (existsSync(folder) ? folder : nearest(dirname(folder)))

/** Of a folder that is not there: why it cannot be made. Node says ENOENT where it is a file system that can only be read (20.20, `mkdir` with parents). */
const unmade = (folder: string): { readonly reason: string; readonly hint: string } | undefined => {
  const parent = nearest(resolve(folder))
  if (parent === resolve(folder)) return undefined
  try {
    accessSync(parent, constants.W_OK | constants.X_OK)
    return undefined
  } catch (cause) {
    const notThere = `${folder} is not there, and cannot be made in ${parent}`
    return codeOf(cause, "") === "EROFS"
      ? { reason: `${notThere}, which can only be read`, hint: "Name one that can be written to with --data-dir." }
      : {
          reason: `${notThere}, where ${nameOfUser()} may not write`,
          hint: `Make it for this user (as root: install -d -m 0700 -o ${nameOfUser()} ${folder}), or name another with --data-dir.`
        }
  }
}

/** There, and no folder. */
const isOther = (path: string): boolean => {
  try {
    return !statSync(path).isDirectory()
  } catch {
    return false
  }
}

/** What stands in the way of working in a data directory, and what to do. Never to take another one: what has been done would not be known there. */
export const inTheWay = (folder: string, cause: unknown): { readonly reason: string; readonly hint: string } => {
  const known = foreign(folder) ?? unmade(folder)
  if (known !== undefined) return known
  switch (codeOf(cause, "")) {
    case "EROFS":
      return {
        reason: `${folder} is on a file system that can only be read`,
        hint: "Have it mounted for writing again: the system takes that away when a disk fails, and says so in its log (dmesg). To look meanwhile, copy the folder, and name the copy with --data-dir."
      }
    case "EACCES":
    case "EPERM":
      return {
        reason: `${nameOfUser()} may not read and write everything in ${folder}`,
        hint: "Give the right back (chmod -R u+rwX; lsattr shows what else may lock it). To look meanwhile, copy the folder, and name the copy with --data-dir."
      }
    case "EISDIR":
    case "ENOTDIR":
    case "EEXIST":
      if (isOther(folder))
        return {
          reason: `${folder} is no folder`,
          hint: "Name the agent's data directory with --data-dir, or as data_dir in the configuration."
        }
      return {
        reason: "what should be a file there is a folder, or the other way round",
        hint: "See what is there, and name the agent's data directory with --data-dir."
      }
    case "ELOOP":
      return {
        reason: `${folder} is a link that leads back to itself`,
        hint: "Mend the link, or name the agent's data directory with --data-dir."
      }
    default:
      return {
        reason: cause instanceof Error ? cause.message : String(cause),
        hint: "Mend that, or name the right directory with --data-dir."
      }
  }
}

/** Throws what stands in the way of working on a file and beside it. SQLite writes to both when it only reads. */
export const assertMayWrite = (folder: string, file: string): void => {
  for (const path of [folder, file]) accessSync(path, constants.R_OK | constants.W_OK)
}

/**
 * The file by which OpenNebula's SAML driver finds the group of somebody who logs in: `/vdc_lab/user: 104`, a line for each group of
 * Keycloak. It lies on the front-end, and others may have entries in it, which stay.
 *
 * It is read by whoever logs in at that moment, so it is replaced in one go: written beside, brought to disk, and renamed.
 */
import { constants } from "node:fs"
import { access, open, readFile, rename, rm, stat } from "node:fs/promises"
import { dirname } from "node:path"
import { Data, Effect, FiberRef, Option } from "effect"
import { parse, stringify } from "yaml"
import { codeOf, rehearsal } from "../../plugin/index.js"

/** Access is given all the same where OpenNebula keeps the file itself (`mapping_generate`), so no order fails for it. */
export class MappingFileFailed extends Data.TaggedError("MappingFileFailed")<{
  readonly file: string
  readonly reason: string
}> {
  readonly disposition = "fail-order" as const
  readonly customerMessage = "The list of groups for logins could not be written."
  override get message(): string {
    return `The SAML mapping file ${this.file} ${this.reason}. Run the agent on the front-end with the right to write it, or set saml_mapping_file to "" if OpenNebula keeps it itself.`
  }
}

export type Mapping = Readonly<Record<string, number>>

/** Whoever writes it, of all offerings of this process. */
const oneAtATime = Effect.unsafeMakeSemaphore(1)

const reasonOf = (error: unknown): string => codeOf(error, "unknown reason")

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Empty if there is no file yet. What cannot be read is never written over. */
export const readMapping = (file: string): Effect.Effect<Readonly<Record<string, unknown>>, MappingFileFailed> =>
  Effect.tryPromise({
    try: () => readFile(file, "utf8"),
    catch: (error) => new MappingFileFailed({ file, reason: `cannot be read (${reasonOf(error)})` })
  }).pipe(
    Effect.catchIf(
      ({ reason }) => reason.includes("ENOENT"),
      () => Effect.succeed("")
    ),
    Effect.flatMap((text) =>
      Effect.try({
        try: (): unknown => parse(text) ?? {},
        catch: () => new MappingFileFailed({ file, reason: "is no YAML" })
      })
    ),
    Effect.filterOrFail(isMapping, () => new MappingFileFailed({ file, reason: "is no list of groups" }))
  )

/** Readable for OpenNebula, which runs as another user: as the file was, or 0644. */
const replaceFile = async (file: string, text: string): Promise<void> => {
  const mode = await stat(file).then(
    (found) => found.mode & 0o777,
    () => 0o644
  )
  const beside = `${file}.${process.pid}.tmp`
  try {
    const handle = await open(beside, "w", mode)
    try {
      // The process's umask must not decide.
      await handle.chmod(mode)
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(beside, file)
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  }
  const folder = await open(dirname(file), "r")
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

const change = (
  file: string,
  how: (now: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>
): Effect.Effect<void, MappingFileFailed> =>
  Effect.gen(function* () {
    if (file === "") return
    const now = yield* readMapping(file)
    const wanted = how(now)
    if (JSON.stringify(wanted) === JSON.stringify(now)) return
    yield* Effect.tryPromise({
      try: () => replaceFile(file, stringify(wanted)),
      catch: (error) => new MappingFileFailed({ file, reason: `cannot be written (${reasonOf(error)})` })
    })
  }).pipe(oneAtATime.withPermits(1), Effect.uninterruptible)

export const addToMapping = (file: string, entries: Mapping) => change(file, (now) => ({ ...now, ...entries }))

/** `under`: `/vdc_lab`; only what is below it goes. */
export const removeFromMapping = (file: string, under: string) =>
  change(file, (now) => Object.fromEntries(Object.entries(now).filter(([path]) => !path.startsWith(`${under}/`))))

export interface MappingFile {
  /** Empty: there is none, OpenNebula keeps it itself. */
  readonly file: string
  readonly add: (entries: Mapping) => Effect.Effect<void, MappingFileFailed>
  readonly remove: (under: string) => Effect.Effect<void, MappingFileFailed>
}

/** In a rehearsal it is only told what would be written. */
export const openMapping = (file: string): Effect.Effect<MappingFile> =>
  Effect.map(FiberRef.get(rehearsal), (rehearsing) => {
    if (Option.isNone(rehearsing)) {
      return {
        file,
        add: (entries) => addToMapping(file, entries),
        remove: (under) => removeFromMapping(file, under)
      }
    }
    const told = (about: string) =>
      file === "" ? Effect.void : rehearsing.value({ system: "file", call: `write ${file}`, about })
    return { file, add: (entries) => told(Object.keys(entries).join(" ")), remove: (under) => told(`without ${under}`) }
  })

/** Whether the agent can write it, for `site-actors check`. */
export const mappingWritable = (file: string): Effect.Effect<void, MappingFileFailed> =>
  Effect.zipRight(
    readMapping(file),
    Effect.tryPromise({
      try: () => access(dirname(file), constants.W_OK),
      catch: (error) => new MappingFileFailed({ file, reason: `cannot be written (${reasonOf(error)})` })
    })
  )

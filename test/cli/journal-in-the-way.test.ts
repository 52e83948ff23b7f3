/** A journal that cannot be used: what the commands that look at it say, and that they change nothing there. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { inTheWay } from "../../src/runtime/database/whose.js"
import * as Database from "../../src/runtime/journal/database.js"
import { typed } from "../support/commands.js"

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "site-actors-in-the-way-"))),
  (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
)

/** Names, modes and contents: what a command that looks leaves as it is. */
const picture = (folder: string): ReadonlyArray<unknown> => [
  statSync(folder).mode,
  ...readdirSync(folder).map((name) => {
    const path = join(folder, name)
    const { mode } = statSync(path)
    return [name, mode, statSync(path).isFile() ? readFileSync(path, "latin1") : ""]
  })
]

const made = (folder: string) =>
  Effect.scoped(Layer.build(Database.layer(folder))).pipe(Effect.provide(NodeContext.layer))

const backupOf = (folder: string) => ["journal", "backup", join(folder, "..", "copy.db")]
const commands = (folder: string): ReadonlyArray<ReadonlyArray<string>> => [
  ["orders", "--json"],
  ["order", "3f2a6c0e"],
  ["leftovers"],
  ["drift"],
  ["top", "--once"],
  ["token"],
  ["journal", "check", "--json"],
  ["journal", "export"],
  backupOf(folder)
]

/** Each of these commands fails with that, and leaves the folder as it was. */
const expectRefused = (
  folder: string,
  says: ReadonlyArray<string>,
  asked: ReadonlyArray<ReadonlyArray<string>> = commands(folder)
) =>
  Effect.gen(function* () {
    const before = picture(folder)
    for (const words of asked) {
      const { ending, failure, out } = yield* typed(...words, "--data-dir", folder)
      const what = words.join(" ")
      expect([what, ending, out]).toEqual([what, "failed", ""])
      for (const part of [folder, ...says]) expect(failure, what).toContain(part)
      expect(picture(folder), what).toEqual(before)
    }
    expect(readdirSync(join(folder, ".."))).toEqual(["data"])
  })

const dataDir = Effect.map(temporary, (folder) => {
  const path = join(folder, "data")
  mkdirSync(path, { mode: 0o700 })
  return path
})

describe("a command that looks at the journal", () => {
  it.scopedLive("makes none of an empty file, which a backup may be that did not come whole", () =>
    Effect.gen(function* () {
      const folder = yield* dataDir
      writeFileSync(join(folder, "journal.db"), "")
      yield* expectRefused(folder, ["is an empty file", "put it back again", "remove the file"])
    })
  )

  it.scopedLive("says that a folder stands in its place", () =>
    Effect.gen(function* () {
      const folder = yield* dataDir
      mkdirSync(join(folder, "journal.db"))
      yield* expectRefused(folder, ["is a folder", "--data-dir"])
    })
  )

  // Root may write all the same.
  it.scopedLive.skipIf(process.getuid?.() === 0)("changes no rights of a folder that is not to be written to", () =>
    Effect.gen(function* () {
      const folder = yield* dataDir
      yield* made(folder)
      yield* Effect.acquireRelease(
        Effect.sync(() => chmodSync(folder, 0o500)),
        () => Effect.sync(() => chmodSync(folder, 0o700))
      )
      yield* expectRefused(folder, ["may not read and write", "chmod"])
    })
  )

  it.scopedLive("says of a damaged one to put a backup back, not to look for another place", () =>
    Effect.gen(function* () {
      const folder = yield* dataDir
      writeFileSync(join(folder, "journal.db"), "no database\n".repeat(1000), { mode: 0o600 })
      yield* expectRefused(folder, ["It is damaged", "last backup"], [["journal", "check"], backupOf(folder)])
    })
  )
})

it.scopedLive("what stands in the way is said with what to do, and never to begin with another directory", () =>
  Effect.map(dataDir, (folder) => {
    // As Node's own errors are, within that of whoever called it.
    const said = (text: string) => {
      const cause = Object.assign(new Error(text), { code: text.slice(0, text.indexOf(":")) })
      return Object.values(inTheWay(folder, new Error(text, { cause }))).join(". ")
    }
    expect(said("EROFS: read-only file system, chmod")).toContain(`${folder} is on a file system that can only be read`)
    expect(said("EACCES: permission denied, open")).toContain(`may not read and write everything in ${folder}`)
    expect(said("EPERM: operation not permitted, open")).toContain("lsattr")
    expect(said("ENOSPC: no space left on device, write")).toContain("no space left on device")
    for (const code of ["EROFS", "EACCES", "EPERM", "ENOSPC"])
      expect(said(`${code}: x`)).not.toContain("nother --data-dir")
  })
)

// Root may write all the same.
it.scopedLive.skipIf(process.getuid?.() === 0)("a directory that is not there is no directory with wrong rights", () =>
  Effect.gen(function* () {
    const parent = yield* dataDir
    yield* Effect.acquireRelease(
      Effect.sync(() => chmodSync(parent, 0o500)),
      () => Effect.sync(() => chmodSync(parent, 0o700))
    )
    const folder = join(parent, "var", "site-actors")
    const denied = Object.assign(new Error("EACCES: permission denied, mkdir"), { code: "EACCES" })
    const { hint, reason } = inTheWay(folder, denied)
    expect(reason).toMatch(
      new RegExp(`^${folder} is not there, and cannot be made in ${parent}, where .* may not write$`)
    )
    expect(hint).toContain(`install -d -m 0700 -o`)
  })
)

import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { addToMapping, removeFromMapping } from "./mapping-file.js"

const folder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "mapping-"))),
  (made) => Effect.promise(() => rm(made, { recursive: true }))
)
const text = (file: string) => Effect.promise(() => readFile(file, "utf8"))

describe("The SAML mapping file", () => {
  it.scoped("keeps what others have in it, and has nothing beside it afterwards", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      const file = join(directory, "groups.yaml")
      yield* Effect.promise(() => writeFile(file, "/others: 7\n/vdc_lab2/user: 9\n"))
      yield* addToMapping(file, { "/vdc_lab/user": 104, "/vdc_lab/admin": 105 })
      expect(yield* text(file)).toBe("/others: 7\n/vdc_lab2/user: 9\n/vdc_lab/user: 104\n/vdc_lab/admin: 105\n")
      yield* removeFromMapping(file, "/vdc_lab")
      expect(yield* text(file)).toBe("/others: 7\n/vdc_lab2/user: 9\n")
      expect(yield* Effect.promise(() => readdir(directory))).toEqual(["groups.yaml"])
    })
  )

  it.scoped("is made readable for OpenNebula, and keeps the mode that it has", () =>
    Effect.gen(function* () {
      const file = join(yield* folder, "groups.yaml")
      const mode = Effect.promise(async () => (await stat(file)).mode & 0o777)
      yield* addToMapping(file, { "/vdc_a/user": 1 })
      expect(yield* mode).toBe(0o644)
      yield* Effect.promise(() => chmod(file, 0o640))
      yield* addToMapping(file, { "/vdc_b/user": 2 })
      expect(yield* mode).toBe(0o640)
    })
  )

  it.scoped("is never written over when it cannot be understood", () =>
    Effect.gen(function* () {
      const file = join(yield* folder, "groups.yaml")
      for (const bad of ["- a list\n", "a: [1,\n"]) {
        yield* Effect.promise(() => writeFile(file, bad))
        expect((yield* Effect.flip(addToMapping(file, { x: 1 })))._tag).toBe("MappingFileFailed")
        expect(yield* text(file)).toBe(bad)
      }
    })
  )

  it.scoped("loses nothing when many write at once", () =>
    Effect.gen(function* () {
      const file = join(yield* folder, "groups.yaml")
      yield* Effect.forEach(
        Array.from({ length: 20 }, (_, index) => index),
        (index) => addToMapping(file, { [`/vdc_${index}/user`]: index }),
        { concurrency: "unbounded" }
      )
      expect((yield* text(file)).trim().split("\n").length).toBe(20)
    })
  )

  it.effect("says what to do when its folder is not there", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(addToMapping("/nowhere/at/all.yaml", { x: 1 }))
      expect(error.message).toMatch(/all\.yaml cannot be written \(ENOENT\)\. Run the agent on the front-end/)
    })
  )
})

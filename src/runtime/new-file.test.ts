import { SystemError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { mayBeWritten, writeNew } from "./new-file.js"

const bytes = (text: string) => new TextEncoder().encode(text)

const noRoom = (path: string) =>
  new SystemError({
    reason: "Unknown",
    module: "FileSystem",
    method: "writeFile",
    pathOrDescriptor: path,
    description: "ENOSPC: no space left on device, write"
  })

/** A disk that makes a file and then has no room for what is in it, as a full one does. */
const onFullDisk = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(FileSystem.FileSystem, (files) =>
    Effect.provideService(effect, FileSystem.FileSystem, {
      ...files,
      writeFile: (path, _, options) =>
        Effect.zipRight(files.writeFile(path, new Uint8Array(), options), Effect.fail(noRoom(path)))
    }).pipe(Effect.provide(NodeContext.layer))
  )

describe("a new file", () => {
  const makeFolder = Effect.flatMap(FileSystem.FileSystem, (files) =>
    files.makeTempDirectoryScoped({ prefix: "site-actors-new-file-" })
  )

  it.scoped("is its owner's alone, and replaces nothing", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* makeFolder
      const path = `${folder}/config.yaml`
      yield* mayBeWritten(path)
      expect(yield* files.readDirectory(folder)).toEqual([])
      expect((yield* Effect.flip(mayBeWritten(`${folder}/none/a`))).message).toBe(
        `${folder}/none/a cannot be written: there is no such folder. Make its folder, or name another place with --output.`
      )
      yield* writeNew(path, bytes("one"))
      expect((yield* files.stat(path)).mode & 0o777).toBe(0o600)
      const said = `${path} is there already, and is not overwritten: name another with --output, or move it away.`
      expect((yield* Effect.flip(mayBeWritten(path))).message).toBe(said)
      expect((yield* Effect.flip(writeNew(path, bytes("two")))).message).toBe(said)
      expect(yield* files.readFileString(path)).toBe("one")
      expect(yield* files.readDirectory(folder)).toEqual(["config.yaml"])
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.scoped("does not replace one that has come while it was written", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const path = `${yield* makeFolder}/config.yaml`
      yield* writeNew(path, bytes("two")).pipe(
        Effect.provideService(FileSystem.FileSystem, {
          ...files,
          link: (from, to) => Effect.zipRight(files.writeFileString(to, "one"), files.link(from, to))
        }),
        Effect.flip
      )
      expect(yield* files.readFileString(path)).toBe("one")
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.scoped("leaves nothing of its name on a full disk, which is said before as well as then", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* makeFolder
      const path = `${folder}/config.yaml`
      const said = `${path} cannot be written: ENOSPC: no space left on device. Make room, or name another place with --output.`
      expect((yield* Effect.flip(onFullDisk(mayBeWritten(path)))).message).toBe(said)
      expect((yield* Effect.flip(onFullDisk(writeNew(path, bytes("one"))))).message).toBe(said)
      expect(yield* files.readDirectory(folder)).toEqual([])
      expect((yield* Effect.flip(mayBeWritten(`${folder}/none/a`))).message).toBe(
        `${folder}/none/a cannot be written: there is no such folder. Make its folder, or name another place with --output.`
      )
      yield* writeNew(path, bytes("one"))
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.scoped("says that there is no such folder before anybody is asked", () =>
    Effect.gen(function* () {
      const path = `${yield* makeFolder}/nowhere/config.yaml`
      expect((yield* Effect.flip(mayBeWritten(path))).message).toContain("cannot be written: there is no such folder.")
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.scoped("is made although one was killed in the middle", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* makeFolder
      const path = `${folder}/config.yaml`
      yield* files.writeFileString(`${path}.part`, "hal")
      yield* writeNew(path, bytes("whole"))
      expect(yield* files.readFileString(path)).toBe("whole")
      expect(yield* files.readDirectory(folder)).toEqual(["config.yaml"])
    }).pipe(Effect.provide(NodeContext.layer))
  )
})

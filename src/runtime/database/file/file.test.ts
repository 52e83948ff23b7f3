/** What a power cut leaves of the journal's file, after the disk had refused something. */
import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { isFull, openFile, writeLogAgain } from "./file.js"
import { makeHome } from "./home.js"

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "site-actors-file-"))),
  (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
)

/** Zeros from there on, as a disk has them that has not taken what was written. */
const lose = (path: string, from: number) => {
  const file = openSync(path, "r+")
  writeSync(file, new Uint8Array(statSync(path).size - from), 0, undefined, from)
  closeSync(file)
}

describe("the journal's file", () => {
  for (const [how, keeps, left] of [
    ["once more, has what came later", true, ["a", "b", "c"]],
    // What the test rests on.
    ["nowhere, has nothing of what came later", false, ["a"]]
  ] as const) {
    it.scopedLive(`of which a power cut follows on something that was refused, and then written ${how}`, () =>
      Effect.gen(function* () {
        const directory = yield* temporary
        const [path, after] = [join(directory, "journal.db"), join(directory, "after.db")]
        const file = openFile(path)
        // Some of them take more than one portion.
        const insert = (name: string) => file.run("INSERT INTO entry VALUES (?, ?)", [name, name.repeat(700_000)])
        file.run("CREATE TABLE entry (name TEXT, text TEXT)", [])
        insert("a")
        file.syncNow()
        const taken = statSync(`${path}-wal`).size
        insert("b")
        const pending = file.pending()
        lose(`${path}-wal`, taken)
        if (keeps) file.writeAgain(pending)
        insert("c")
        file.syncNow()
        for (const end of ["", "-wal"]) copyFileSync(`${path}${end}`, `${after}${end}`)
        file.close()
        writeLogAgain(after)
        const found = openFile(after)
        expect(found.run("SELECT name FROM entry ORDER BY name", []).map(({ name }) => name)).toEqual(left)
        found.close()
      })
    )
  }

  it.scopedLive("is told from other faults when it finds no room", () =>
    Effect.gen(function* () {
      const file = openFile(join(yield* temporary, "journal.db"))
      file.run("CREATE TABLE entry (name TEXT)", [])
      file.run("PRAGMA max_page_count = 2", [])
      const faultOf = (text: string) =>
        Effect.runSync(
          Effect.flip(Effect.try({ try: () => file.run(text, ["a".repeat(100_000)]), catch: (cause) => cause }))
        )
      expect(isFull(faultOf("INSERT INTO entry VALUES (?)"))).toBe(true)
      expect(isFull(faultOf("INSERT INTO nowhere VALUES (?)"))).toBe(false)
      file.assertRoom()
      file.close()
    })
  )

  for (const [what, take, says] of [
    ["removed", (path: string) => rmSync(path), "is not there any more"],
    ["moved away", (path: string) => renameSync(path, `${path}.moved`), "is not there any more"],
    [
      "replaced",
      (path: string) => {
        copyFileSync(path, `${path}.other`)
        renameSync(path, `${path}.moved`)
        renameSync(`${path}.other`, path)
      },
      "is another file than it was"
    ]
  ] as const) {
    it.scopedLive(`that is ${what} takes nothing more, and no new one is made in its place`, () =>
      Effect.gen(function* () {
        const path = join(yield* temporary, "journal.db")
        const home = makeHome(path)
        const file = openFile(path, home)
        file.run("CREATE TABLE entry (name TEXT)", [])
        file.syncNow()
        take(path)
        // It is looked for every 100 ms.
        yield* Effect.sleep("120 millis")
        file.run("INSERT INTO entry VALUES ('lost')", [])
        expect(() => file.syncNow()).toThrow(says)
        const refused = yield* Effect.async<Error | null>((resume) =>
          file.sync((error) => resume(Effect.succeed(error)))
        )
        expect(refused?.message).toContain(says)
        const before = readdirSync(dirname(path))
        expect(() => openFile(path, home)).toThrow(says)
        expect(readdirSync(dirname(path))).toEqual(before)
        file.close()
        if (what === "removed") return
        renameSync(`${path}.moved`, path)
        const back = openFile(path, home)
        back.run("INSERT INTO entry VALUES ('kept')", [])
        back.syncNow()
        back.close()
      })
    )
  }

  it.scopedLive("keeps what somebody else has written since", () =>
    Effect.gen(function* () {
      const path = join(yield* temporary, "journal.db")
      const [file, other] = [openFile(path), openFile(path)]
      file.run("CREATE TABLE entry (name TEXT)", [])
      const pending = file.pending()
      other.run("INSERT INTO entry VALUES ('other')", [])
      file.writeAgain(pending)
      expect(file.run("SELECT name FROM entry", [])).toEqual([{ name: "other" }])
      // The log begins anew.
      file.run("PRAGMA wal_checkpoint(RESTART)", [])
      other.run("INSERT INTO entry VALUES ('another')", [])
      file.writeAgain(pending)
      expect(file.run("SELECT name FROM entry", [])).toEqual([{ name: "other" }, { name: "another" }])
      file.close()
      other.close()
    })
  )
})

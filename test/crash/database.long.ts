/** The database at its worst: no room to write, locked by somebody else, damaged. */
import { execFileSync, spawnSync } from "node:child_process"
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs"
import { join } from "node:path"
import { describe, expect } from "@effect/vitest"
import { Deferred, Effect, Exit } from "effect"
import Database from "libsql"
import { long, newSite, withAgent } from "./harness.js"
import { pictureOfCloud } from "./picture.js"
import type { Site } from "./site.js"
import { closeDown } from "./trial.js"
import { atWork, ended, orNever, stopped, until } from "./waits.js"
import { watchForDoubles } from "./watch.js"

const canLimit = spawnSync("prlimit", ["--version"]).status === 0

/** The largest file that the process may write, in bytes. Writing more fails as on a full disk. */
const limitFiles = (pid: number, bytes: number | "unlimited") => {
  execFileSync("prlimit", ["--pid", String(pid), `--fsize=${bytes}:`])
}

/** Places a VDC order and does something at the instant at which its group is about to be made. */
const atTheGroup = (site: Site, act: () => void) =>
  Effect.gen(function* () {
    const come = yield* Deferred.make<void>()
    let first = true
    site.tap.guard(({ name }) => {
      if (name !== "one.group.allocate" || !first) return "pass"
      first = false
      act()
      Deferred.unsafeDone(come, Exit.void)
      return "pass"
    })
    const order = yield* site.place.vdc()
    yield* Deferred.await(come)
    return order
  })

withAgent("an agent whose database", (it) => {
  describe.skipIf(!canLimit)("has no room left", () => {
    it.scoped(
      "rests, makes nothing that it cannot write down, and goes on when there is room",
      () =>
        Effect.gen(function* () {
          const site = yield* newSite()
          const atFirst = pictureOfCloud(site.cloud)
          const { made } = watchForDoubles(site.cloud)
          const agent = yield* site.start()
          yield* atWork(site, agent)
          // Not the log's size: SQLite may have begun it anew, and have all that room.
          const order = yield* atTheGroup(site, () => limitFiles(agent.pid, 0))
          yield* until("the rest", () => agent.output().includes("The journal cannot be written"))
          expect(made.get("one.vrouter.instantiate") ?? 0).toBe(0)
          expect(site.marketplace.orders.get(order)?.state).toBe("executing")
          // Several looks whether it can be written, all of which have to come to the same.
          yield* Effect.sleep("4 seconds")
          const said = agent.output().split("\n")
          expect(said.filter((line) => /The journal can be written again|Waits: /.test(line))).toEqual([])

          limitFiles(agent.pid, "unlimited")
          expect((yield* ended(site, order)).state).toBe("done")
          expect([...made.values()].every((times) => times === 1)).toBe(true)
          expect(yield* closeDown(site, agent, atFirst)).toEqual([])
        }),
      long
    )
  })

  it.scoped(
    "is locked by another process waits and goes on when it is free",
    () =>
      Effect.gen(function* () {
        const site = yield* newSite()
        const atFirst = pictureOfCloud(site.cloud)
        const { made } = watchForDoubles(site.cloud)
        const agent = yield* site.start()
        yield* atWork(site, agent)
        const other = yield* Effect.acquireRelease(
          Effect.sync(() => {
            const database = new Database(join(site.dataDir, "journal.db"))
            database.exec("PRAGMA busy_timeout = 5000")
            return database
          }),
          (database) => Effect.sync(() => database.close())
        )
        const order = yield* atTheGroup(site, () => other.exec("BEGIN IMMEDIATE"))
        yield* until("the rest", () => agent.output().includes("The journal cannot be written"))
        other.exec("ROLLBACK")
        expect((yield* ended(site, order)).state).toBe("done")
        expect([...made.values()].every((times) => times === 1)).toBe(true)
        expect(yield* closeDown(site, agent, atFirst)).toEqual([])
      }),
    long
  )

  describe("is damaged", () => {
    const overwrite = (path: string, position: number, bytes: Uint8Array) => {
      const file = openSync(path, "r+")
      writeSync(file, bytes, 0, bytes.length, position)
      closeSync(file)
    }
    const damages: ReadonlyArray<readonly [string, (path: string) => void]> = [
      ["is no database at all", (path) => writeFileSync(path, "This is a shopping list. ".repeat(400))],
      ["has lost its head", (path) => overwrite(path, 0, new Uint8Array(100).fill(0x55))],
      ["has a page of garbage", (path) => overwrite(path, 4096, new Uint8Array(8192).fill(0xff))],
      ["has lost its end", (path) => writeFileSync(path, readFileSync(path).subarray(0, 6_000))]
    ]
    it.scoped(
      "says so in one sentence, says what to do, and ends with exit code 1",
      () =>
        Effect.gen(function* () {
          const site = yield* newSite()
          const first = yield* site.start()
          yield* atWork(site, first)
          yield* Effect.flatMap(site.place.vdc(), (order) => ended(site, order))
          expect((yield* stopped(first)).code).toBe(0)
          const path = join(site.dataDir, "journal.db")
          // Into the file itself: what stands in the write-ahead log would mend it.
          const database = new Database(path)
          database.exec("PRAGMA wal_checkpoint(TRUNCATE)")
          database.close()
          const whole = readFileSync(path)
          for (const [damage, inflict] of damages) {
            writeFileSync(path, whole)
            inflict(path)
            const agent = yield* site.start()
            const { code } = yield* orNever(() => `the end with ${damage}`)(agent.ended)
            const said = agent.output()
            expect([damage, code], said).toEqual([damage, 1])
            expect(said, damage).toContain(`The database ${site.dataDir}`)
            expect(said, damage).toContain("cannot be used: ")
            expect(said, damage).toContain("put back the last backup")
            expect(said, damage).not.toMatch(/\n\s+at /)
          }
        }),
      long
    )
  })
})

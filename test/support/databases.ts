/** Both kinds of database that a journal may be in, for `describe.each`: what is said of one holds for the other. */
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, type Scope } from "effect"
import type { Place } from "../../src/runtime/database/place.js"
import { database } from "./postgres.js"

/** A directory of its own. In memory, where the system has such a place: no test here asks what a power cut leaves. */
const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "site-actors-journal-"))),
  (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
)

/** Empty, and gone with the scope. */
type Fresh = Effect.Effect<Place, never, Scope.Scope>

export const databases: ReadonlyArray<readonly [kind: string, fresh: Fresh]> = [
  ["a file", directory],
  ["PostgreSQL", Effect.map(database(), ({ place }) => place)]
]

/** `use` may open it several times, as restarts do. */
export const within = <A, E>(fresh: Fresh, use: (place: Place) => Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.scoped(Effect.flatMap(fresh, use))

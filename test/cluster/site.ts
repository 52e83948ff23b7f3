/** A site whose agent is several processes over one PostgreSQL: each with its own address, data directory and way to the database. */
import { renameSync, writeFileSync } from "node:fs"
import { resolve } from "node:path"
import * as FileSystem from "@effect/platform/FileSystem"
import { Duration, Effect, Redacted, Schema, Scope } from "effect"
import type { JournalCopy } from "../crash/journal.js"
import { type AgentProcess, shiftClock, startProgram } from "../crash/process.js"
import { makeSite, type SiteOptions } from "../crash/site.js"
import { freePort } from "../support/ports.js"
import { database, databaseAt } from "../support/postgres.js"
import { type Way, wayTo } from "./proxy.js"

const Rows = Schema.Array(
  Schema.Struct({ id: Schema.Number, order_id: Schema.String, step: Schema.String, event: Schema.String })
)
const Lines = Schema.Array(Schema.Struct({ line: Schema.String }))
const Leases = Schema.Array(
  Schema.Struct({ resource_id: Schema.String, epoch: Schema.NumberFromString, owner: Schema.String })
)

const walling = resolve("test/cluster/walls.mjs")

export interface Node {
  /** From 1. */
  readonly name: number
  /** At which the others reach it. */
  port: number
  /** The process that runs now, or ran last. */
  agent: AgentProcess
  readonly way: Way
  /** Has it reach the other one no more, or again. `silent`: what is connected is not told. Stands also for its next start. */
  readonly wall: (to: Pick<Node, "port">, how: "reset" | "silent" | "none") => void
  /** `main`: the entry point of the version of which its next start is. */
  readonly versions: { main: string }
  /** Starts it again, at the same address. */
  readonly restart: Effect.Effect<AgentProcess>
  /** The same at another one, as a pod has with each start. */
  readonly restartElsewhere: Effect.Effect<AgentProcess>
  /** Another command, with its configuration. */
  readonly command: (...words: ReadonlyArray<string>) => Effect.Effect<AgentProcess, never, Scope.Scope>
  /** What it has printed, start by start. */
  readonly outputs: () => ReadonlyArray<string>
}

export interface ClusterOptions extends SiteOptions {
  readonly processes: number
  /** s */
  readonly takeover?: number
  /** Of a process alone. */
  readonly environment?: (name: number) => Readonly<Record<string, string>>
  /** Of a process alone: what its configuration file says in place of the others'. */
  readonly file?: (name: number, text: string) => string
  /** By how many minutes the clock of a process is ahead. */
  readonly ahead?: ((name: number) => number) | undefined
  /** The entry point of another version, of which all processes are at first. */
  readonly beside?: string | undefined
  /** An empty database on this machine, in place of one on the tests' own server. */
  readonly url?: string | undefined
}

export const makeClusterSite = ({
  ahead,
  beside,
  environment,
  file = (_, text) => text,
  processes,
  takeover = 10,
  url: named,
  ...options
}: ClusterOptions) =>
  Effect.gen(function* () {
    const db = yield* named === undefined ? database(10) : databaseAt(named)
    const site = yield* makeSite({
      ...options,
      root: { cluster: { host: "127.0.0.1", port: "$" + "{RUNNER_PORT}", takeover }, ...options.root }
    })
    const url = new URL(Redacted.value(db.place.url))
    const scope = yield* Effect.scope
    const fs = yield* FileSystem.FileSystem
    const common = yield* fs.readFileString(site.configFile)
    const nodes = yield* Effect.forEach(
      Array.from({ length: processes }, (_, at) => at + 1),
      (name) =>
        Effect.gen(function* () {
          const way = yield* wayTo(db.port)
          const own = new URL(url)
          own.port = String(way.port)
          const firstPort = yield* freePort
          const versions = { main: beside ?? options.main }
          const walls = new Map<number, string>()
          const wallsFile = `${site.configFile}-${name}.walls`
          // In one piece: it is read at any time.
          const build = () => {
            writeFileSync(`${wallsFile}.new`, [...walls].map((one) => one.join(" ")).join("\n"))
            renameSync(`${wallsFile}.new`, wallsFile)
          }
          build()
          const configFile = `${site.configFile}-${name}.yaml`
          yield* fs.writeFileString(configFile, file(name, common), { mode: 0o600 })
          const variables = (port: number) => ({
            RUNNER_PORT: String(port),
            SITE_ACTORS_DATABASE: own.href,
            WALLS: wallsFile,
            CLOCK_SHIFT: String(Duration.toMillis(Duration.minutes(1)) * (ahead?.(name) ?? 0)),
            ...environment?.(name)
          })
          const startAt = (port: number) =>
            site
              .start({
                main: versions.main,
                configFile,
                dataDir: `${site.dataDir}-${name}`,
                nodeOptions: [...(ahead === undefined ? [] : ["--import", shiftClock]), "--import", walling],
                environment: variables(port)
              })
              .pipe(Effect.provideService(Scope.Scope, scope))
          const agents = [yield* startAt(firstPort)]
          const node: Node = {
            name,
            port: firstPort,
            agent: agents[0] ?? (yield* startAt(firstPort)),
            way,
            wall: (to, how) => {
              if (how === "none") walls.delete(to.port)
              else walls.set(to.port, how)
              build()
            },
            versions,
            command: (...words) =>
              startProgram({ main: versions.main, environment: variables(node.port) }, [
                ...words,
                "--config",
                configFile
              ]),
            outputs: () => agents.map(({ output }) => output()),
            restart: Effect.tap(
              Effect.suspend(() => startAt(node.port)),
              (agent) => {
                agents.push(agent)
                node.agent = agent
                // As a service manager does it; one that somebody else has started again meanwhile is left. To be interrupted also where whoever
                // restarts is not: the scope ends this before it ends the process.
                return agent.ended.pipe(
                  Effect.flatMap(({ code }) =>
                    code === 1
                      ? Effect.suspend(() => (node.agent === agent ? node.restart : Effect.void)).pipe(
                          Effect.delay("2 seconds")
                        )
                      : Effect.void
                  ),
                  Effect.interruptible,
                  Effect.forkIn(scope)
                )
              }
            ),
            restartElsewhere: Effect.flatMap(freePort, (port) => {
              node.port = port
              return node.restart
            })
          }
          return node
        })
    )
    const lines = (sql: string) =>
      Effect.map(Effect.flatMap(db.query(sql), Schema.decodeUnknown(Lines)), (rows) => rows.map(({ line }) => line))
    const journal = Effect.gen(function* () {
      const rows = yield* Effect.flatMap(
        db.query("SELECT CAST(id AS int) AS id, order_id, step, event FROM journal ORDER BY id"),
        Schema.decodeUnknown(Rows)
      )
      const whole = rows.filter(({ event, step }) => step === "order" && /^(accepted|done|erred)$/.test(event))
      const last = new Map(whole.map(({ event, order_id }) => [order_id, event]))
      return {
        rows,
        openOrders: [...last].flatMap(([order, event]) => (event === "accepted" ? [order] : [])),
        leftovers: yield* lines("SELECT step || ': ' || reason AS line FROM leftover"),
        reservations: yield* lines("SELECT pool || ' ' || first || ' to ' || last AS line FROM reservation")
      } satisfies JournalCopy
    }).pipe(Effect.orDie)
    /** Who has which resource, or work that is done once. */
    const leases = Effect.orDie(
      Effect.flatMap(
        db.query("SELECT resource_id, CAST(epoch AS text) AS epoch, owner FROM lease"),
        Schema.decodeUnknown(Leases)
      )
    )
    return { ...site, mains: [options.main, beside ?? options.main], nodes, journal, leases, query: db.query }
  })
export type ClusterSite = Effect.Effect.Success<ReturnType<typeof makeClusterSite>>

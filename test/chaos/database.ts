/**
 * The agent's own database, in memory: libSQL and the real tables, shared by all processes of a run, as a file would be. What goes through
 * is mirrored, refused while the disk is full, and cut off for a process that is dead.
 */
import { LibsqlClient } from "@effect/sql-libsql"
import { type Client, createClient, type ResultSet } from "@libsql/client"
import { Effect } from "effect"
import { prepare } from "../../src/runtime/journal/database.js"
import type { Bench } from "./bench.js"
import type { Process } from "./process.js"

export type Sdk = Client

export interface Database {
  readonly sdk: Sdk
  readonly close: () => Promise<void>
}

/** Outside of virtual time: before a run begins. */
export const openDatabase = (): Promise<Database> =>
  Effect.gen(function* () {
    const sdk = createClient({ url: ":memory:" })
    yield* Effect.provide(prepare("memory"), LibsqlClient.layer({ liveClient: sdk }))
    return { sdk, close: async () => sdk.close() }
  }).pipe(Effect.runPromise)

type Statement = Parameters<Sdk["execute"]>[0]
const textOf = (statement: Statement): string => (typeof statement === "string" ? statement : statement.sql)
const argumentsOf = (statement: Statement): ReadonlyArray<unknown> =>
  typeof statement === "string" || !Array.isArray(statement.args) ? [] : statement.args

const isWrite = (text: string): boolean => /^\s*(INSERT|UPDATE|DELETE)/i.test(text)
const columns = (text: string): ReadonlyArray<string> =>
  /INSERT INTO journal\s*\(([^)]*)\)/i
    .exec(text)?.[1]
    ?.split(",")
    .map((name) => name.trim()) ?? []

/** What may keep the agent from removing what it made. */
const hindrances = /driver|stuck|lease|stranger's VM|somebody (deletes|powers)/

export class DiskFull extends Error {
  constructor() {
    super("SQLITE_FULL: database or disk is full")
  }
}

/** The database as one process sees it. */
export const asSeenBy = (bench: Bench, { sdk }: Database, process: Process): Sdk => {
  const { mirror, story, timeline } = bench
  const mirrored = (text: string, args: ReadonlyArray<unknown>) => {
    const names = columns(text)
    const value = (name: string) => args[names.indexOf(name)]
    const data = value("data")
    const entry = {
      order: String(value("order_id")),
      resource: String(value("resource_id")),
      epoch: Number(value("epoch")),
      step: String(value("step")),
      event: String(value("event")),
      data: typeof data === "string" ? data : null,
      at: timeline.now
    }
    mirror.append(entry)
    const said = ["failed", "undo-failed", "interrupted"].includes(entry.event) ? ` ${entry.data ?? ""}` : ""
    story.tell("step", process.name, `${entry.order.slice(26)} ${entry.step}: ${entry.event}${said}`)
    bench.expect(mirror.overlap === undefined, "one resource never runs two orders at once", () => mirror.overlap ?? "")
    if (entry.event === "undo-failed") {
      bench.expect(
        bench.ledger.excusesOf(entry.resource).some((why) => hindrances.test(why)),
        "an undo fails only if something is in its way",
        () => `order ${entry.order}, ${entry.step}: ${entry.data}`
      )
    }
    const secret = entry.data === null ? undefined : bench.secrets.in(entry.data)
    bench.expect(secret === undefined, "no secret in the journal", () => `${entry.step} ${entry.event}`)
  }
  let nothingAsked: ResultSet | undefined
  const execute = async (statement: Statement) => {
    const text = textOf(statement)
    if (isWrite(text) && (bench.diskIsFull || bench.faults.happens("journal write refused"))) {
      story.tell("fault", process.name, `disk full: ${text.trim().split(/\s+/).slice(0, 3).join(" ")}`)
      throw new DiskFull()
    }
    // Nobody asks anything at the command line here; it is looked for every second.
    if (/^\s*SELECT[\s\S]*FROM request\b/i.test(text)) {
      nothingAsked ??= await sdk.execute(statement)
      return nothingAsked
    }
    const result = await sdk.execute(statement)
    if (isWrite(text)) {
      if (columns(text).length > 0 && result.rows.length > 0) mirrored(text, argumentsOf(statement))
      process.atCall("after a journal write")
    }
    return result
  }
  return {
    execute: (statement) =>
      isWrite(textOf(statement)) && !process.atCall("before a journal write")
        ? new Promise<never>(() => undefined)
        : timeline.awaiting(execute(statement)),
    batch: (statements, mode) => sdk.batch(statements, mode),
    migrate: (statements) => sdk.migrate(statements),
    transaction: () => sdk.transaction(),
    executeMultiple: (text) => sdk.executeMultiple(text),
    sync: () => sdk.sync(),
    close: () => undefined,
    closed: false,
    protocol: sdk.protocol
  }
}

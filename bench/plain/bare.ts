/**
 * The least that a program in the agent's place can take for a machine's create: the same calls in the same order, over the same libraries, and the
 * same entries in a journal on the same disk, each committed before the call that it announces, and on the disk where the agent waits for it. Nothing
 * else: no actors, no fibers, nothing that is checked, tried again, undone, logged or watched.
 *
 * What the agent takes beyond this is what its promise and its comfort cost. What this takes, no agent on this machine can do without.
 */
import { join } from "node:path"
import * as FileSystem from "@effect/platform/FileSystem"
import { Effect } from "effect"
import { Agent } from "undici"
import { openFile } from "../../src/runtime/database/file/file.js"
import { migrations, statementsFor } from "../../src/runtime/journal/tables/migrations.js"
import type { Opened } from "../simulators/protocol.js"
import { field, plainRpc, running, until } from "./rpc.js"

/** Without a card: what the parent's networks are is not looked up here. */
const machine = 'CPU="1"\nVCPU="1"\nMEMORY="512"'

type Entry = readonly [step: string, event: "accepted" | "started" | "finished" | "done", data?: unknown]

/** The statement of `entries.ts`, for so many entries. */
const insert = (entries: number): string =>
  `INSERT INTO journal (order_id, resource_id, epoch, step, event, at, data) VALUES ${Array(entries).fill("(?, ?, 1, ?, ?, ?, ?)").join(", ")}`

/** Entries that are to be on the disk, and asked for while it is busy, share the next commit and its wait, as the agent's do. */
const openJournal = (path: string) => {
  const file = openFile(path)
  for (const migration of migrations)
    for (const statement of statementsFor("sqlite", migration)) file.run(statement, [])
  let asked: Array<{ readonly text: string; readonly params: ReadonlyArray<unknown>; readonly told: () => void }> = []
  let isSyncing = false
  const write = (): void => {
    if (isSyncing || asked.length === 0) return
    const group = asked
    asked = []
    isSyncing = true
    file.run("BEGIN IMMEDIATE", [])
    for (const { params, text } of group) file.run(text, params)
    file.run("COMMIT", [])
    file.sync((error) => {
      if (error !== null) throw error
      isSyncing = false
      for (const { told } of group) told()
      setImmediate(write)
    })
  }
  const paramsOf = (order: string, resource: string, entries: ReadonlyArray<Entry>) => {
    const at = Date.now()
    return entries.flatMap(([step, event, data]) => [
      order,
      resource,
      step,
      event,
      at,
      data === undefined ? null : JSON.stringify(data)
    ])
  }
  return {
    append: (order: string, resource: string, ...entries: ReadonlyArray<Entry>): Promise<void> =>
      new Promise((told) => {
        asked.push({ text: insert(entries.length), params: paramsOf(order, resource, entries), told })
        setImmediate(write)
      }),
    announce: (order: string, resource: string, ...entries: ReadonlyArray<Entry>): void => {
      file.run(insert(entries.length), paramsOf(order, resource, entries))
    },
    close: file.close
  }
}

type Json = Readonly<Record<string, unknown>>
const isObject = (json: unknown): json is Json => typeof json === "object" && json !== null

const textOf = (json: Json, name: string): string => {
  const value = json[name]
  if (typeof value !== "string") throw new Error(`an answer without ${name}`)
  return value
}

const openMarketplace = ({ agentToken, waldurUrl }: Opened) => {
  const { origin, pathname } = new URL(waldurUrl)
  const agent = new Agent()
  const call = async (method: "GET" | "POST", path: string, body?: Json): Promise<Json> => {
    const headers = { authorization: `Token ${agentToken}`, accept: "application/json" }
    const answer = await agent.request({
      origin,
      path: `${pathname}${path}`,
      method,
      headers: body === undefined ? headers : { ...headers, "content-type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body)
    })
    const text = await answer.body.text()
    if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${text.slice(0, 300)}`)
    const json: unknown = text === "" ? {} : JSON.parse(text)
    if (!isObject(json)) throw new Error(`${method} ${path}: not an object`)
    return json
  }
  return {
    get: (path: string) => call("GET", path),
    post: (path: string, body: Json) => call("POST", path, body),
    close: () => agent.close()
  }
}

export interface Bare {
  /** One order, from its first read to `done`. `every`: ms between two looks at a machine that boots. */
  readonly createVm: (order: string, every: number) => Promise<void>
  readonly close: () => Promise<void>
}

/** Its journal goes with the scope. */
export const bareOn = (site: Opened) =>
  Effect.gen(function* () {
    const directory = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped({ prefix: "site-actors-bare-" })
    return yield* Effect.acquireRelease(
      Effect.sync(() => openBare(site, directory)),
      ({ close }) => Effect.promise(close)
    )
  })

/** `directory`: where its journal goes. */
const openBare = (site: Opened, directory: string): Bare => {
  const journal = openJournal(join(directory, "bare.db"))
  const waldur = openMarketplace(site)
  const rpc = plainRpc(site.cloudUrl, site.session)
  const createVm: Bare["createVm"] = async (uuid, every) => {
    const order = await waldur.get(`marketplace-orders/${uuid}/`)
    const id = textOf(order, "marketplace_resource_uuid")
    const [resource] = await Promise.all([
      waldur.get(`marketplace-provider-resources/${id}/`),
      waldur.get(`marketplace-plans/${textOf(order, "plan_uuid")}/`)
    ])
    const append = (...entries: ReadonlyArray<Entry>) => journal.append(uuid, id, ...entries)
    const announce = (...entries: ReadonlyArray<Entry>) => journal.announce(uuid, id, ...entries)
    const { attributes } = order
    if (!isObject(attributes)) throw new Error("an order without attributes")
    const group = Number(textOf(attributes, "parent_backend_id"))
    const request = { _tag: "Create", resource: { name: textOf(resource, "name") }, attributes, limits: order.limits }
    await append(["order", "accepted", { offering: textOf(order, "offering_uuid"), request }])
    announce(["waldur: approve", "started"])
    await waldur.post(`marketplace-orders/${uuid}/approve_by_provider/`, {})
    announce(["waldur: approve", "finished"], ["waldur: executing", "started"], ["choice", "started"])
    const executes = async () => textOf(await waldur.get(`marketplace-orders/${uuid}/`), "state") === "executing"
    await Promise.all([
      until(executes, every),
      // The data centre's.
      waldur.get(`marketplace-provider-resources/${id}/`),
      rpc.call("one.template.info", 2, true),
      rpc.call("one.group.info", group),
      rpc.call("one.vnpool.info", -2, -1, -1),
      rpc.call("one.secgrouppool.info", -2, -1, -1)
    ])
    await rpc.call("one.image.info", 0)
    await append(["choice", "finished", { group }], ["waldur: executing", "finished"], ["vm", "started"])
    const name = `${textOf(resource, "name")}-${id}`
    const vm = await rpc.id("one.template.instantiate", 2, name, true, machine, false)
    announce(["vm", "finished", vm], ["group", "started"])
    await rpc.call("one.vm.chown", vm, -1, group)
    announce(["group", "finished"], ["release", "started"])
    await rpc.call("one.vm.action", "release", vm)
    announce(["release", "finished"], ["running", "started"])
    const tell = async () => {
      announce(["waldur: told ahead", "started"])
      await waldur.post(`marketplace-provider-resources/${id}/set_backend_id/`, { backend_id: String(vm) })
      await waldur.post(`marketplace-provider-resources/${id}/set_backend_metadata/`, { backend_metadata: { vm } })
      announce(["waldur: told ahead", "finished"])
    }
    // From the first look at it that does not find it running, beside the next ones.
    let telling: Promise<void> | undefined
    await until(async () => {
      const pool = await rpc.call("one.vmpool.infoset", String(vm), true)
      if (`${field(pool, "STATE")}/${field(pool, "LCM_STATE")}` === running) return true
      telling ??= tell()
      return false
    }, every)
    await (telling ?? tell())
    await append(["running", "finished"], ["waldur: settled", "started"])
    await waldur.get(`marketplace-provider-resources/${id}/`)
    await append(["waldur: settled", "finished"], ["waldur: done", "started"])
    await waldur.post(`marketplace-orders/${uuid}/set_state_done/`, {})
    await append(["waldur: done", "finished"], ["order", "done"])
  }
  return {
    createVm,
    close: async () => {
      journal.close()
      await waldur.close()
    }
  }
}

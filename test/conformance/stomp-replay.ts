/**
 * One recording against the simulated broker: the client's side is done as it was recorded, on real sockets, and the server's side has to
 * come as it was recorded, byte by byte, but for the names of sessions. Only the time is not real.
 */
import { Effect, Exit, Scope } from "effect"
import { WebSocket } from "ws"
import type { ServeError } from "../../src/simulator/listening.js"
import { type Broker, serveBroker, type Timers } from "../../src/simulator/stomp/index.js"
import { type Event, isFromServer, type Recording } from "./stomp-recordings.js"
import { countsOf, during, makeStage, manage, publishStaged } from "./stomp-stage.js"

/** What reached the client, in order. */
type Heard =
  | { readonly _tag: "Frame"; readonly bytes: Buffer; readonly binary: boolean }
  | { readonly _tag: "Error"; readonly message: string }
  | { readonly _tag: "Closed"; readonly code: number; readonly reason: string }

interface Client {
  readonly socket: WebSocket
  readonly next: () => Promise<Heard | undefined>
  readonly left: () => ReadonlyArray<Heard>
  /** Completes when the server has done what was sent before, or the socket is closed. */
  readonly settled: () => Promise<void>
}

/** Time that goes on only when the recording does. */
const makeManualTimers = (): Timers & { readonly advance: (to: number) => void } => {
  let now = 0
  const tasks = new Set<{ readonly at: number; readonly task: () => void }>()
  return {
    after: (ms, task) => {
      const entry = { at: now + ms, task }
      tasks.add(entry)
      return () => tasks.delete(entry)
    },
    advance: (to) => {
      while (true) {
        const [next] = [...tasks].filter(({ at }) => at <= to).toSorted((a, b) => a.at - b.at)
        if (next === undefined) break
        now = next.at
        tasks.delete(next)
        next.task()
      }
      now = Math.max(now, to)
    }
  }
}

const patience = 2_000

const connect = (port: number, path: string, protocols: ReadonlyArray<string>): Client => {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, [...protocols])
  const heard: Array<Heard> = []
  let wake = () => {}
  const hear = (what: Heard): void => {
    heard.push(what)
    wake()
  }
  socket.on("message", (data, binary) => {
    hear({ _tag: "Frame", bytes: Buffer.isBuffer(data) ? data : Buffer.alloc(0), binary })
  })
  socket.on("error", (error: Error) => hear({ _tag: "Error", message: error.message }))
  socket.on("close", (code, reason) => hear({ _tag: "Closed", code, reason: reason.toString() }))
  return {
    socket,
    left: () => heard,
    next: async () => {
      if (heard.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve
          setTimeout(resolve, patience).unref()
        })
      }
      return heard.shift()
    },
    settled: () =>
      new Promise((resolve) => {
        if (socket.readyState !== WebSocket.OPEN) return resolve()
        const done = () => {
          socket.off("pong", done)
          socket.off("close", done)
          resolve()
        }
        socket.on("pong", done)
        socket.on("close", done)
        socket.ping()
      })
  }
}

const textOf = (heard: Heard | undefined): string => (JSON.stringify(heard) ?? "nothing").slice(0, 300)
const sessionIn = (text: string): string | undefined => /^session:(\S+)$/m.exec(text)?.[1]
const shown = (bytes: Buffer): string => JSON.stringify(bytes.toString("latin1").slice(0, 600))

/** Gives what does not match, `undefined` if all does. */
export const replay = (recording: Recording): Effect.Effect<string | undefined, ServeError> =>
  Effect.gen(function* () {
    const timers = makeManualTimers()
    const broker = makeStage(recording, timers)
    const listening = yield* Scope.make()
    const { port } = yield* Scope.extend(serveBroker({ broker }), listening)
    const run = new Replay(recording, broker, port, timers.advance, listening)
    return yield* Effect.ensuring(
      Effect.promise(() => run.all()),
      Effect.suspend(() => run.stop())
    )
  })

class Replay {
  private readonly clients = new Map<string, Client>()
  /** Recorded name of a session -> its name here. */
  private readonly sessions = new Map<string, string>()
  private path = "/ws"
  private protocols: ReadonlyArray<string> = ["v12.stomp", "v11.stomp", "v10.stomp"]
  private staged = false
  private down = false

  constructor(
    private readonly recording: Recording,
    private readonly broker: Broker,
    private readonly port: number,
    private readonly advance: (to: number) => void,
    private listening: Scope.CloseableScope
  ) {}

  stop(): Effect.Effect<void> {
    for (const { socket } of this.clients.values()) socket.terminate()
    return Scope.close(this.listening, Exit.void)
  }

  async all(): Promise<string | undefined> {
    for (const event of this.recording.events) {
      await this.settled()
      const staged = during[this.recording.number]
      if (staged !== undefined && !this.staged && event.at >= staged.at) {
        this.staged = true
        publishStaged(this.broker, this.recording)
      }
      // The recording's own clock was not exact to the millisecond.
      this.advance(event.at + (isFromServer(event) ? 5 : 0))
      const difference = await this.step(event)
      if (difference !== undefined) return `at +${event.at / 1000}s: ${difference}`
    }
    await this.settled()
    for (const client of this.clients.values()) {
      const [more] = client.left()
      if (more !== undefined) return `at the end: ${textOf(more)} came besides`
    }
    return undefined
  }

  /** Both sides have seen everything: what was sent, and which sockets are gone. */
  private async settled(): Promise<void> {
    for (const client of this.clients.values()) await client.settled()
    const isOpen = ({ socket }: Client) => socket.readyState === WebSocket.OPEN
    const until = performance.now() + patience
    while (this.broker.connections.size > [...this.clients.values()].filter(isOpen).length) {
      if (performance.now() > until) return
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  private async step({ connection, what }: Event): Promise<string | undefined> {
    const client = this.clients.get(connection)
    switch (what._tag) {
      case "FromClient":
        client?.socket.send(this.renamed(what.bytes), { binary: false })
        return undefined
      case "FromServer":
        return this.expectFrame(await client?.next(), what)
      case "Note":
        return this.note(what.text, connection, client)
    }
  }

  private async note(text: string, connection: string, client: Client | undefined): Promise<string | undefined> {
    if (text.startsWith("HTTP management")) return this.manage(text)
    if (text.startsWith("rabbitmqctl list_queues")) {
      const wanted = text.slice(text.indexOf("= ") + 2)
      const found = countsOf(this.broker, this.recording)
      return wanted === found ? undefined : `queue ${found} rather than ${wanted}`
    }
    if (text === "rabbitmqctl shutdown" || text === "SIGKILL to the broker") {
      this.down = true
      this.broker.restart()
      await Effect.runPromise(Scope.close(this.listening, Exit.void))
      return undefined
    }
    if (text.startsWith("path ")) this.path = text.slice("path ".length)
    if (text.startsWith("protocols ")) this.protocols = JSON.parse(text.slice("protocols ".length))
    if (text.startsWith("WebSocket open")) return this.open(text, connection)
    if (text.startsWith("upgrade refused: HTTP 404")) return this.refused("Unexpected server response: 404")
    if (text.startsWith("WebSocket error event: "))
      return this.failed(text.slice("WebSocket error event: ".length), client)
    if (text.startsWith("WebSocket closed")) return this.closed(text, connection, client)
    if (text.includes("Issuing close on the websocket") && client?.socket.readyState === WebSocket.OPEN)
      client.socket.close()
    if (text.startsWith("(still open")) {
      return client === undefined || client.socket.readyState === WebSocket.OPEN ? undefined : "it was closed"
    }
    return undefined
  }

  private manage(line: string): string | undefined {
    const wanted = line.slice(line.lastIndexOf(" -> ") + 4).trim()
    const found = manage(this.broker, this.recording, line)
    return wanted.startsWith(found) ? undefined : `management answers ${found} rather than ${wanted}`
  }

  private async open(text: string, connection: string): Promise<string | undefined> {
    if (this.down) {
      this.down = false
      this.listening = await Effect.runPromise(Scope.make())
      await Effect.runPromise(Scope.extend(serveBroker({ broker: this.broker, port: this.port }), this.listening))
    }
    const client = connect(this.port, this.path, this.protocols)
    this.clients.set(connection, client)
    const opened = await new Promise<boolean>((resolve) => {
      client.socket.once("open", () => resolve(true))
      client.socket.once("close", () => resolve(false))
    })
    const wanted = JSON.parse(text.slice(text.indexOf('"')))
    if (!opened) return "it does not open"
    return client.socket.protocol === wanted ? undefined : `sub-protocol ${client.socket.protocol}`
  }

  /** A connection that does not come about. */
  private async refused(wanted: string): Promise<string | undefined> {
    const heard = await connect(this.port, this.path, this.protocols).next()
    const found = heard?._tag === "Error" ? heard.message : (heard?._tag ?? "nothing")
    return found.startsWith(wanted) ? undefined : `${found} rather than ${wanted}`
  }

  private async failed(message: string, client: Client | undefined): Promise<string | undefined> {
    if (message.startsWith("connect ECONNREFUSED")) return this.refused("connect ECONNREFUSED")
    if (message === "Server sent no subprotocol") return this.refused(message)
    if (!message.startsWith("Invalid WebSocket frame")) return undefined
    const heard = await client?.next()
    return heard?._tag === "Error" && heard.message === message ? undefined : `${textOf(heard)}, no error`
  }

  /** The client did it, unless the server says so: 1000, or 1006 after an error or with the broker gone. */
  private async closed(text: string, connection: string, client: Client | undefined): Promise<string | undefined> {
    const [, code = "", reason = ""] = /code (-?\d+), reason "(.*)"$/.exec(text) ?? []
    if (client === undefined) return undefined
    const isOver = client.left().some((heard) => heard._tag === "Closed")
    if (code === "1005" && client.socket.readyState === WebSocket.OPEN) client.socket.close()
    if (code === "1006" && !isOver && !this.down) client.socket.terminate()
    const heard = await client.next()
    this.clients.delete(connection)
    const found = heard?._tag === "Closed" ? `${heard.code} "${heard.reason}"` : textOf(heard)
    return found === `${code} "${reason}"` ? undefined : `${found} rather than ${code} "${reason}"`
  }

  private expectFrame(
    heard: Heard | undefined,
    wanted: Extract<Event["what"], { readonly _tag: "FromServer" }>
  ): string | undefined {
    if (heard?._tag !== "Frame") return `${textOf(heard)} rather than ${shown(wanted.bytes)}`
    const recorded = sessionIn(wanted.bytes.toString())
    const here = sessionIn(heard.bytes.toString())
    if (recorded !== undefined && here !== undefined) this.sessions.set(recorded, here)
    const expected = this.renamed(wanted.bytes)
    const isElided = wanted.length !== wanted.bytes.length
    const same = isElided
      ? heard.bytes.length === wanted.length + expected.length - wanted.bytes.length &&
        heard.bytes.subarray(0, 250).equals(expected.subarray(0, 250))
      : heard.bytes.equals(expected)
    return same && heard.binary === wanted.binary ? undefined : `${shown(heard.bytes)} rather than ${shown(expected)}`
  }

  /** The recording's sessions by the names that they have here. */
  private renamed(bytes: Buffer): Buffer {
    if (this.sessions.size === 0 || !bytes.includes("session-")) return bytes
    const text = [...this.sessions].reduce(
      (all, [recorded, here]) => all.replaceAll(recorded, here),
      bytes.toString("latin1")
    )
    return Buffer.from(text, "latin1")
  }
}

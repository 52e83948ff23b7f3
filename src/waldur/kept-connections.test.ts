/** What servers and proxies do to connections that are kept: no answer comes to another request, and none that may have been carried out is sent again. */
import type { Socket } from "node:net"
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Redacted } from "effect"
import { serveTcp } from "../../test/support/tinyServers.js"
import { makeClient } from "./client.js"

interface Asked {
  /** "POST /api/marketplace-orders/.../set_state_done/" */
  readonly line: string
  /** On its connection, and of all: from 1. */
  readonly at: number
  readonly ofAll: number
  readonly socket: Socket
}

const answer = (json: unknown, head = "HTTP/1.1 200 OK"): string => {
  const body = JSON.stringify(json)
  return `${head}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}

/** Speaks HTTP by hand, so that it can say anything. */
const server = (on: (asked: Asked) => void, timeout: "1 second" | "1 minute" = "1 minute") =>
  Effect.gen(function* () {
    const seen: Array<string> = []
    const port = yield* serveTcp((socket) => {
      let text = ""
      let at = 0
      socket.on("error", () => undefined)
      socket.on("data", (bytes) => {
        text += bytes.toString("latin1")
        for (;;) {
          const end = text.indexOf("\r\n\r\n")
          const length = Number(/content-length: (\d+)/i.exec(text.slice(0, end))?.[1] ?? 0)
          if (end < 0 || text.length < end + 4 + length) return
          const line = text.slice(0, text.indexOf(" HTTP/1.1"))
          text = text.slice(end + 4 + length)
          at += 1
          seen.push(line)
          on({ line, at, ofAll: seen.length, socket })
        }
      })
    })
    const client = yield* makeClient({
      apiUrl: `http://127.0.0.1:${port}/api/`,
      credentials: { _tag: "Token", token: Redacted.make("some-token") },
      timeout
    })
    const read = (name: string) =>
      Effect.map(client.call({ method: "GET", path: `things/${name}/` }), ({ json }) => json)
    /** One that may not be repeated. */
    const write = (name: string) =>
      Effect.map(client.call({ method: "POST", path: `things/${name}/`, body: {} }), ({ json }) => json)
    const posts = () => seen.filter((line) => line.startsWith("POST")).map((line) => line.split("/").at(-2))
    return { read, write, posts }
  })

const nameOf = ({ line }: Asked) => line.split("/").at(-2)
const own = (asked: Asked) => answer({ name: nameOf(asked) })
/** A moment in which what was sent has come. */
const moment = Effect.sleep("50 millis")

describe("a kept connection", () => {
  it.scopedLive("that is closed as the next request comes: a write is not sent again, a read is", () =>
    Effect.gen(function* () {
      const { posts, read, write } = yield* server((asked) => {
        if (asked.at === 1) asked.socket.write(own(asked))
        else asked.socket.destroy()
      })
      expect(yield* read("one")).toEqual({ name: "one" })
      yield* moment
      expect(yield* Effect.flip(write("two"))).toMatchObject({ _tag: "WaldurUnreachable" })
      for (const name of ["three", "four"]) {
        expect(yield* read(name)).toEqual({ name })
        yield* moment
      }
      expect(posts()).toEqual(["two"])
    })
  )

  it.scopedLive.each<readonly [string, string]>([
    ["a 408", "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"],
    ["an answer that nobody asked for", answer({ name: "stray" })],
    ["two of them", answer({ name: "stray" }) + answer({ name: "stray" })],
    ["half of one", answer({ name: "stray" }).slice(0, -3)],
    ["garbage", "\0\0\0\r\n\r\n"],
    ["an early hint of nothing", "HTTP/1.1 103 Early Hints\r\n\r\n"]
  ])("on which %s comes while it is idle, or together with the answer before, gives it to nobody", ([, stray]) =>
    Effect.gen(function* () {
      for (const isTogether of [true, false]) {
        const sent = yield* Deferred.make<void>()
        const { posts, read, write } = yield* server((asked) => {
          if (asked.at > 1) return void asked.socket.write(own(asked))
          if (isTogether) return void asked.socket.write(own(asked) + stray)
          asked.socket.write(own(asked))
          setTimeout(() => asked.socket.write(stray, () => Deferred.unsafeDone(sent, Exit.void)), 20)
        })
        expect(yield* read("one")).toEqual({ name: "one" })
        yield* isTogether ? Effect.void : Effect.zipRight(Deferred.await(sent), moment)
        expect(yield* write("two")).toEqual({ name: "two" })
        expect(yield* read("three")).toEqual({ name: "three" })
        expect(posts()).toEqual(["two"])
      }
    })
  )

  it.scopedLive("whose answer is too late gives it to no other request", () =>
    Effect.gen(function* () {
      const { read, write } = yield* server((asked) => {
        const isLate = nameOf(asked) === "late"
        if (isLate) setTimeout(() => asked.socket.write(own(asked)), 1_100)
        else asked.socket.write(own(asked))
      }, "1 second")
      expect(yield* read("one")).toEqual({ name: "one" })
      expect(yield* Effect.flip(write("late"))).toMatchObject({ _tag: "WaldurTimedOut" })
      for (const name of ["two", "three", "four"]) {
        expect(yield* read(name)).toEqual({ name })
        yield* moment
      }
    })
  )

  it.scopedLive("with an answer that is longer or shorter than announced: its rest is no answer", () =>
    Effect.gen(function* () {
      const { posts, read, write } = yield* server((asked) => {
        const said = own(asked)
        const name = nameOf(asked)
        if (name === "long") asked.socket.write(said + said)
        else if (name === "cut") asked.socket.write(said.replace(/Content-Length: \d+/, "Content-Length: 5"))
        else if (name === "short") asked.socket.end(said.replace(/Content-Length: \d+/, "Content-Length: 500"))
        else if (name === "closed")
          asked.socket.write(said.replace("200 OK", "200 OK\r\nConnection: close") + answer({ name: "more" }))
        else asked.socket.write(said)
      })
      expect(yield* write("long")).toEqual({ name: "long" })
      expect(yield* read("one")).toEqual({ name: "one" })
      expect(yield* Effect.flip(write("cut"))).toMatchObject({ _tag: "WaldurMalformedAnswer" })
      expect(yield* read("two")).toEqual({ name: "two" })
      expect(yield* Effect.flip(write("short"))).toMatchObject({ _tag: "WaldurUnreachable" })
      expect(yield* read("three")).toEqual({ name: "three" })
      expect(yield* write("closed")).toEqual({ name: "closed" })
      expect(yield* read("four")).toEqual({ name: "four" })
      expect(posts()).toEqual(["long", "cut", "short", "closed"])
    })
  )

  it.scopedLive.each(["102 Processing", "103 Early Hints"])("with a %s before the answer", (status) =>
    Effect.gen(function* () {
      const { posts, read, write } = yield* server(
        (asked) => void asked.socket.write(`HTTP/1.1 ${status}\r\n\r\n${own(asked)}`)
      )
      expect(yield* read("one")).toEqual({ name: "one" })
      expect(yield* write("two")).toEqual({ name: "two" })
      expect(yield* read("three")).toEqual({ name: "three" })
      expect(posts()).toEqual(["two"])
    })
  )

  it.scopedLive("with a 100 that nobody asked for counts as broken: a write is not sent again", () =>
    Effect.gen(function* () {
      const { posts, write } = yield* server(
        (asked) => void asked.socket.write(`HTTP/1.1 100 Continue\r\n\r\n${own(asked)}`)
      )
      expect(yield* Effect.flip(write("one"))).toMatchObject({ _tag: "WaldurUnreachable" })
      expect(posts()).toEqual(["one"])
    })
  )

  it.scopedLive("of which many are used at once: each request gets its own answer, whatever befalls the others", () =>
    Effect.gen(function* () {
      const { posts, read, write } = yield* server((asked) => {
        const kind = asked.ofAll % 7
        if (kind === 0) asked.socket.destroy()
        else if (kind === 1) asked.socket.write(own(asked) + answer({ name: "stray" }))
        else if (kind === 2) setTimeout(() => asked.socket.write(own(asked)), 15)
        else if (kind === 3) asked.socket.end(own(asked))
        else asked.socket.write(own(asked))
      })
      const names = Array.from({ length: 200 }, (_, at) => `n${at}`)
      const got = yield* Effect.forEach(names, (name) => Effect.either(name.endsWith("5") ? write(name) : read(name)), {
        concurrency: 20
      })
      got.forEach((one, at) => {
        if (one._tag === "Right") expect(one.right).toEqual({ name: names[at] })
      })
      expect(got.filter(({ _tag }) => _tag === "Right").length).toBeGreaterThan(150)
      expect(new Set(posts()).size).toBe(posts().length)
    })
  )
})

import { request as httpRequest } from "node:http"
import { expect, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { createClient } from "xmlrpc"
import { serve } from "./serve.js"

/** One call with a client that shares no code with the simulator. */
const callWith = (port: number, method: string, params: ReadonlyArray<unknown>) =>
  Effect.async<unknown, Error>((resume) => {
    createClient({ host: "127.0.0.1", port, path: "/RPC2" }).methodCall(method, [...params], (error, value) =>
      resume(error ? Effect.fail(new Error(String(error))) : Effect.succeed(value))
    )
  })

interface Seen {
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
}

const send = (port: number, method: string, path: string, headers: Record<string, string>, body: string) =>
  Effect.async<Seen, Error>((resume) => {
    const request = httpRequest({ host: "127.0.0.1", port, method, path, headers }, (response) => {
      response.resume()
      response.on("end", () => resume(Effect.succeed({ status: response.statusCode, headers: response.headers })))
    })
    request.on("error", (error) => resume(Effect.fail(error)))
    request.end(body)
  })

const session = "oneadmin:opennebula"

it.scopedLive("answers an ordinary XML-RPC client over HTTP", () =>
  Effect.gen(function* () {
    const { frontEnd, port } = yield* serve({ port: 0 })
    expect(yield* callWith(port, "one.system.version", [session])).toEqual([true, "7.4.0", 0])
    expect(yield* callWith(port, "one.group.allocate", [session, "tenant"])).toEqual([true, 100, 0])
    const multi = [{ methodName: "one.system.version", params: [session] }]
    expect(yield* callWith(port, "system.multicall", [multi])).toEqual([[[true, "7.4.0", 0]]])
    expect(frontEnd.calls.map(({ method }) => method)).toContain("one.group.allocate")
  })
)

it.scopedLive("boots a machine by the real clock while clients look on", () =>
  Effect.gen(function* () {
    const { port } = yield* serve({ port: 0 })
    expect(yield* callWith(port, "one.template.instantiate", [session, 2, "machine", false, ""])).toEqual([true, 0, 0])
    const look = Effect.flatMap(callWith(port, "one.vm.info", [session, 0]), (answer) =>
      JSON.stringify(answer).includes("<LCM_STATE>3</LCM_STATE>")
        ? Effect.void
        : Effect.fail(new Error("not running yet"))
    )
    yield* Effect.retry(look, Schedule.spaced("20 millis").pipe(Schedule.upTo("1 minute")))
  })
)

it.scopedLive("closes every connection and refuses what OpenNebula's HTTP server refuses", () =>
  Effect.gen(function* () {
    const { port } = yield* serve({ port: 0 })
    const body = `<methodCall><methodName>one.system.version</methodName><params><param><value>${session}</value></param></params></methodCall>`
    const length = { "Content-Length": String(body.length) }
    const good = yield* send(port, "POST", "/RPC2", { ...length, Connection: "keep-alive" }, body)
    expect([good.status, good.headers.connection]).toEqual([200, "close"])
    expect((yield* send(port, "POST", "/RPC2?x=1", length, body)).status).toBe(200)
    expect((yield* send(port, "POST", "/RPC2/", length, body)).status).toBe(404)
    expect((yield* send(port, "GET", "/RPC2", {}, "")).status).toBe(405)
    expect((yield* send(port, "POST", "/RPC2", { "Content-Length": "0" }, "")).status).toBe(400)
    expect((yield* send(port, "POST", "/RPC2", { "Transfer-Encoding": "chunked" }, body)).status).toBe(411)
  })
)

it.scopedLive("loses a call before or after carrying it out when a test wants it so", () =>
  Effect.gen(function* () {
    const { frontEnd, port } = yield* serve({ port: 0 })
    const allocate = (name: string) => Effect.exit(callWith(port, "one.group.allocate", [session, name]))
    frontEnd.intercept(() => ({ _tag: "Drop", when: "before" }))
    expect((yield* allocate("lost"))._tag).toBe("Failure")
    frontEnd.intercept(() => ({ _tag: "Drop", when: "after" }))
    expect((yield* allocate("made"))._tag).toBe("Failure")
    frontEnd.intercept(() => ({ _tag: "HttpError", when: "before", status: 500 }))
    expect((yield* allocate("refused"))._tag).toBe("Failure")
    frontEnd.intercept(undefined)
    expect([...frontEnd.world.groups].map(({ name }) => name)).toEqual(["oneadmin", "users", "made"])
  })
)

it.scopedLive("keeps passwords out of its call log", () =>
  Effect.gen(function* () {
    const { frontEnd, port } = yield* serve({ port: 0 })
    yield* callWith(port, "one.user.allocate", [session, "someone", "hunter2", "core"])
    expect(JSON.stringify(frontEnd.calls)).not.toContain("hunter2")
    expect(JSON.stringify(frontEnd.calls)).not.toContain("opennebula")
  })
)

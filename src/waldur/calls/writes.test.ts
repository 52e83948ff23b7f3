import { describe, expect, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { connect, id, noSuch, order, resource, unknownAddress } from "../testing/connected.js"
import { neverAnswer, type Reply } from "../testing/scripted-server.js"

describe("the backend id", () => {
  const answering = (looks: ReadonlyArray<string>) =>
    connect(({ method }, count) =>
      method === "POST" ? {} : { json: { uuid: resource, state: "Creating", backend_id: looks[count] } }
    )

  it.scopedLive("is set again if the server's background task overwrites it", () =>
    Effect.gen(function* () {
      const { waldur, calls, server } = yield* answering(["", "201"])
      yield* waldur.setBackendId(resource, "201")
      expect(calls()).toEqual(["set_backend_id", "read", "set_backend_id", "read"])
      expect(server.seen[0]?.json).toEqual({ backend_id: "201" })
    })
  )

  it.scopedLive("is put back if it was lost later, and only read if it was not", () =>
    Effect.gen(function* () {
      const { waldur, calls } = yield* answering(["201", "", "201"])
      expect(yield* waldur.keepBackendId(resource, "201")).toBe(true)
      expect(yield* waldur.keepBackendId(resource, "201")).toBe(false)
      expect(calls()).toEqual(["read", "read", "set_backend_id", "read"])
    })
  )

  it.scopedLive("that is lost every time is left for later", () =>
    Effect.gen(function* () {
      const { waldur, calls } = yield* connect(({ method }) =>
        method === "POST" ? {} : { json: { uuid: resource, state: "Creating", backend_id: "" } }
      )
      const error = yield* Effect.flip(waldur.setBackendId(resource, "201"))
      expect(error).toMatchObject({ _tag: "NotYet", disposition: "retry" })
      expect(calls().filter((call) => call === "set_backend_id")).toHaveLength(5)
    })
  )

  it.scopedLive("of an order is no concern of older servers", () =>
    Effect.gen(function* () {
      const { waldur } = yield* connect(() => unknownAddress)
      expect(yield* waldur.setOrderBackendId(order, "x")).toBe("unsupported")
    })
  )

  it.scopedLive("of an order that does not exist is an error", () =>
    Effect.gen(function* () {
      const { waldur } = yield* connect(() => ({ status: 404, json: { detail: "No Order matches the given query." } }))
      expect(yield* Effect.flip(waldur.setOrderBackendId(order, "x"))).toMatchObject({ _tag: "WaldurNotFound" })
    })
  )
})

describe("limits", () => {
  const today = `marketplace-provider-resources/${resource}/set_limits/`
  const older = `marketplace-slurm-remote/${resource}/set_limits/`

  it.scopedLive("are set in today's way where the server knows it", () =>
    Effect.gen(function* () {
      const { waldur, server } = yield* connect(({ path }) => (path === today ? {} : unknownAddress))
      yield* waldur.setLimits(resource, { cpu: 4 })
      expect(server.seen.map(({ path, json }) => [path, json])).toEqual([[today, { limits: { cpu: 4 } }]])
    })
  )

  it.scopedLive.each<readonly [string, Reply]>([
    ["404", unknownAddress],
    ["405", { status: 405, json: { detail: "Method not allowed." } }]
  ])("are set in the older way after a %s, and from then on at once", ([, reply]) =>
    Effect.gen(function* () {
      const { waldur, server } = yield* connect(({ path }) => (path === older ? {} : reply))
      yield* waldur.setLimits(resource, { cpu: 4 })
      yield* waldur.setLimits(resource, { cpu: 8 })
      expect(server.seen.map(({ path, json }) => [path, json])).toEqual([
        [today, { limits: { cpu: 4 } }],
        [older, { cpu: 4 }],
        [older, { cpu: 8 }]
      ])
    })
  )

  it.scopedLive(
    "that had no answer in time are not followed by others while they may still come, but by the same",
    () =>
      Effect.gen(function* () {
        const timeout = 300
        const times: Array<readonly [number, unknown]> = []
        const { waldur } = yield* connect(
          ({ json }, count) => {
            times.push([performance.now(), json])
            return count === 0 ? neverAnswer : {}
          },
          { timeout }
        )
        const start = performance.now()
        yield* waldur.setLimits(resource, { cpu: 4 })
        yield* waldur.setLimits(resource, { cpu: 8 })
        yield* waldur.setLimits(resource, { cpu: 16 })
        // On a machine that stands still another answer may come too late as well: then the same is sent once more.
        const told = times.map(([, json]) => JSON.stringify(json))
        const [first, ...others] = [4, 8, 16].map((cpu) => JSON.stringify({ limits: { cpu } }))
        expect(told.filter((one, at) => one !== told[at - 1])).toEqual([first, ...others])
        expect(told[1]).toBe(first)
        const again = times[1]?.[0] ?? 0
        const other = times[told.indexOf(others[0] ?? "")]?.[0] ?? 0
        expect(again - start).toBeGreaterThan(timeout - 5)
        expect(other - start).toBeGreaterThan(3 * timeout - 5)
      })
  )

  it.scopedLive("survive the server's upgrade", () =>
    Effect.gen(function* () {
      let upgraded = false
      const { waldur } = yield* connect(({ path }) => ((path === today) === upgraded ? {} : unknownAddress))
      yield* waldur.setLimits(resource, { cpu: 4 })
      upgraded = true
      yield* waldur.setLimits(resource, { cpu: 8 })
    })
  )

  it.scopedLive.each([
    ["the older way is not known either", unknownAddress],
    ["the older way is another plugin's", noSuch]
  ] as const)("are left as they are where today's way is not known and %s", ([, olderAnswer]) =>
    Effect.gen(function* () {
      const { waldur } = yield* connect(({ path }) => (path === today ? unknownAddress : olderAnswer))
      expect(yield* waldur.setLimits(resource, { cpu: 4 })).toBe("unsupported")
    })
  )

  it.scopedLive(
    "are told again where it is a proxy that knows no address, and not taken for untold on an older server",
    () =>
      Effect.gen(function* () {
        const answers = (isUp: boolean) =>
          connect(({ path }, count) =>
            path === "users/me/" && isUp
              ? { json: { uuid: id(9), username: "agent" } }
              : count < 2
                ? { status: 404, text: "default backend - 404" }
                : {}
          )
        const restarting = yield* answers(false)
        expect(yield* restarting.waldur.setEndpoints(resource, [])).toBe("written")
        // Another page than Waldur's own, of a proxy whose backend is there.
        const older = yield* answers(true)
        expect(yield* older.waldur.setEndpoints(resource, [])).toBe("unsupported")
      })
  )

  it.scopedLive("of a resource that neither way finds fail with the first one's words", () =>
    Effect.gen(function* () {
      const { waldur } = yield* connect(({ path }) => (path === today ? noSuch : unknownAddress))
      expect(yield* Effect.flip(waldur.setLimits(resource, {}))).toMatchObject({
        _tag: "WaldurNotFound",
        detail: "No Resource matches the given query."
      })
    })
  )
})

describe("usage", () => {
  it.scopedLive("is reported with what Waldur wants, and read back as numbers", () =>
    Effect.gen(function* () {
      const { waldur, server } = yield* connect(({ method }) =>
        method === "POST" ? { status: 201 } : { json: [{ uuid: id(1), type: "cpu", usage: "5.00" }] }
      )
      yield* waldur.setUsage({ resource, usages: [{ type: "cpu", amount: 5 }] })
      expect(server.seen[0]?.json).toEqual({ resource, usages: [{ type: "cpu", amount: 5, description: "" }] })
      const usages = yield* waldur.componentUsages(resource, "2026-11-01")
      expect(usages.items[0]).toMatchObject({ type: "cpu", usage: Option.some(5) })
      expect(server.seen[1]?.query.get("billing_period")).toBe("2026-11-01")
    })
  )
})

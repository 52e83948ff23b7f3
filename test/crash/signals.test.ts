/** Signals that come twice, as from npx at Ctrl-C, or from somebody in a hurry. */
import { expect } from "@effect/vitest"
import { Deferred, Effect, Exit } from "effect"
import { long, newSite, withAgent } from "./harness.js"
import { atWork, ended, orNever, stopped, until } from "./waits.js"
import { watchForDoubles } from "./watch.js"

withAgent("an agent that is asked to end twice", (it) => {
  it.scoped(
    "sees the call on the wire to its end all the same, and the next one makes nothing for a second time",
    () =>
      Effect.gen(function* () {
        const site = yield* newSite()
        const { made } = watchForDoubles(site.cloud)
        const agent = yield* site.start()
        const come = yield* Deferred.make<void>()
        const answer = yield* Deferred.make<void>()
        site.cloud.intercept(({ method }) => {
          if (method !== "one.group.allocate") return undefined
          Deferred.unsafeDone(come, Exit.void)
          return { _tag: "Hold", when: "before", until: Deferred.await(answer) }
        })
        const order = yield* site.place.vdc()
        yield* orNever(() => "the group's call")(Deferred.await(come))
        agent.signal("SIGTERM")
        agent.signal("SIGINT")
        // It has heard both.
        yield* Effect.raceFirst(
          until("its word on the second one", () => agent.output().includes("It ends already")),
          agent.ended
        )
        yield* Deferred.succeed(answer, undefined)
        expect(yield* agent.ended).toEqual({ code: 0, signal: null })
        expect(made.get("one.group.allocate")).toBe(1)

        const next = yield* site.start()
        expect((yield* ended(site, order)).state).toBe("done")
        expect(made.get("one.group.allocate")).toBe(1)
        expect((yield* stopped(next)).code).toBe(0)
      }),
    long
  )
})

withAgent("an agent that gets signals which are meant for other programs", (it) => {
  it.scoped(
    "goes on with its orders, says so, and opens no debugger's port",
    () =>
      Effect.gen(function* () {
        const site = yield* newSite({ bootTime: 1_000 })
        const agent = yield* site.start()
        yield* atWork(site, agent)
        const order = yield* site.place.vdc()
        for (const signal of ["SIGUSR1", "SIGUSR2", "SIGHUP", "SIGPIPE"] as const) agent.signal(signal)
        expect((yield* ended(site, order)).state).toBe("done")
        for (const signal of ["SIGUSR1", "SIGUSR2"]) expect(agent.output()).toContain(`${signal} means nothing here`)
        expect(agent.output()).not.toContain("Debugger listening")
        expect(yield* stopped(agent)).toEqual({ code: 0, signal: null })
      }),
    long
  )
})

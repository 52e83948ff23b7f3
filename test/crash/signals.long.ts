/** Signals that come twice, as from npx at Ctrl-C, or from somebody in a hurry. */
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { added, takeInventory } from "../../src/runtime/demo/inventory.js"
import { long, newSite, withAgent } from "./harness.js"
import { atWork, ended, held, orNever, stopped, until } from "./waits.js"
import { watchForDoubles } from "./watch.js"

withAgent("an agent that is asked to end twice", (it) => {
  it.scoped(
    "sees the call on the wire to its end all the same, and the next one makes nothing for a second time",
    () =>
      Effect.gen(function* () {
        const site = yield* newSite()
        const { made } = watchForDoubles(site.cloud)
        const agent = yield* site.start()
        const { answered, come } = yield* held(site, "one.group.allocate", "before")
        const order = yield* site.place.vdc()
        yield* come
        agent.signal("SIGTERM")
        agent.signal("SIGINT")
        // It has heard both.
        yield* Effect.raceFirst(
          until("its word on the second one", () => agent.output().includes("It ends already")),
          agent.ended
        )
        yield* answered
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

withAgent("a command that is broken off", (it) => {
  it.scoped(
    "says so, by its exit code as well: nobody takes it for done",
    () =>
      Effect.gen(function* () {
        const site = yield* newSite()
        const { come } = yield* held(site, "one.system.version", "before")
        const check = yield* site.command("check")
        yield* come
        check.signal("SIGTERM")
        expect(yield* check.ended).toEqual({ code: 130, signal: null })
        expect(check.output()).toContain("Broken off before it was done: run it again.")
      }),
    long
  )

  // A create in the middle of it, and a change of what has been made.
  for (const method of ["one.vrouter.allocate", "one.group.quota"]) {
    it.scoped(
      `as a test order on the real cloud, at ${method}, removes first what it has made there`,
      () =>
        Effect.gen(function* () {
          const site = yield* newSite()
          const before = takeInventory(site.cloud)
          const trial = yield* site.command(
            ...["order-test", "examples/order-vdc.yaml", "--set", "name=trial", "--offering", "VDC", "--real", "--yes"]
          )
          let calls = 0
          const struckAt = method === "one.group.quota" ? 2 : 1
          site.cloud.intercept((call) => {
            if (call.method === method) calls += 1
            if (call.method === method && calls === struckAt) trial.signal("SIGINT")
            return undefined
          })
          expect(yield* trial.ended).toEqual({ code: 130, signal: null })
          expect(trial.output()).toContain("Nothing of it is left.")
          expect(calls).toBeGreaterThan(0)
          expect(takeInventory(site.cloud)).toEqual(before)
        }),
      long
    )
  }
})

/** One word is enough: who stops it as a service or in a container has no second one. */
withAgent("a test order on the real cloud that is broken off while that does not answer", (it) => {
  const lost = { _tag: "Drop", when: "before" } as const
  const unheard = { _tag: "Hold", when: "before", until: Effect.never } as const
  for (const [how, method, disturbance] of [
    ["takes calls and says nothing in a create", "one.vrouter.allocate", unheard],
    ["is away in an end", "one.vrouter.delete", lost]
  ] as const) {
    it.scoped(
      `which ${how}, ends by itself, and says what may be left`,
      () =>
        Effect.gen(function* () {
          const site = yield* newSite()
          // The journal that `orphans` asks.
          yield* stopped(yield* Effect.tap(site.start(), (agent) => atWork(site, agent)))
          const before = takeInventory(site.cloud)
          let isAway = false
          site.cloud.intercept((call) => {
            if (call.method === method) isAway = true
            return isAway ? disturbance : undefined
          })
          const trial = yield* site.command(
            ...["order-test", "examples/order-vdc.yaml", "--set", "name=trial", "--offering", "VDC", "--real", "--yes"]
          )
          yield* until("the cloud's absence", () => isAway)
          trial.signal("SIGTERM")
          expect(yield* orNever(() => "its end")(trial.ended)).toEqual({ code: 130, signal: null })
          const [, removal = ""] = /`site-actors (orphans --remove \w+ --yes)`/.exec(trial.output()) ?? []
          site.cloud.intercept(() => undefined)
          expect(added(before, takeInventory(site.cloud))).not.toEqual([])
          const command = yield* site.command(...removal.split(" "), "--data-dir", site.dataDir)
          expect([(yield* command.ended).code, takeInventory(site.cloud)]).toEqual([0, before])
        }),
      long
    )
  }
})

withAgent("an agent that is started with an option before its command", (it) => {
  it.scoped(
    "ends as it should, and heeds all signals as any other",
    () =>
      Effect.gen(function* () {
        const site = yield* newSite()
        const agent = yield* site.command("--log-level", "debug", "run", "--data-dir", site.dataDir)
        yield* atWork(site, agent)
        agent.signal("SIGUSR1")
        yield* until("its word on it", () => agent.output().includes("SIGUSR1 means nothing here"))
        expect(yield* stopped(agent)).toEqual({ code: 0, signal: null })
        expect(agent.output()).not.toMatch(/Debugger listening|Broken off/)
      }),
    long
  )
})

/** A test order's journal goes with it: what it made a moment before its end has no tag yet, and nobody goes on with it. */
withAgent("a test order on the real cloud that is killed", (it) => {
  for (const method of ["one.group.allocate", "one.user.allocate", "one.vrouter.instantiate"]) {
    it.scoped(
      `after ${method} leaves what \`orphans\` lists and removes, and nothing in the way of the next one`,
      () =>
        Effect.gen(function* () {
          const site = yield* newSite()
          // The journal that `orphans` asks.
          yield* stopped(yield* Effect.tap(site.start(), (agent) => atWork(site, agent)))
          const before = takeInventory(site.cloud)
          const trial = yield* site.command(
            ...["order-test", "examples/order-vdc.yaml", "--set", "name=trial", "--offering", "VDC", "--real", "--yes"]
          )
          const off = site.cloud.onCall((call) => {
            if (call.method === method) trial.kill()
          })
          expect(yield* trial.ended).toEqual({ code: null, signal: "SIGKILL" })
          off()
          const left = added(before, takeInventory(site.cloud))
          expect(left).not.toEqual([])
          const orphans = (...words: ReadonlyArray<string>) =>
            Effect.gen(function* () {
              const command = yield* site.command("orphans", "--data-dir", site.dataDir, ...words)
              expect((yield* command.ended).code).toBe(0)
              return command.output()
            })
          const [resource] = /[0-9a-f]{32}/.exec(yield* orphans("--json")) ?? []
          yield* orphans("--remove", resource ?? "", "--yes")
          expect(takeInventory(site.cloud)).toEqual(before)
        }),
      long
    )
  }
})

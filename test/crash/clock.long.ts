/** The time of day jumps by an hour while an order waits. What passes is measured by a clock that nobody sets, so nothing comes of it. */
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { long, newSite, withAgent } from "./harness.js"
import type { OperationName } from "./operations.js"
import { pictureOfCloud } from "./picture.js"
import { shiftClock } from "./process.js"
import { closeDown, named, nothingLeft } from "./trial.js"
import { atWork, ended, stopped } from "./waits.js"

/** Each operation with the call at which the clock jumps. */
const jumps: ReadonlyArray<readonly [OperationName, string]> = [
  ["vdc-create", "one.vmpool.infoset"],
  ["vdc-update", "one.group.quota"],
  ["vm-create", "one.vmpool.infoset"],
  ["vm-switch", "one.vm.action poweroff"],
  ["vm-terminate", "one.vm.action terminate-hard"],
  ["vdc-terminate", "one.vrouter.delete"]
]

const forward = { name: "forward", signal: "SIGUSR2" } as const
const back = { name: "back", signal: "SIGHUP" } as const

withAgent("an agent whose clock jumps by an hour in every operation", (it) => {
  for (const directions of [
    [forward, back],
    [back, forward]
  ] as const) {
    it.scoped(
      `${directions.map(({ name }) => name).join(", then ")}, carries all of them out without delay`,
      () =>
        Effect.gen(function* () {
          const site = yield* newSite({ bootTime: 400 })
          const atFirst = pictureOfCloud(site.cloud)
          const agent = yield* site.start({ nodeOptions: ["--import", shiftClock] })
          yield* atWork(site, agent)
          for (const [at, [name, call]] of jumps.entries()) {
            let jumped = false
            site.tap.guard((seen) => {
              if (seen.name === call && !jumped) {
                jumped = true
                agent.signal(directions[at % 2 === 0 ? 0 : 1].signal)
              }
              return "pass"
            })
            const order = yield* Effect.flatMap(named(name), ({ place }) => place(site))
            const { errorMessage, state } = yield* ended(site, order)
            expect([name, jumped, state, errorMessage]).toEqual([name, true, "done", ""])
          }
          expect((yield* stopped(agent)).code).toBe(0)
          expect(agent.output().split("clock shifted").length - 1).toBe(jumps.length)
          expect(nothingLeft(site, atFirst)).toEqual([])
        }),
      long
    )
  }

  it.scoped(
    "forward, does not take the hour for the order's own, though it is tried again before anything else is written",
    () =>
      Effect.gen(function* () {
        const site = yield* newSite({ offerings: { order_deadlines: { create: "30m" } } })
        const atFirst = pictureOfCloud(site.cloud)
        const agent = yield* site.start({ nodeOptions: ["--import", shiftClock] })
        yield* atWork(site, agent)
        let jumped = false
        site.tap.guard((seen) => {
          if (seen.name !== "one.user.allocate" || jumped) return "pass"
          jumped = true
          agent.signal(forward.signal)
          // As of a machine that was suspended, whose connections are broken.
          return "lose request"
        })
        const order = yield* site.place.vdc()
        const { errorMessage, state } = yield* ended(site, order)
        expect([state, errorMessage]).toEqual(["done", ""])
        expect(yield* closeDown(site, agent, atFirst)).toEqual([])
      }),
    long
  )
})

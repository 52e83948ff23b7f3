/** Orders that are parked while their machines boot: no fiber waits, and each is carried out once all the same, whoever wakes it. */
import { expect } from "@effect/vitest"
import { Array, Effect, Schedule } from "effect"
import { OrderId } from "../../../src/core/index.js"
import { Cancellations } from "../../../src/runtime/orders/cancellations.js"
import { Wakes } from "../../../src/runtime/orders/wakes.js"
import { Lcm } from "../../../src/simulator/opennebula/index.js"
import { readJournal } from "../../crash/journal.js"
import { expectNothingLeft, makeSite, type RunningAgent, scenario } from "../../support/agent.js"

const whenParked = ({ services }: RunningAgent, count: number) =>
  Effect.flatMap(Wakes, ({ parked }) =>
    Effect.repeat(parked, { until: (now) => now >= count, schedule: Schedule.spaced("5 millis") })
  ).pipe(Effect.provide(services))

scenario(
  "orders whose machines take long are parked, survive a stop, and are woken, cancelled and carried out once",
  () =>
    Effect.gen(function* () {
      const site = yield* makeSite({ parkAfter: 40 })
      const first = yield* site.start()
      const { resource } = yield* site.order.vdc("around")
      const parent = resource.backendId
      // Until they are told that they have booted: so none has before all are parked, however slow this machine is.
      Object.assign(site.cloud.world.times, { boot: 3_600_000 })
      const hasBooted = (name: string) =>
        Effect.sync(() => [...site.cloud.world.vms].find((vm) => vm.name.startsWith(name) && vm.lcm === Lcm.boot)).pipe(
          Effect.delay("5 millis"),
          Effect.repeat({ until: (vm) => vm !== undefined }),
          Effect.flatMap(Effect.fromNullable),
          Effect.flatMap(({ id }) => site.cloud.call("one.vm.recover", [id, 1])),
          Effect.map(({ _tag }) => expect(_tag).toBe("Ok"))
        )
      const uuids = yield* Effect.forEach(Array.range(1, 3), (number) => site.place.vm(`slow-${number}`, parent))
      const [, woken = "", unwanted = ""] = uuids
      yield* whenParked(first, 3)
      yield* Effect.gen(function* () {
        const { wake } = yield* Wakes
        // Taken up again, it is parked again: its machine still boots.
        expect(yield* wake(OrderId.make(woken))).toBe(true)
        yield* (yield* Cancellations).cancel(OrderId.make(unwanted), "somebody", "", 0)
        expect(yield* wake(OrderId.make(unwanted))).toBe(true)
      }).pipe(Effect.provide(first.services))
      // A machine that boots cannot be ended.
      yield* hasBooted("slow-3")
      expect((yield* site.marketplace.awaitOrderEnd(unwanted)).state).toBe("erred")
      yield* first.stop

      // Left waiting: no handler is run for them, which would write down that it is at its wait again.
      const waiting = () => readJournal(site.dataDir).rows.filter((row) => row.order_id !== unwanted)
      const before = waiting()
      const next = yield* site.start()
      yield* whenParked(next, 2)
      expect(waiting()).toEqual(before)
      yield* hasBooted("slow-1")
      yield* hasBooted("slow-2")
      const ended = yield* Effect.forEach(uuids, site.marketplace.awaitOrderEnd, { concurrency: "unbounded" })
      expect(ended.map(({ state }) => state)).toEqual(["done", "done", "erred"])
      expect(site.cloud.calls.filter(({ method }) => method === "one.template.instantiate")).toHaveLength(3)
      expect(site.logged.filter((line) => line.includes("Waits:"))).toEqual([])

      for (const { resource: made } of ended.slice(0, 2)) yield* site.order.terminate(made.uuid)
      yield* site.order.terminate(resource.uuid)
      yield* expectNothingLeft(site, next, [
        "around Terminated",
        "slow-1 Terminated",
        "slow-2 Terminated",
        "slow-3 Terminated"
      ])
    })
)

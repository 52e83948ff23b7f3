/** The tenant's network when the driver of networks fails or hangs (OpenNebula 7.4 `IPAMManager`): on a simulated front-end, time by TestClock. */
import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, Option } from "effect"
import {
  createOrder,
  doneOf,
  makeBench,
  objectsOf,
  refusedOf,
  settingsOf,
  terminateOrder
} from "../../../test/support/vdc.js"
import { untilOver } from "../../../test/support/vmCloud.js"

const seconds = 60
const makeCloud = makeBench(settingsOf({ router_start_timeout: seconds, teardown_timeout: seconds }))
type Bench = Effect.Effect.Success<typeof makeCloud>

const create = (bench: Bench) =>
  Effect.flatMap(bench.journal, (journal) => untilOver(bench.attempt(journal, bench.create(createOrder(1)))))
const terminate = (bench: Bench) =>
  Effect.flatMap(bench.journal, (journal) =>
    untilOver(bench.attempt(journal, bench.terminate(terminateOrder(1, "100"))))
  )
const hang = (bench: Bench, time: "networkReady" | "networkDelete") =>
  Object.assign(bench.frontEnd.world.times, { [time]: 1e9 })
const deletions = (bench: Bench) => bench.frontEnd.calls.filter(({ method }) => method === "one.vn.delete").length
const recoverDelete = (bench: Bench) => bench.frontEnd.call("one.vn.recover", [1, 2])

describe("a network whose deletion fails", () => {
  it.scoped("is in Error, and is deleted again", () =>
    Effect.gen(function* () {
      const bench = yield* makeCloud
      doneOf(yield* create(bench))
      bench.frontEnd.faults.failNext("network-delete")
      doneOf(yield* terminate(bench))
      expect(deletions(bench)).toBe(2)
      expect(objectsOf(bench.frontEnd)).toEqual([])
    })
  )
})

describe("a network whose deletion hangs", () => {
  it.scoped(
    "ends the order at the deadline, with a word of what to do, and a later one when somebody has done it",
    () =>
      Effect.gen(function* () {
        const bench = yield* makeCloud
        doneOf(yield* create(bench))
        hang(bench, "networkDelete")
        const began = yield* Clock.currentTimeMillis
        expect(refusedOf(yield* terminate(bench)).sentence).toBe(
          "The network vdc-1_internal could not be removed in the cloud: ask the provider to look at it, then order again."
        )
        expect((yield* Clock.currentTimeMillis) - began).toBeLessThan(2 * seconds * 1000)
        // Not asked again for what is under way.
        expect(deletions(bench)).toBe(1)
        yield* recoverDelete(bench)
        doneOf(yield* terminate(bench))
        expect(objectsOf(bench.frontEnd)).toEqual([])
      })
  )
})

describe("a network whose making", () => {
  it.scoped("fails, as does its deletion, is removed with all that was made for the order", () =>
    Effect.gen(function* () {
      const bench = yield* makeCloud
      bench.frontEnd.faults.failNext("network-create")
      bench.frontEnd.faults.failNext("network-delete")
      expect(refusedOf(yield* create(bench))).toEqual({
        sentence: "The cloud could not make the network of this data centre: try again later, or ask the provider.",
        leftovers: []
      })
      expect(objectsOf(bench.frontEnd)).toEqual([])
    })
  )

  it.scoped("hangs is all that is left of the order, until somebody ends that", () =>
    Effect.gen(function* () {
      const bench = yield* makeCloud
      hang(bench, "networkReady")
      const journal = yield* bench.journal
      const attempt = untilOver(bench.attempt(journal, bench.create(createOrder(1))))
      expect(refusedOf(yield* attempt).leftovers).toEqual([
        {
          step: "network",
          reason:
            "The network vdc-1_internal could not be removed in the cloud: ask the provider to look at it, then order again. (network 1 is LockCreate: look after its driver, then end it by hand (onevnet recover 1 --delete))"
        }
      ])
      expect(objectsOf(bench.frontEnd)).toEqual(["network vdc-1_internal"])
      yield* recoverDelete(bench)
      expect(refusedOf(yield* attempt).leftovers).toEqual([])
      expect(objectsOf(bench.frontEnd)).toEqual([])
    })
  )
})

describe("a network that is not ready yet", () => {
  it.scoped("has the addresses that were asked for it already: no other data centre gets them", () =>
    Effect.gen(function* () {
      const bench = yield* makeCloud
      const { networkReady } = bench.frontEnd.world.times
      hang(bench, "networkReady")
      // Where the first data centre's would be.
      yield* bench.frontEnd.call("one.vn.allocate", [
        'NAME="theirs"\nVN_MAD="dummy"\nBRIDGE="br"\nAR=[TYPE="IP4",IP="10.0.1.1",SIZE="254"]',
        0
      ])
      Object.assign(bench.frontEnd.world.times, { networkReady })
      doneOf(yield* create(bench))
      const own = yield* bench.one.network.info(2)
      expect(own.addressRanges.map(({ ip }) => Option.getOrUndefined(ip))).toEqual(["10.0.2.1"])
    })
  )
})

/** Waldur answers later than the agent waits, and does what it was asked all the same: nothing is done twice, and no order fails of it. */
import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import { fault, type IncomingCall } from "../../../src/simulator/waldur/index.js"
import {
  doubled,
  expectNothingLeft,
  kinds,
  makeSite,
  type Site,
  scenario,
  untilSettled,
  vdcLimits,
  vdcObjects
} from "../../support/agent.js"

const limit = { waldur_timeout: 0.4 }
const late = fault.delay("700 millis")

const impatient = () => makeSite({ vdcOffering: limit, vmOffering: limit })

/** Of each call's first ones, so many. */
const lateAtFirst = ({ marketplace }: Site, count: number, isIt: (call: IncomingCall) => boolean) =>
  marketplace.intercept((call) => (call.earlier < count && isIt(call) ? late : undefined))

/** What the agent told of orders and resources, as Waldur answered it: "set_state_done 200". */
const told = ({ marketplace }: Site) =>
  marketplace.calls
    .filter(({ as, method }) => as === "site-agent" && method === "POST")
    .map(({ path, status }) => `${path.split("/").at(-2)} ${status}`)

describe.concurrent("a Waldur that is slower than the agent waits", () => {
  scenario("does all that it is told once, whatever it is", () =>
    Effect.gen(function* () {
      const site = yield* impatient()
      const agent = yield* site.start()
      lateAtFirst(site, 1, ({ method, path }) => method === "POST" && !path.includes("/set_usage/"))
      const { resource, ...created } = yield* site.order.vdc("late")
      expect(created).toMatchObject({ state: "done", errorMessage: "" })
      expect(kinds(site.made())).toEqual(vdcObjects)
      const machine = yield* site.order.vm("machine", resource.backendId)
      expect(machine).toMatchObject({ state: "done", errorMessage: "" })
      expect(yield* site.order.switchToMedium(machine.resource.uuid)).toMatchObject({ state: "done" })
      expect(yield* site.order.updateLimits(resource.uuid, doubled)).toMatchObject({ state: "done" })
      expect(resource).toMatchObject({ state: "OK", limits: doubled })
      expect(yield* site.order.terminate(machine.resource.uuid)).toMatchObject({ state: "done" })
      expect(yield* site.order.terminate(resource.uuid)).toMatchObject({ state: "done" })
      yield* expectNothingLeft(site, agent, ["late Terminated", "machine Terminated"])
      const answers = told(site)
      for (const once of ["approve_by_provider", "set_state_done"])
        expect(answers.filter((answer) => answer === `${once} 200`)).toHaveLength(6)
      expect(answers.filter((answer) => answer.startsWith("set_state_erred"))).toEqual([])
    })
  )

  scenario("does not have what one order has told put over what the next one told", () =>
    Effect.gen(function* () {
      const slow = { waldur_timeout: 1.5 }
      const site = yield* makeSite({ vdcOffering: slow, vmOffering: slow })
      const agent = yield* site.start()
      const { resource } = yield* site.order.vdc("late")
      const answered = () => site.marketplace.calls.filter(({ path }) => path.endsWith("/set_limits/")).length
      const before = answered()
      let come = 0
      site.marketplace.intercept(({ path }) => {
        if (!path.endsWith("/set_limits/")) return undefined
        come += 1
        return come === 1 ? fault.delay("3 seconds") : undefined
      })
      expect(yield* site.order.updateLimits(resource.uuid, doubled)).toMatchObject({ state: "done" })
      expect(yield* site.order.updateLimits(resource.uuid, vdcLimits)).toMatchObject({ state: "done" })
      yield* untilSettled(agent)
      // Three; more where the machine stands still for longer than the agent waits. The late one is among those that are answered.
      yield* Effect.repeat(Effect.sleep("20 millis"), {
        until: () => answered() - before >= Math.max(3, come) && resource.limits.cpu === vdcLimits.cpu
      })
      expect(resource.limits).toEqual(vdcLimits)
    }).pipe(Effect.timeout("120 seconds"))
  )

  scenario("is told of a failure once", () =>
    Effect.gen(function* () {
      const site = yield* impatient()
      const agent = yield* site.start()
      lateAtFirst(site, 2, ({ method }) => method === "POST")
      site.cloud.faults.failNext("deploy")
      const failed = yield* site.order.vdc("does-not-boot")
      expect(failed).toMatchObject({
        state: "erred",
        errorMessage: "The router of this data centre could not be started: try again later, or ask the provider."
      })
      expect(site.made()).toEqual([])
      yield* untilSettled(agent)
      expect(told(site).filter((answer) => answer === "set_state_erred 200")).toHaveLength(1)
    })
  )

  scenario("at each of its answers, is told that an order is done all the same", () =>
    Effect.gen(function* () {
      const site = yield* impatient()
      const agent = yield* site.start()
      lateAtFirst(site, Number.POSITIVE_INFINITY, ({ path }) => /set_state_done|approve_by_provider/.test(path))
      const { resource, ...created } = yield* site.order.vdc("slow")
      expect(created).toMatchObject({ state: "done", errorMessage: "" })
      expect(yield* site.order.terminate(resource.uuid)).toMatchObject({ state: "done" })
      yield* expectNothingLeft(site, agent, ["slow Terminated"])
    })
  )

  scenario("in reading, keeps orders waiting and fails none", () =>
    Effect.gen(function* () {
      const site = yield* impatient()
      const agent = yield* site.start()
      site.marketplace.intercept(({ earlier, method }) => (method === "GET" && earlier % 2 === 0 ? late : undefined))
      const { resource, ...created } = yield* site.order.vdc("read")
      expect(created).toMatchObject({ state: "done", errorMessage: "" })
      expect(kinds(site.made())).toEqual(vdcObjects)
      expect(yield* site.order.updateLimits(resource.uuid, doubled)).toMatchObject({ state: "done" })
      expect(yield* site.order.terminate(resource.uuid)).toMatchObject({ state: "done" })
      yield* expectNothingLeft(site, agent, ["read Terminated"])
    })
  )
})

/** What the agent tells Waldur of itself, over real HTTP: who it is, that it lives, and what its log says. */
import { describe, expect } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { tellingTimes } from "../../src/runtime/telemetry/index.js"
import { fault } from "../../src/simulator/waldur/index.js"
import { makeSite, type Site, scenario } from "../support/agent.js"

const soon = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.locally(effect, tellingTimes, { first: "1 millis", every: "200 millis", unsupported: "200 millis" })

const records = ({ marketplace }: Site, kind: string) =>
  [...(marketplace.world.records.get(`marketplace-site-agent-${kind}`)?.values() ?? [])].map(({ fields }) => fields)

const until = (condition: () => boolean) =>
  Effect.sync(condition).pipe(
    Effect.repeat({ until: (is) => is, schedule: Schedule.spaced("20 millis") }),
    Effect.timeoutFail({ duration: "1 minute", onTimeout: () => new Error("it never came") })
  )

const told = { agent_identity: true }
const shipping = { ...told, log_shipping: { enabled: true, log_level: "INFO" } }

describe("a Waldur that knows agents", () => {
  scenario("is told who the agent is, what it does there and how it goes; a restart is the same agent again", () =>
    Effect.gen(function* () {
      const both = { reporting_backend: "opennebula", membership_sync_backend: "opennebula", stomp_enabled: true }
      const site = yield* makeSite({ root: told, vdcOffering: { ...both, websocket_use_tls: false } })
      const agent = yield* soon(site.start())
      const withFigures = () => records(site, "services").filter(({ statistics }) => statistics !== undefined)
      yield* until(() => withFigures().length === 5)
      const identities = records(site, "identities")
      expect(identities.map(({ name }) => name).toSorted()).toEqual(
        [site.world.vdcOffering, site.world.vmOffering].map(({ uuid }) => `agent-${uuid}`).toSorted()
      )
      expect(
        records(site, "services")
          .map(({ name, mode }) => [name, mode])
          .toSorted()
      ).toEqual(
        ["event_process", "membership_sync", "order_process", "order_process", "report"].map((name) => [name, name])
      )
      expect(new Set(records(site, "processors").map(({ name, backend_type }) => `${name} ${backend_type}`))).toEqual(
        new Set([
          "OfferingOrderProcessor opennebula-vdc",
          "OfferingOrderProcessor opennebula-vm",
          "OfferingReportProcessor opennebula-vdc",
          "OfferingMembershipProcessor opennebula-vdc"
        ])
      )
      expect(records(site, "services")[0]?.statistics).toMatchObject({ agent: "site-actors", open_orders: 0 })

      const first = identities.map(({ last_restarted }) => last_restarted)
      yield* agent.stop
      yield* soon(site.start("again"))
      yield* until(() => records(site, "identities").every(({ last_restarted }, at) => last_restarted !== first[at]))
      expect(records(site, "identities")).toHaveLength(2)
    })
  )

  scenario("gets the lines of the log, each under its offering, without secrets, at the end at the latest", () =>
    Effect.gen(function* () {
      const site = yield* makeSite({ root: shipping })
      const agent = yield* soon(site.start())
      const { uuid } = yield* site.order.vdc("told")
      yield* until(() => records(site, "services").length === 2)
      yield* agent.stop
      const lines = records(site, "logs")
      const offeringOf = new Map(
        [...(site.marketplace.world.records.get("marketplace-site-agent-identities")?.values() ?? [])].map((one) => [
          one.uuid,
          one.fields.offering
        ])
      )
      const ofOrder = lines.filter(({ message }) => String(message).includes(uuid))
      expect(ofOrder.length).toBeGreaterThan(0)
      expect(new Set(ofOrder.map((line) => offeringOf.get(String(line.agent_identity_uuid))))).toEqual(
        new Set([site.world.vdcOffering.uuid])
      )
      expect(new Set(lines.map(({ level }) => level))).not.toContain("DEBUG")
      const all = JSON.stringify(lines)
      expect(all).not.toContain(site.world.agentToken)
      expect(all).not.toContain("marketplace-site-agent")
    })
  )

  scenario("gets those of each offering, although it takes its time to take them", () =>
    Effect.gen(function* () {
      const site = yield* makeSite({ root: shipping })
      const agent = yield* soon(site.start())
      yield* until(() => records(site, "services").length === 2)
      expect(records(site, "logs")).toEqual([])
      // The one of them after the other: who has been heard does not end the connection of who has not.
      site.marketplace.intercept(({ earlier, path }) =>
        path.includes("site-agent-logs") && earlier > 0 ? fault.delay("1 second") : undefined
      )
      yield* agent.stop
      expect(new Set(records(site, "logs").map((line) => line.agent_identity_uuid)).size).toBe(2)
    })
  )

  scenario("may be broken there, for as long as it likes: orders are carried out, and one line says so", () =>
    Effect.gen(function* () {
      const site = yield* makeSite({ root: shipping })
      site.marketplace.intercept(({ path }) => (path.includes("site-agent") ? fault.status(500) : undefined))
      const agent = yield* soon(site.start())
      expect((yield* site.order.vdc("untold")).state).toBe("done")
      const said = () => site.logged.filter((line) => /level=WARN.*could not be told of this agent/.test(line))
      yield* until(() => said().length === 2)
      yield* until(() => site.marketplace.calls.filter(({ path }) => path.includes("site-agent-identities")).length > 8)
      expect(said()).toHaveLength(2)
      yield* agent.stop
    })
  )
})

describe("a Waldur that knows no agents", () => {
  scenario("is asked, and left alone; orders are carried out", () =>
    Effect.gen(function* () {
      const site = yield* makeSite({ marketplace: { generation: "2024" }, root: shipping })
      const agent = yield* soon(site.start())
      expect((yield* site.order.vdc("older")).state).toBe("done")
      yield* until(() => site.logged.filter((line) => line.includes("knows no agents")).length >= 2)
      expect(site.logged.filter((line) => /WARN.*(agents|log)/.test(line))).toEqual([])
      yield* agent.stop
    })
  )
})

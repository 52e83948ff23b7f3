/** What tests of usage reports share: resources that are there already, and what Waldur was told. */
import { Clock, Effect, identity } from "effect"
import { makeResource } from "../../src/simulator/waldur/orders.js"
import { type Site, scenario, vdcLimits } from "./agent.js"
import { later } from "./clock.js"

const hour = 3_600_000

/**
 * In the first hours of a month nothing of it is told (`periods.ts`): then, and in the hour before, so that no month begins within a test, it is
 * a day later here.
 */
const whenTold = (now: number) => {
  const soon = new Date(now + hour)
  return soon.getUTCDate() === 1 && soon.getUTCHours() < 13 ? later(24 * hour) : identity
}
/** A scenario in which usage is told. */
export const usageScenario: typeof scenario = (name, test) =>
  scenario(name, () => Effect.flatMap(Clock.currentTimeMillis, (now) => whenTold(now)(test())))

/** YYYY-MM, as those who tell usage have it. */
export const thisMonth = Effect.map(Clock.currentTimeMillis, (now) => new Date(now).toISOString().slice(0, 7))

export const reporting = { reporting_backend: "opennebula" }
/** Short, so that the next report comes soon. */
export const often = { report_interval: 0.3 }

const isReport = (activity: Site["activities"][number]) => activity._tag === "Offering" && activity.event === "reported"
/** Completes with the n-th report from now on. */
export const nextReport = (site: Site, count = 1) =>
  Effect.suspend(() => site.awaitActivity(isReport, site.activities.filter(isReport).length + count))

export const sent = ({ marketplace }: Pick<Site, "marketplace">) =>
  marketplace.calls.filter(({ path }) => path.endsWith("/set_usage/"))
/** "resource month component" -> amount, as Waldur has them. */
export const usages = ({ marketplace }: Pick<Site, "marketplace">) =>
  Object.fromEntries(
    [...marketplace.world.usages.values()].map(({ resource, billingPeriod, component, amount }) => [
      `${resource.name} ${component.type}`,
      billingPeriod.endsWith("-01") ? amount : "not a month"
    ])
  )

/** A resource that was made before this agent came. */
export const addResource = (
  { marketplace, world }: Site,
  name: string,
  backendId: string,
  offering = world.vdcOffering
) => {
  const { plans, project } = world
  const resource = makeResource(marketplace.world, {
    offering,
    project,
    plan: plans.vdc,
    name,
    attributes: {},
    limits: vdcLimits
  })
  Object.assign(resource, { backendId, state: "OK" })
}

export const addComponent = (
  { world }: Site,
  type: string,
  measuredUnit: string,
  accountingType: "usage" | "limit" | "fixed" = "usage",
  offering = world.vdcOffering
) =>
  offering.components.push({
    uuid: "c".repeat(32 - type.length) + "0".repeat(type.length),
    type,
    name: type,
    accountingType,
    measuredUnit,
    unitFactor: null,
    minValue: null,
    maxValue: null
  })

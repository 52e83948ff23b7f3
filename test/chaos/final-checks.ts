/** What must hold when all is quiet. */
import type { Bench, Servers } from "./bench.js"
import type { CloudChecks } from "./cloud-checks.js"
import type { Customers } from "./customers.js"
import type { Database } from "./database.js"
import { differences } from "./expected.js"
import { type Found, objectsOf, ruleHolder } from "./objects.js"

/** OpenNebula holds exactly what the done orders say, and nothing else. */
export const checkAtRest = (
  bench: Bench,
  { frontEnd, marketplace }: Servers,
  cloud: CloudChecks,
  database: Database,
  customers: Customers
): void => {
  const { world } = frontEnd
  for (const thing of bench.ledger.things.values()) {
    if (thing.wounded) continue
    const wrong = differences(bench, world, cloud, thing)
    bench.expect(wrong.length === 0, "the cloud holds what the done orders say", () => wrong.join("; "))
    const resource = marketplace.resources.get(thing.resource)
    const object = objectsOf(world).find(
      ({ kind, resource: owner }) => owner === thing.resource && kind === (thing.kind === "vdc" ? "group" : "VM")
    )
    bench.expect(
      thing.amounts === undefined || object === undefined || resource?.backendId === String(object.id),
      "the marketplace knows what a resource is called in the cloud",
      () => `${thing.name}: "${resource?.backendId}" instead of ${object?.id}`
    )
    bench.expect(
      thing.amounts === undefined || ["OK", "Erred"].includes(customers.stateOf(thing) ?? ""),
      "the marketplace shows what is there",
      () => `${thing.name} is ${customers.stateOf(thing)}`
    )
  }
  const kept = new Set(
    [...bench.ledger.things.values()]
      .filter(({ amounts, wounded }) => amounts !== undefined || wounded)
      .map(({ resource }) => resource)
  )
  const surplus = agentsObjects(bench, frontEnd, cloud).filter(
    ({ resource }) => resource === undefined || !kept.has(resource)
  )
  bench.expect(surplus.length === 0, "nothing else is left", () => surplus.map(shown).join(", "))
  checkReservations(bench, database, kept)
}

/** After everything was ended: as if nobody had ever ordered anything. */
export const checkNothingLeft = (
  bench: Bench,
  { frontEnd, marketplace }: Servers,
  cloud: CloudChecks,
  database: Database
): void => {
  const alive = [...marketplace.resources.values()].filter(({ state }) => state !== "Terminated")
  const why = () =>
    alive.map(({ uuid, state }) => {
      const last = [...marketplace.orders.values()].filter(({ resource }) => resource.uuid === uuid).at(-1)
      return `${bench.ledger.things.get(uuid)?.name} is ${state}: ${last?.type} ${last?.state} ${last?.errorMessage}`
    })
  bench.expect(alive.length === 0, "everything can be ended", () => why().join("; "))
  const left = agentsObjects(bench, frontEnd, cloud)
  bench.expect(left.length === 0, "nothing is left after the end", () => left.map(shown).join(", "))
  checkReservations(bench, database, new Set())
}

const shown = ({ kind, id, name, resource }: Found): string => `${kind} ${id} "${name}" of ${resource ?? "nobody"}`

/** All that the agent has made; a rule is its own if it is about a group of its own, or about one that is gone. */
const agentsObjects = (bench: Bench, frontEnd: Servers["frontEnd"], cloud: CloudChecks): ReadonlyArray<Found> => {
  const { world } = frontEnd
  const leftovers = bench.leftoverOrders()
  return objectsOf(world)
    .map((found) => {
      if (found.kind !== "rule") return found
      const [, group] = /^group (\d+)$/.exec(ruleHolder(world.acl.find(found.id)?.user ?? 0n)) ?? []
      const resource = world.groups.find(Number(group ?? -1))?.template.get("WALDUR_RESOURCE_UUID")
      return { ...found, resource }
    })
    .filter((found) => cloud.isOwn(found) && !leftovers.has(found.order ?? ""))
}

const checkReservations = (bench: Bench, database: Database, kept: ReadonlySet<string>): void => {
  const rows = database.prepared("SELECT resource_id FROM reservation").run([])
  const surplus = rows.map((row) => String(row.resource_id)).filter((resource) => !kept.has(resource))
  bench.expect(surplus.length === 0, "no subnet stays reserved for nobody", () => surplus.join(", "))
}

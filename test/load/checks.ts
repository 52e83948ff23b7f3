/** Whether everything that should be there is there once, and nothing else: both sides and the journal, when all orders have ended. */
import { VmState } from "../../src/simulator/opennebula/index.js"
import { ruleText } from "../../src/simulator/opennebula/world/acl-bits.js"
import type { Template } from "../../src/simulator/opennebula/world/template.js"
import type { Resource } from "../../src/simulator/waldur/index.js"
import { readJournal } from "../crash/journal.js"
import type { Site } from "../crash/site.js"

/** Kind -> how many. */
type Counts = ReadonlyMap<string, number>

export interface Found {
  readonly duplicates: ReadonlyArray<string>
  readonly leftovers: ReadonlyArray<string>
  /** What is missing, or otherwise not as it should be. */
  readonly wrong: ReadonlyArray<string>
}

const raise = (counts: Map<string, number>, kind: string) => counts.set(kind, (counts.get(kind) ?? 0) + 1)

/** Uuid of the resource, or "nobody" -> what is there of it. */
export const belongings = ({ cloud: { world } }: Site): ReadonlyMap<string, Counts> => {
  const all = new Map<string, Map<string, number>>()
  const note = (kind: string, template: Template) => {
    const owner = (template.get("WALDUR_RESOURCE_UUID") ?? "nobody").replaceAll("-", "")
    const own = all.get(owner) ?? new Map<string, number>()
    all.set(owner, own)
    raise(own, kind)
  }
  for (const { template } of world.groups) note("group", template)
  for (const { template } of world.vdcs) note("VDC", template)
  for (const { template } of world.networks) note("network", template)
  for (const { template } of world.routers) note("router", template)
  for (const { template } of world.securityGroups) note("security group", template)
  for (const { template } of world.users) note("user", template)
  for (const { state, userTemplate } of world.vms) if (state !== VmState.done) note("VM", userTemplate)
  return all
}

const nothing: Counts = new Map()

/** More and less of each kind than there should be. */
const compare = (what: string, expected: Counts, actual: Counts): Pick<Found, "duplicates" | "wrong"> => {
  const kinds = [...new Set([...expected.keys(), ...actual.keys()])]
  const differing = kinds.flatMap((kind) => {
    const [should, is] = [expected.get(kind) ?? 0, actual.get(kind) ?? 0]
    return should === is
      ? []
      : [{ more: is > should, text: `${what} has ${is} of kind ${kind}, should have ${should}` }]
  })
  const texts = (more: boolean) => differing.filter((one) => one.more === more).map(({ text }) => text)
  return { duplicates: texts(true), wrong: texts(false) }
}

const isAlive = ({ state }: Resource) => state === "OK"

/** `model`: a data centre that was made undisturbed. `atFirst`: what belonged to nobody before. */
export const checkAll = (site: Site, given: { readonly model: Counts; readonly atFirst: Counts }): Found => {
  const actual = belongings(site)
  const resources = [...site.marketplace.resources.values()]
  const machine: Counts = new Map([["VM", 1]])
  const compared = resources.filter(isAlive).map((resource) => {
    const expected = resource.offering === site.world.vdcOffering ? given.model : machine
    return compare(`${resource.name} ${resource.uuid}`, expected, actual.get(resource.uuid) ?? nothing)
  })
  const alive = new Set(resources.filter(isAlive).map(({ uuid }) => uuid))
  const ownerless = compare("Nobody", given.atFirst, actual.get("nobody") ?? nothing)
  const rules = [...site.cloud.world.acl].map(ruleText)
  const journal = readJournal(site.dataDir)
  return {
    duplicates: [
      ...compared.flatMap(({ duplicates }) => duplicates),
      ...rules.filter((rule, at) => rules.indexOf(rule) !== at).map((rule) => `access rule twice: ${rule}`)
    ],
    leftovers: [
      ...[...actual]
        .filter(([owner]) => owner !== "nobody" && !alive.has(owner))
        .map(([owner, counts]) => `${[...counts].map(([kind, count]) => `${count} ${kind}`).join(", ")} of ${owner}`),
      ...ownerless.duplicates,
      ...journal.leftovers.map((line) => `on the list of leftovers: ${line}`)
    ],
    wrong: [
      ...compared.flatMap(({ wrong }) => wrong),
      ...ownerless.wrong,
      ...resources
        .filter(({ state }) => state !== "OK" && state !== "Terminated")
        .map(({ name, state }) => `resource ${name} is ${state} in Waldur`),
      ...journal.openOrders.map((order) => `the journal has order ${order} as open`)
    ]
  }
}

/** What is ordered: a data centre for each project beforehand, and then everything at once. */
import { Effect } from "effect"
import type { Site } from "../crash/site.js"
import { atWork, ended, stopped } from "../crash/waits.js"

/** Orders of one project: a change of its data centre, some further data centres, and the rest machines. */
const projectSize = 50
const dataCentres = 5

/** Place enough for any number of machines and routers. */
export const large = {
  hosts: [{ name: "large", cpuCores: 1_000_000, memoryMb: 1_000_000_000 }],
  networks: [
    'NAME="public"\nVN_MAD="dummy"\nBRIDGE="br0"\nNETWORK_MASK="255.254.0.0"\nGATEWAY="198.18.0.1"\nAR=[TYPE="IP4",IP="198.18.0.10",SIZE="60000"]'
  ]
}
const roomy = { cpu: 1000, ram: 1_000_000, storage: 10_000_000, floating_ip: 2 }

export interface Parent {
  readonly name: string
  /** Its project's uuid. */
  readonly project: string
}

/** A data centre for each project, made undisturbed, by an agent that is stopped then. */
export const makeParents = (site: Site, orders: number) =>
  Effect.gen(function* () {
    const count = Math.max(1, Math.ceil(orders / projectSize))
    const agent = yield* site.start()
    yield* atWork(site, agent)
    const customer = site.world.project.customer
    const parents = yield* Effect.forEach(Array.from({ length: count }), (_, at) =>
      Effect.gen(function* () {
        const project = site.marketplace.addProject({ customer, name: `Project ${at}` })
        const name = `parent-${at}`
        return { name, project: project.uuid, order: yield* site.place.vdc(name, roomy, project.uuid) }
      })
    )
    for (const { name, order } of parents) {
      const { errorMessage, state } = yield* ended(site, order)
      if (state !== "done") return yield* Effect.fail(new Error(`${name} is ${state}: ${errorMessage}`))
    }
    yield* stopped(agent)
    return parents
  }).pipe(Effect.scoped)

/** Gives the orders' uuids. */
export const placeAll = (site: Site, parents: ReadonlyArray<Parent>, orders: number) => {
  const turns = Array.from({ length: Math.ceil(orders / parents.length) }, (_, turn) =>
    parents.map((parent) => ({ parent, turn }))
  )
  return Effect.forEach(
    turns.flat().slice(0, orders),
    ({ parent, turn }) => {
      if (turn === 0) return site.place.updateLimits(parent.name, { ...roomy, cpu: roomy.cpu * 2 })
      const name = `${parent.name}-${turn}`
      return turn <= dataCentres ? site.place.vdc(name, undefined, parent.project) : site.place.vm(name, parent.name)
    },
    { concurrency: 8 }
  )
}

/** What stands on both sides before anything is ordered: data centres and machines, as the agent would have made them. */
import { Effect } from "effect"
import type * as OpenNebula from "../../src/simulator/opennebula/index.js"
import type { DemoWorld, Marketplace, Offering, Project, Resource } from "../../src/simulator/waldur/index.js"
import { makeResource } from "../../src/simulator/waldur/orders.js"

/** Place enough for any number of machines and addresses. */
export const large: OpenNebula.InitialWorld = {
  hosts: [{ name: "large", cpuCores: 10_000_000, memoryMb: 1_000_000_000 }],
  networks: [
    'NAME="public"\nVN_MAD="dummy"\nBRIDGE="br0"\nNETWORK_MASK="255.254.0.0"\nGATEWAY="198.18.0.1"\nAR=[TYPE="IP4",IP="198.18.0.10",SIZE="60000"]'
  ]
}

export interface DataCentre {
  readonly resource: Resource
  readonly group: number
}

/** Data centres of one project; more are other projects', so that no project's list of resources is unlike a real one. */
const perProject = 10

const idOf = (answer: OpenNebula.Answer, method: string): number => {
  if (answer._tag === "Ok" && answer.value._tag === "Int") return answer.value.value
  throw new Error(`${method}: ${"message" in answer ? answer.message : answer._tag}`)
}

export const makeSeeder = (cloud: OpenNebula.FrontEnd, marketplace: Marketplace, world: DemoWorld) => {
  const call = (method: string, params: Parameters<typeof cloud.call>[1]) =>
    Effect.map(cloud.call(method, params), (answer) => idOf(answer, method))

  /** In the marketplace, alive. */
  const resource = (offering: Offering, plan: Resource["plan"], project: Project, name: string, limits = {}) => {
    const made = makeResource(marketplace.world, { offering, project, plan, name, attributes: { name }, limits })
    made.state = "OK"
    return made
  }

  const dataCentre = (at: number, project: Project) =>
    Effect.gen(function* () {
      const name = `data-centre-${at}`
      const made = resource(world.vdcOffering, world.plans.vdc, project, name, {
        cpu: 1000,
        ram: 1_000_000,
        storage: 10_000_000,
        floating_ip: 2
      })
      const tags = `WALDUR_RESOURCE_UUID="${made.uuid}"\nWALDUR_ORDER_UUID="${made.uuid}"`
      const group = yield* call("one.group.allocate", [name])
      yield* call("one.group.update", [group, tags, 1])
      yield* call("one.group.quota", [
        group,
        'VM=[CPU="1000",MEMORY="1000000",VMS="-2",SYSTEM_DISK_SIZE="10000000",RUNNING_CPU="-2",RUNNING_MEMORY="-2",RUNNING_VMS="-2"]'
      ])
      const network = yield* call("one.vn.allocate", [
        `NAME="${name}_internal"\nVN_MAD="dummy"\nBRIDGE="br${at}"\n${tags}\nAR=[TYPE="IP4",IP="10.0.0.10",SIZE="50000"]`,
        0
      ])
      yield* call("one.vn.chown", [network, -1, group])
      const securityGroup = yield* call("one.secgroup.allocate", [
        `NAME="${name}_default"\n${tags}\nRULE=[PROTOCOL="ALL",RULE_TYPE="outbound"]`
      ])
      yield* call("one.secgroup.chown", [securityGroup, -1, group])
      made.backendId = String(group)
      return { resource: made, group } satisfies DataCentre
    })

  const machine = (at: number, parent: DataCentre) =>
    Effect.gen(function* () {
      const name = `machine-${at}`
      const made = resource(world.vmOffering, world.plans.small, parent.resource.project, name)
      const tags = `WALDUR_RESOURCE_UUID="${made.uuid}"\nWALDUR_ORDER_UUID="${made.uuid}"`
      const vm = yield* call("one.template.instantiate", [
        2,
        name,
        false,
        `${tags}\nCPU="1"\nVCPU="1"\nMEMORY="512"`,
        false
      ])
      yield* call("one.vm.chown", [vm, -1, parent.group])
      made.backendId = String(vm)
      return vm
    })

  return {
    dataCentres: (count: number, from: number) =>
      Effect.gen(function* () {
        const all: Array<DataCentre> = []
        let project = world.project
        for (let at = 0; at < count; at++) {
          if (at % perProject === 0)
            project = marketplace.addProject({ customer: world.project.customer, name: `Project ${from + at}` })
          all.push(yield* dataCentre(from + at, project))
        }
        return all
      }),
    machine
  }
}

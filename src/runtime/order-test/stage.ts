/**
 * The stage for a test order: a simulated Waldur that sells what the offering sells, and for the backend a simulated OpenNebula, or the
 * real one. The agent between them is the product itself, with an own journal that goes with the stage.
 */
import { Duration, Effect, Option, Redacted } from "effect"
import { OfferingId, testSlug } from "../../core/index.js"
import * as OpenNebula from "../../simulator/opennebula/index.js"
import * as Waldur from "../../simulator/waldur/index.js"
import { type Config, componentsOfFile, type OfferingConfig } from "../config/index.js"
import { makeCustomer } from "../demo/customer.js"
import { makeFolder } from "./folder.js"
import { sell } from "./seller.js"
import type { TestOrder } from "./template.js"

type Settings = Readonly<Record<string, unknown>>

/** Settings that name what only the real cloud has, with what the simulated one has in their place. */
const onSimulator = (settings: Settings, cloud: OpenNebula.Served, parent: number): Settings => {
  const { ca_file: _, proxy: __, keycloak: ___, keycloak_enabled: ____, ...kept } = settings
  const given = (key: string, id: number) => (key in settings ? { [key]: id } : {})
  return {
    ...kept,
    api_url: cloud.url,
    credentials: cloud.frontEnd.session,
    zone_id: 0,
    cluster_ids: [0],
    ...given("external_network_id", 0),
    ...given("virtual_router_template_id", 1),
    ...given("template_id", 2),
    ...("allowed_template_ids" in settings ? { allowed_template_ids: [2] } : {}),
    ...("template_id" in settings || "allowed_template_ids" in settings ? { parent_vdc_backend_id: parent } : {})
  }
}

/** What names things of the real cloud; the settings have it for the simulated one. */
const withoutPlaces = ({ parent_backend_id: _, template_id: __, ...attributes }: TestOrder["attributes"]) => attributes

/** A data centre for machines to be in: a group, and a network of it. */
const makeParent = ({ frontEnd }: OpenNebula.Served) =>
  Effect.gen(function* () {
    const group = yield* makes(frontEnd, "one.group.allocate", ["parent"])
    const network = [
      'NAME="parent_internal"',
      'VN_MAD="dummy"',
      'BRIDGE="br1"',
      'AR=[TYPE="IP4", IP="10.99.0.2", SIZE="200"]'
    ]
    yield* makes(frontEnd, "one.vn.allocate", [network.join("\n"), 0])
    return group
  })

const makes = (frontEnd: OpenNebula.FrontEnd, method: string, params: ReadonlyArray<string | number>) =>
  Effect.flatMap(frontEnd.call(method, params), (answer) =>
    answer._tag === "Ok" && answer.value._tag === "Int"
      ? Effect.succeed(answer.value.value)
      : Effect.dieMessage(`the simulated cloud refused ${method}: ${JSON.stringify(answer)}`)
  )

const simulatedCloud = (offering: OfferingConfig) =>
  Effect.gen(function* () {
    const cloud = yield* OpenNebula.serve({ port: 0 })
    const parent = yield* makeParent(cloud)
    return Redacted.make(onSimulator(Redacted.value(offering.backendSettings), cloud, parent))
  })

/** The offering's components as the file has them, and those that only the order names: billed by limit. */
const componentsFor = (offering: OfferingConfig, order: TestOrder) => {
  const inFile = componentsOfFile(offering)
  const others = Object.keys(order.amounts).filter((type) => inFile.every((component) => component.type !== type))
  return [
    ...inFile,
    ...others.map((type) => ({ type, name: type, accountingType: "limit" as const, measuredUnit: "", unitFactor: 1 }))
  ]
}

export interface StageOptions {
  readonly offering: OfferingConfig
  readonly order: TestOrder
  /** On the offering's own cloud. */
  readonly real: boolean
}

export const makeStage = (config: Config, { offering, order, real }: StageOptions) =>
  Effect.gen(function* () {
    const { marketplace, url } = yield* Waldur.serve({ slugOf: testSlug })
    const components = componentsFor(offering, order)
    const isFixed = (type: string) => components.some((one) => one.type === type && one.accountingType === "fixed")
    const only = (amounts: Readonly<Record<string, number>>, fixed: boolean) =>
      Object.fromEntries(Object.entries(amounts).filter(([type]) => isFixed(type) === fixed))
    const { agent, owner, project, sold } = sell(marketplace, {
      name: offering.name,
      components,
      plans: [
        { name: "Ordered", quotas: only(order.amounts, true) },
        { name: "Changed", quotas: only({ ...order.amounts, ...order.change }, true) }
      ]
    })

    const staged: Config = {
      ...config,
      offerings: [
        {
          ...offering,
          id: OfferingId.make(sold.uuid),
          waldur: {
            apiUrl: `${url}/api/`,
            credentials: { _tag: "Token", token: Redacted.make(agent.token) },
            tls: { verify: true }
          },
          backendSettings: real ? offering.backendSettings : yield* simulatedCloud(offering),
          functions: { ...offering.functions, orders: true, membership: false, reports: false, resourceImport: false },
          events: { ...offering.events, enabled: false }
        }
      ],
      pollInterval: Duration.millis(200),
      dataDir: Option.none()
    }
    return {
      config: staged,
      real,
      dataDir: yield* makeFolder,
      customer: yield* makeCustomer(url, Redacted.make(owner.token)),
      wish: {
        offering: sold.uuid,
        project: project.uuid,
        plan: sold.plans[0]?.uuid ?? "",
        attributes: { ...(real ? order.attributes : withoutPlaces(order.attributes)), name: order.name },
        limits: only(order.amounts, false)
      },
      /** By limits, or by a plan where the components are the plan's. */
      change:
        order.change === undefined
          ? undefined
          : Object.keys(order.change).some(isFixed)
            ? ({ by: "plan", plan: sold.plans[1]?.uuid ?? "" } as const)
            : ({ by: "limits", limits: { ...order.amounts, ...order.change } } as const)
    }
  })
export type Stage = Effect.Effect.Success<ReturnType<typeof makeStage>>

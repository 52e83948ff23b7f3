/**
 * A virtual data centre comes into being. Read `create` from top to bottom: it is the order in which things happen.
 *
 * The group comes first: OpenNebula gives its name once, so of two agents at the same order one has all of it, and the other makes nothing. Only the subnet,
 * a look and a note of ours, is chosen beside it. The rest of the tenant (VDC, rights) and the network with its router do not need each other until the
 * end, so they are made side by side; the router's VM boots while the rest is done, and is waited for last.
 */
import { Effect } from "effect"
import type { CreateRequest, Outcome } from "../../plugin/index.js"
import { ensureDone, foretelling } from "../../plugin/index.js"
import type { VdcAttributes } from "./attributes.js"
import { both, type Cloud, every, limitsToReport } from "./cloud.js"
import { makeAccess } from "./members/access.js"
import {
  handOverNetwork,
  handOverSecurityGroup,
  letRulesHoldAlone,
  makeNetwork,
  makeSecurityGroup,
  networkName,
  networkReady,
  openExternalNetwork,
  securityGroupName
} from "./network.js"
import { decidePlan, type NetworkPlan, type Plan, reserveSubnet } from "./plan.js"
import { checkAmounts, quotaFor, setQuota } from "./quotas.js"
import { handOverRouter, instantiateRouter, makeRouter, routerName, routerRuns } from "./router.js"
import { addressText, cidrText, gatewayOf, type Subnet } from "./subnet.js"
import { takeOver } from "./takeover.js"
import {
  addClusters,
  grantCreation,
  isolate,
  issuePassword,
  joinVdc,
  leaveDefaultVdc,
  makeGroup,
  makeUser,
  makeVdc,
  userName
} from "./tenant.js"

type Request = CreateRequest<VdcAttributes>

export const create = (cloud: Cloud) => (request: Request) =>
  Effect.gen(function* () {
    yield* checkAmounts(cloud.components, request.amounts, { complete: true })
    const plan = yield* decidePlan(cloud, request)
    yield* takeOver(cloud, request, plan)
    const { network } = plan
    if (network === null) {
      const groupId = yield* makeGroup(cloud, request, plan)
      const tenant = yield* makeTenant(cloud, request, plan, groupId)
      yield* setQuotas(cloud, request, plan, tenant)
      yield* makeAccess(cloud, request, tenant, plan)
      return outcome(cloud, request, plan, tenant, {})
    }
    const [groupId, subnet] = yield* both(makeGroup(cloud, request, plan), reserveSubnet(cloud, request))
    const [net, tenant] = yield* both(
      makeNetworking(cloud, request, plan, network, subnet),
      makeTenant(cloud, request, plan, groupId)
    )
    yield* every([
      handOverNetwork(cloud, plan, net.networkId, tenant.vdcId, tenant.groupId),
      ...(net.securityGroupId === null ? [] : [handOverSecurityGroup(cloud, net.securityGroupId, tenant.groupId)]),
      // Quotas come after the router: a router that did not fit under them could not be handed over.
      Effect.zipRight(handOverRouter(cloud, net.routerId, tenant.groupId), setQuotas(cloud, request, plan, tenant))
    ])
    if (plan.tenantsOutside && request.amounts.floating_ip !== undefined) {
      yield* openExternalNetwork(cloud, plan, network.externalNetwork, tenant.vdcId)
    }
    yield* makeAccess(cloud, request, tenant, plan)
    const made = (routerAddress: string) =>
      outcome(cloud, request, plan, tenant, networkMetadata(plan, net, subnet, routerAddress))
    const routerAddress = yield* foretelling((foretell) =>
      routerRuns(cloud, request, network, net.routerVmId, (address) => foretell(() => made(address)))
    )
    return made(routerAddress)
  })

interface Tenant {
  readonly groupId: number
  readonly vdcId: number
  readonly userId: number | null
}

/** The VDC, the group in it; the group out of VDC 0; its rights. */
const makeTenant = (cloud: Cloud, request: Request, plan: Plan, groupId: number) =>
  Effect.gen(function* () {
    const vdcId = yield* makeVdc(cloud, request, plan)
    const places = Effect.gen(function* () {
      yield* leaveDefaultVdc(cloud, groupId)
      yield* joinVdc(cloud, vdcId, groupId)
      yield* addClusters(cloud, vdcId, plan)
      if (plan.isolated) yield* isolate(cloud, groupId, plan)
    })
    const people = Effect.gen(function* () {
      yield* grantCreation(cloud, request, groupId, plan)
      return plan.withUser ? yield* makeUser(cloud, request, plan, groupId) : null
    })
    const [, userId] = yield* both(places, people)
    return { groupId, vdcId, userId } satisfies Tenant
  })

const setQuotas = (cloud: Cloud, request: Request, plan: Plan, tenant: Tenant) =>
  ensureDone(
    "quotas",
    setQuota(
      cloud,
      tenant.groupId,
      quotaFor(request.amounts, {
        imageDatastores: plan.imageDatastores,
        externalNetwork: plan.externalNetwork ?? undefined
      })
    )
  )

interface Networking {
  readonly networkId: number
  readonly routerId: number
  readonly routerVmId: number
  readonly securityGroupId: number | null
}

/** The network, its router with a VM that has begun to boot, and beside them the security group. */
const makeNetworking = (cloud: Cloud, request: Request, plan: Plan, network: NetworkPlan, subnet: Subnet) =>
  Effect.gen(function* () {
    const routed = Effect.gen(function* () {
      const networkId = yield* makeNetwork(cloud, request, plan, network, subnet)
      yield* networkReady(cloud, plan, networkId)
      const routerId = yield* makeRouter(cloud, request, plan, network, networkId, subnet)
      const routerVmId = yield* instantiateRouter(cloud, request, plan, network, networkId, routerId)
      return { networkId, routerId, routerVmId }
    })
    const [route, securityGroupId] = yield* both(
      routed,
      network.securityRules.length === 0 ? Effect.succeed(null) : makeSecurityGroup(cloud, request, plan, network)
    )
    // After the router's machine, which must let everything through: its interface has the groups that the network had when it was made.
    if (securityGroupId !== null && network.rulesAlone) {
      yield* letRulesHoldAlone(cloud, route.networkId, securityGroupId)
    }
    return { ...route, securityGroupId } satisfies Networking
  })

/** Keys as the Python agent has them, where it has them. */
const networkMetadata = (plan: Plan, net: Networking, subnet: Subnet, routerAddress: string) => ({
  vnet_id: net.networkId,
  vnet_name: networkName(plan.name),
  subnet_cidr: cidrText(subnet),
  gateway_ip: addressText(gatewayOf(subnet)),
  vr_id: net.routerId,
  vr_vm_id: net.routerVmId,
  vr_name: routerName(plan.name),
  router_address: routerAddress,
  ...(net.securityGroupId === null ? {} : { sg_id: net.securityGroupId, sg_name: securityGroupName(plan.name) })
})

const outcome = (
  cloud: Cloud,
  request: Request,
  plan: Plan,
  { groupId, vdcId, userId }: Tenant,
  networkPart: Readonly<Record<string, unknown>>
): Outcome => ({
  backendId: String(groupId),
  amounts: limitsToReport(cloud, request.amounts),
  metadata: {
    group_id: groupId,
    group_name: plan.name,
    vdc_id: vdcId,
    vdc_name: plan.name,
    ...networkPart,
    ...(userId === null ? {} : { opennebula_username: userName(plan.name) })
  },
  ...(userId === null ? {} : { issueSecrets: issuePassword(cloud, userId) })
})

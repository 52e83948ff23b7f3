/**
 * What was made with a data centre, whatever it says by now: an administrator of its group may write into its network, router and security group. It has the id that
 * Waldur was told when it was made, and hangs together with what only OpenNebula's own administrators write: the network is in the VDC that has the resource's tag,
 * the router and the security group are in the group, or the router in that network. By its id alone it may be a stranger's, after OpenNebula was put back from a
 * backup. A security group may be given away, so its name will do as well.
 */
import type { SecurityGroup, Vdc, VirtualNetwork, VirtualRouter } from "../../../opennebula/index.js"
import type { KnownResource } from "../../../plugin/index.js"
import { isIn, isTaggedFor } from "../cloud.js"
import { securityGroupName } from "../network.js"

interface Found {
  readonly vdcs: ReadonlyArray<Vdc>
  readonly networks: ReadonlyArray<VirtualNetwork>
  readonly routers: ReadonlyArray<VirtualRouter>
  readonly securityGroups: ReadonlyArray<SecurityGroup>
}

/** The data centre's own group, and its name. */
interface Group {
  readonly group: number | null
  readonly slug: string | null
}

type Known = Pick<KnownResource, "id" | "recorded">

export const asMade = (
  found: Found,
  { id, recorded = {} }: Known,
  { group, slug }: Group
): Pick<Found, "networks" | "routers" | "securityGroups"> => {
  const vdcs = found.vdcs.filter((vdc) => isTaggedFor(id, vdc))
  const within = vdcs.flatMap((vdc) => vdc.networks.map((one) => one.id))
  const networks = found.networks.filter((one) => String(one.id) === recorded.vnet_id && within.includes(one.id))
  return {
    networks,
    routers: found.routers.filter(
      (one) => String(one.id) === recorded.vr_id && (one.gid === group || isIn(one, idsOf(networks)))
    ),
    securityGroups: found.securityGroups.filter(
      (one) =>
        String(one.id) === recorded.sg_id &&
        // What the Python agent has made is called so, too, and has no tag to lose.
        (one.gid === group || (vdcs.length > 0 && slug !== null && one.name === securityGroupName(slug)))
    )
  }
}

/** Each once. */
export const idsOf = (...pools: ReadonlyArray<ReadonlyArray<{ readonly id: number }>>): ReadonlyArray<number> => [
  ...new Set(pools.flat().map(({ id }) => id))
]

export const without = <A>(all: ReadonlyArray<A>, some: ReadonlyArray<A>) => all.filter((one) => !some.includes(one))

/** What a front-end has of the kinds that a data centre consists of, read once for all questions about one. */
import { Effect } from "effect"
import type {
  GroupShort,
  SecurityGroup,
  User,
  Vdc,
  VirtualNetwork,
  VirtualRouter,
  VmShort
} from "../../../opennebula/index.js"
import { asTheirVdcsSay, claimsIn } from "../../groups.js"
import type { Cloud } from "../cloud.js"

export interface Inventory {
  readonly groups: ReadonlyArray<GroupShort>
  readonly vdcs: ReadonlyArray<Vdc>
  readonly users: ReadonlyArray<User>
  readonly networks: ReadonlyArray<VirtualNetwork>
  readonly routers: ReadonlyArray<VirtualRouter>
  readonly securityGroups: ReadonlyArray<SecurityGroup>
  readonly machines: ReadonlyArray<VmShort>
  /** Groups that say that they are another resource's than their VDC, and which. */
  readonly claims: ReadonlyMap<number, string>
}

export const inventory = ({ one }: Cloud) =>
  Effect.map(
    Effect.all(
      {
        groups: one.group.list(),
        vdcs: one.vdc.list(),
        users: one.user.list(),
        networks: one.network.list(),
        routers: one.router.list(),
        securityGroups: one.securityGroup.list(),
        machines: one.vm.list()
      },
      { concurrency: "unbounded" }
    ),
    (found) => {
      const groups = asTheirVdcsSay(found.groups, found.vdcs)
      return { ...found, groups, claims: claimsIn(found.groups, groups) }
    }
  )

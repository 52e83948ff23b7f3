/** All typed calls of one front-end under one user: `one.group.allocate("acme")`. */
import { Context } from "effect"
import type { OpenNebulaClient } from "../client.js"
import { aclCalls } from "./acl.js"
import { groupCalls } from "./group.js"
import {
  clusterCalls,
  datastoreCalls,
  hostCalls,
  imageCalls,
  systemCalls,
  templateCalls,
  zoneCalls
} from "./infrastructure.js"
import { networkCalls, securityGroupCalls } from "./network.js"
import { routerCalls } from "./router.js"
import { userCalls } from "./user.js"
import { vdcCalls } from "./vdc.js"
import { vmCalls } from "./vm.js"

export interface OpenNebulaService {
  /** URL of the front-end, without credentials. */
  readonly endpoint: string
  readonly system: ReturnType<typeof systemCalls>
  readonly group: ReturnType<typeof groupCalls>
  readonly vdc: ReturnType<typeof vdcCalls>
  readonly acl: ReturnType<typeof aclCalls>
  readonly network: ReturnType<typeof networkCalls>
  readonly securityGroup: ReturnType<typeof securityGroupCalls>
  readonly router: ReturnType<typeof routerCalls>
  readonly template: ReturnType<typeof templateCalls>
  readonly image: ReturnType<typeof imageCalls>
  readonly user: ReturnType<typeof userCalls>
  readonly vm: ReturnType<typeof vmCalls>
  readonly cluster: ReturnType<typeof clusterCalls>
  readonly datastore: ReturnType<typeof datastoreCalls>
  readonly host: ReturnType<typeof hostCalls>
  readonly zone: ReturnType<typeof zoneCalls>
}

export class OpenNebula extends Context.Tag("site-actors/OpenNebula")<OpenNebula, OpenNebulaService>() {}

export const makeOpenNebula = (client: OpenNebulaClient): OpenNebulaService => ({
  endpoint: client.endpoint,
  system: systemCalls(client),
  group: groupCalls(client),
  vdc: vdcCalls(client),
  acl: aclCalls(client),
  network: networkCalls(client),
  securityGroup: securityGroupCalls(client),
  router: routerCalls(client),
  template: templateCalls(client),
  image: imageCalls(client),
  user: userCalls(client),
  vm: vmCalls(client),
  cluster: clusterCalls(client),
  datastore: datastoreCalls(client),
  host: hostCalls(client),
  zone: zoneCalls(client)
})

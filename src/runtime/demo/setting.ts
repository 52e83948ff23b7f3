/** The demo's setting: both simulators on free ports, a configuration file as a provider would write it, an empty data directory. */
import { createServer } from "node:net"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import { Effect } from "effect"
import { stringify } from "yaml"
import * as OpenNebula from "../../simulator/opennebula/index.js"
import * as Waldur from "../../simulator/waldur/index.js"

export interface SettingOptions {
  /** How long a simulated VM takes to boot, in ms. A real front-end with dummy drivers: 100. */
  readonly bootMillis: number
  /** Whether the agent shows its page: on a free port of this machine. */
  readonly page: boolean
}

export const makeSetting = (options: SettingOptions) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const directory = yield* fs.makeTempDirectoryScoped({ prefix: "site-actors-demo-" })
    const cloud = yield* OpenNebula.serve({ port: 0, bootTime: options.bootMillis })
    const marketplace = yield* Waldur.serve({})
    const world = yield* Waldur.demoWorld(marketplace.marketplace)
    const port = options.page ? yield* freePort : undefined
    const configFile = (yield* Path.Path).join(directory, "config.yaml")
    yield* fs.writeFileString(configFile, stringify(configuration(cloud, marketplace, world, port)), { mode: 0o600 })
    return {
      cloud,
      marketplace,
      world,
      configFile,
      dataDir: (yield* Path.Path).join(directory, "data"),
      /** Empty: there is none. */
      page: port === undefined ? "" : `http://127.0.0.1:${port}`
    }
  })

/** One that nobody listened on a moment ago. */
const freePort = Effect.async<number>((resume) => {
  const server = createServer()
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    server.close(() => resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0)))
  })
})

const configuration = (
  cloud: OpenNebula.Served,
  marketplace: Waldur.Served,
  world: Waldur.DemoWorld,
  port: number | undefined
) => {
  const common = {
    waldur_api_url: `${marketplace.url}/api/`,
    waldur_api_token: world.agentToken,
    backend_type: "opennebula",
    order_processing_backend: "opennebula"
  }
  const backend = { api_url: cloud.url, credentials: cloud.frontEnd.session, zone_id: 0, cluster_ids: [0] }
  return {
    // As short as it goes, so that the demo shows the agent's speed and not the waiting between two looks.
    poll_interval: 0.1,
    http: { port: port ?? false },
    agent_identity: false,
    offerings: [
      {
        ...common,
        name: "Virtual data centres",
        waldur_offering_uuid: world.vdcOffering.uuid,
        backend_settings: {
          ...backend,
          resource_type: "vdc",
          external_network_id: 0,
          virtual_router_template_id: 1,
          create_opennebula_user: true,
          security_group_defaults: [{ direction: "inbound", protocol: "TCP", range: "22" }]
        }
      },
      {
        ...common,
        name: "Virtual machines",
        waldur_offering_uuid: world.vmOffering.uuid,
        backend_settings: { ...backend, resource_type: "vm", template_id: 2 }
      }
    ]
  }
}

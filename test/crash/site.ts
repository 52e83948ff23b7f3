/** A site for one trial: both simulators on free ports, a configuration file, an empty data directory, a customer. All goes with the scope. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import { Effect, Redacted } from "effect"
import { stringify } from "yaml"
import { makeCustomer } from "../../src/runtime/demo/customer.js"
import * as OpenNebula from "../../src/simulator/opennebula/index.js"
import * as Waldur from "../../src/simulator/waldur/index.js"
import { pairOfOfferings } from "./pair.js"
import { type Launch, startAgent, startProgram } from "./process.js"
import { makeTap } from "./tap.js"

export interface SiteOptions {
  /** Path of the agent's entry point. */
  readonly main: string
  readonly generation?: Waldur.Generation
  /** ms; a real front-end with dummy drivers took 100. */
  readonly bootTime?: number
  /** s */
  readonly pollInterval?: number
  /** Put over the keys of both offerings. */
  readonly offerings?: Readonly<Record<string, unknown>>
  /** Put over the backend settings of one offering. */
  readonly machines?: Readonly<Record<string, unknown>>
  readonly centres?: Readonly<Record<string, unknown>>
  /** Put over the keys at the root of the file. */
  readonly root?: Readonly<Record<string, unknown>>
  /** The front-end's beginning, and whether it keeps its calls. */
  readonly cloud?: Pick<OpenNebula.FrontEndOptions, "initial" | "keepCalls">
}

export const vdcName = "crash-vdc"
export const vmName = "crash-vm"
export const vdcLimits = { cpu: 4, ram: 4096, storage: 20480, floating_ip: 2 }
export const doubled = { cpu: 8, ram: 8192, storage: 40960, floating_ip: 4 }
const sshKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKTfNFzxoTrFzIb1G2t9bkFyHZ0F0xUo3cfVTHv1QS crash@example.org"

export const makeSite = (options: SiteOptions) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const directory = yield* fs.makeTempDirectoryScoped({ prefix: "site-actors-crash-" })
    const join = (yield* Path.Path).join
    const configFile = join(directory, "config.yaml")
    const dataDir = join(directory, "data")
    const { frontEnd: cloud, url: cloudUrl } = yield* OpenNebula.serve({
      port: 0,
      bootTime: options.bootTime ?? 30,
      ...options.cloud
    })
    const served = yield* Waldur.serve({ seed: 1, generation: options.generation ?? "current" })
    const { marketplace } = served
    const world = yield* Waldur.demoWorld(marketplace)
    const configuration = {
      poll_interval: options.pollInterval ?? 0.1,
      events_poll_interval: options.pollInterval ?? 0.1,
      // Calls beside the orders' own would make each strike hit something else.
      agent_identity: false,
      http: { port: false },
      ...options.root,
      offerings: pairOfOfferings(
        {
          waldurUrl: `${served.url}/api/`,
          agentToken: world.agentToken,
          cloudUrl,
          session: cloud.session,
          vdcOffering: world.vdcOffering.uuid,
          vmOffering: world.vmOffering.uuid
        },
        options.offerings,
        options.machines,
        options.centres
      )
    }
    yield* fs.writeFileString(configFile, stringify(configuration), { mode: 0o600 })
    const { place } = yield* makeCustomer(served.url, Redacted.make(world.customerToken))
    const named = (name: string) =>
      Effect.fromNullable([...marketplace.resources.values()].findLast((resource) => resource.name === name)).pipe(
        Effect.orDieWith(() => new Error(`there is no resource ${name} yet`))
      )

    return {
      cloud,
      cloudUrl,
      marketplace,
      world,
      dataDir,
      configFile,
      tap: makeTap(cloud, marketplace),
      start: (launch: Partial<Launch> = {}) => startAgent({ main: options.main, configFile, dataDir, ...launch }),
      /** Another command, with the same configuration. */
      command: (...words: ReadonlyArray<string>) =>
        startProgram({ main: options.main }, [...words, "--config", configFile]),
      /** By name, the newest: live. */
      named,
      /** Each places an order as a customer, without waiting for it, and gives its uuid. */
      place: {
        vdc: (
          name = vdcName,
          limits: Readonly<Record<string, number>> = vdcLimits,
          project: string = world.project.uuid
        ) =>
          place.create({
            offering: world.vdcOffering.uuid,
            project,
            plan: world.plans.vdc.uuid,
            limits,
            attributes: { name }
          }),
        vm: (name = vmName, parentName = vdcName) =>
          Effect.flatMap(named(parentName), (parent) =>
            place.create({
              offering: world.vmOffering.uuid,
              project: parent.project.uuid,
              plan: world.plans.small.uuid,
              attributes: { name, parent_backend_id: parent.backendId, ssh_public_key: sshKey }
            })
          ),
        updateLimits: (name: string, limits: Readonly<Record<string, number>>) =>
          Effect.flatMap(named(name), ({ uuid }) => place.updateLimits(uuid, limits)),
        switchToMedium: (name: string) =>
          Effect.flatMap(named(name), ({ uuid }) =>
            place.switchPlan(uuid, world.vmOffering.uuid, world.plans.medium.uuid)
          ),
        terminate: (name: string) => Effect.flatMap(named(name), ({ uuid }) => place.terminate(uuid))
      }
    }
  })
export type Site = Effect.Effect.Success<ReturnType<typeof makeSite>>

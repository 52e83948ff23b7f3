/** `site-actors simulate`: the simulated front-end and marketplace, each alone on a port. */
import { Command, Options } from "@effect/cli"
import { Console, Effect } from "effect"
import * as OpenNebula from "../../simulator/opennebula/index.js"
import * as Waldur from "../../simulator/waldur/index.js"
import * as options from "./options.js"

const opennebula = Command.make("opennebula", { port: options.port(2633) }, ({ port }) =>
  Effect.gen(function* () {
    const served = yield* OpenNebula.serve({ port })
    yield* Console.log(`Simulated OpenNebula 7.4: ${served.url}, credentials ${served.frontEnd.session}`)
    yield* Effect.never
  }).pipe(Effect.scoped)
).pipe(Command.withDescription("An OpenNebula front-end in memory: hosts, templates and networks of a small lab."))

const generation = Options.choice("generation", ["current", "2024"]).pipe(
  Options.withDescription("Which generation of Waldur's API to speak."),
  Options.withDefault("current" as const)
)

const waldur = Command.make("waldur", { port: options.port(8000), generation }, ({ port, generation }) =>
  Effect.gen(function* () {
    const served = yield* Waldur.serve({ port, generation })
    const world = yield* Waldur.demoWorld(served.marketplace)
    yield* Console.log(
      [
        `Simulated Waldur: ${served.url}/api/`,
        `  agent's token      ${world.agentToken}`,
        `  customer's token   ${world.customerToken}`,
        `  VDC offering       ${world.vdcOffering.uuid}, plan ${world.plans.vdc.uuid}`,
        `  VM offering        ${world.vmOffering.uuid}, plans ${world.plans.small.uuid} (Small), ${world.plans.medium.uuid} (Medium)`,
        `  project            ${world.project.uuid}`
      ].join("\n")
    )
    yield* Effect.never
  }).pipe(Effect.scoped)
).pipe(Command.withDescription("A Waldur marketplace in memory: two offerings, a customer, a project."))

export const simulate = Command.make("simulate").pipe(
  Command.withDescription("Simulated servers to try things on."),
  Command.withSubcommands([opennebula, waldur])
)

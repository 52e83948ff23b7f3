/** `site-actors simulate`: the simulated front-end, marketplace and Keycloak, each alone on a port, and loaded only then. */
import { Command, Options } from "@effect/cli"
import { Console, Data, Effect } from "effect"
import { described } from "../help.js"
import * as options from "../options.js"

/** The port cannot be listened on. */
export class PortUnusable extends Data.TaggedError("PortUnusable")<{ readonly port: number; readonly reason: string }> {
  override get message(): string {
    return `Port ${this.port} cannot be listened on: ${this.reason}. Choose another with --port; 0 takes any free one.`
  }
}

const onPort = <A, R>(port: number, serve: Effect.Effect<A, Error, R>): Effect.Effect<A, PortUnusable, R> =>
  Effect.mapError(serve, (error) => new PortUnusable({ port, reason: error.message }))

/** Says how to reach what is served, for people or for programs, and serves on. */
const announced = (json: boolean, known: Readonly<Record<string, unknown>>, lines: ReadonlyArray<string>) =>
  Effect.zipRight(Console.log(json ? JSON.stringify(known) : lines.join("\n")), Effect.never)

/** No word that stands in names: it would be struck out of them in the log, as any secret is. */
export const cloudPassword = "not-a-secret"

const opennebula = Command.make("opennebula", { port: options.port(2633), json: options.json }, ({ json, port }) =>
  Effect.gen(function* () {
    const OpenNebula = yield* Effect.promise(() => import("../../../simulator/opennebula/index.js"))
    const served = yield* onPort(port, OpenNebula.serve({ port, password: cloudPassword }))
    const known = { url: served.url, credentials: served.frontEnd.session }
    yield* announced(json, known, [`Simulated OpenNebula 7.4: ${known.url}, credentials ${known.credentials}`])
  }).pipe(Effect.scoped)
).pipe(
  Command.withDescription(
    described(
      "An OpenNebula front-end in memory: hosts, templates and networks of a small lab.",
      "site-actors simulate opennebula --port 2633"
    )
  )
)

const generation = Options.choice("generation", ["current", "2024"]).pipe(
  Options.withDescription("Which generation of Waldur's API to speak; current if it is not said."),
  Options.withDefault("current" as const)
)

interface Sold {
  readonly url: string
  readonly vdcOffering: string
  readonly plans: { readonly vdc: string }
  readonly project: string
}

/** An order that the agent carries out. What is posted to `marketplace-orders/`: Waldur names things by their addresses. All that the offering sells by limit, in its units (`demoWorld`). */
export const orderOf = ({ plans, project, url, vdcOffering }: Sold) => {
  const offering = `${url}marketplace-public-offerings/${vdcOffering}/`
  return {
    offering,
    plan: `${offering}plans/${plans.vdc}/`,
    project: `${url}projects/${project}/`,
    attributes: { name: "acme" },
    limits: { cpu: 4, ram: 8192, storage: 10_240, floating_ip: 1 },
    accepting_terms_of_service: true
  }
}

const waldur = Command.make(
  "waldur",
  { port: options.port(8000), generation, json: options.json },
  ({ json, port, generation }) =>
    Effect.gen(function* () {
      const Waldur = yield* Effect.promise(() => import("../../../simulator/waldur/index.js"))
      const served = yield* onPort(port, Waldur.serve({ port, generation }))
      const world = yield* Waldur.demoWorld(served.marketplace)
      const known = {
        url: `${served.url}/api/`,
        agentToken: world.agentToken,
        customerToken: world.customerToken,
        vdcOffering: world.vdcOffering.uuid,
        vmOffering: world.vmOffering.uuid,
        plans: { vdc: world.plans.vdc.uuid, small: world.plans.small.uuid, medium: world.plans.medium.uuid },
        project: world.project.uuid
      }
      yield* announced(json, known, [
        `Simulated Waldur: ${known.url}`,
        `  agent's token      ${known.agentToken}`,
        `  customer's token   ${known.customerToken}`,
        `  VDC offering       ${known.vdcOffering}, plan ${known.plans.vdc}`,
        `  VM offering        ${known.vmOffering}, plans ${known.plans.small} (Small), ${known.plans.medium} (Medium)`,
        `  project            ${known.project}`,
        "An order of a data centre, as a customer places it:",
        `  curl -H 'Authorization: Token ${known.customerToken}' -H 'Content-Type: application/json' ${known.url}marketplace-orders/ \\`,
        `    -d '${JSON.stringify(orderOf(known))}'`
      ])
    }).pipe(Effect.scoped)
).pipe(
  Command.withDescription(
    described(
      "A Waldur marketplace in memory: two offerings, a customer, a project.",
      "site-actors simulate waldur --port 8000"
    )
  )
)

const keycloak = Command.make("keycloak", { port: options.port(8080), json: options.json }, ({ json, port }) =>
  Effect.gen(function* () {
    const Keycloak = yield* Effect.promise(() => import("../../../simulator/keycloak/index.js"))
    const administrator = { username: "admin", password: "admin" }
    const { url, world } = yield* onPort(port, Keycloak.serve({ port, administrator }))
    const realm = Keycloak.addRealm(world, "opennebula")
    // The customers of the simulated Waldur.
    for (const username of ["alice", "bob"]) Keycloak.addUser(world, realm, { username })
    yield* announced(json, { url: `${url}/`, realm: realm.name, administrator }, [
      `Simulated Keycloak 26: ${url}, users alice and bob. In the offering's backend_settings:`,
      "  keycloak_enabled: true",
      "  keycloak:",
      `    keycloak_url: ${url}/`,
      `    keycloak_realm: ${realm.name}`,
      "    keycloak_user_realm: master",
      "    client_id: admin-cli",
      `    keycloak_username: ${administrator.username}`,
      `    keycloak_password: ${administrator.password}`
    ])
  }).pipe(Effect.scoped)
).pipe(
  Command.withDescription(
    described(
      "A Keycloak in memory: a realm with two users, and the admin API for its groups.",
      "site-actors simulate keycloak --port 8080"
    )
  )
)

export const simulateCommands = [opennebula, waldur, keycloak] as const

export const simulate = Command.make("simulate").pipe(
  Command.withDescription("Simulated servers to try things on."),
  Command.withSubcommands(simulateCommands)
)

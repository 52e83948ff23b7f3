/**
 * What an agent says of itself: its identity in an offering, the services in it, their processors and figures, and lines of its log.
 *
 * No recorded server had these calls; what they take is as the open-source server and the Python agent (1.0.7) have it. Each is asked over
 * connections of their own, without the server's breaker: nothing that goes wrong here says anything about orders.
 */
import { Effect, Option, Schema } from "effect"
import { text, uuid, uuidOf } from "../api/lenient.js"
import type { Call, WaldurClient } from "../client.js"
import { isUnsupported, type WaldurError, WaldurMalformedAnswer } from "../errors.js"
import type { Written } from "../shapes.js"

const Identity = Schema.Struct({ uuid: uuid("uuid"), name: text("name") })
const Registered = Schema.Struct({ uuid: uuid("uuid") })

/** What is shown of the agent in Waldur. */
export interface AgentAbout {
  readonly version: string
  /** ms since 1970. */
  readonly startedAt: number
  readonly dependencies: ReadonlyArray<{ readonly package: string; readonly version: string }>
}

export const agentLogLevels = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] as const
export interface AgentLogLine {
  /** ms since 1970. */
  readonly at: number
  readonly level: (typeof agentLogLevels)[number]
  /** Not empty. */
  readonly message: string
  /** At most 255 characters. */
  readonly module: string
}

export interface AgentCalls {
  /** The identity's uuid; made if it is not there, brought up to date if it is. `unsupported`: this server knows no agents. */
  readonly register: (offering: string, about: AgentAbout) => Effect.Effect<string | "unsupported", WaldurError>
  /** Makes the service, or finds it by its name; either way it is active then. */
  readonly service: (
    identity: string,
    service: { readonly name: string; readonly mode: string }
  ) => Effect.Effect<string, WaldurError>
  /** Makes the processor, or finds it by its name; either way it has run just now. */
  readonly processor: (
    service: string,
    processor: { readonly name: string; readonly backendType: string; readonly backendVersion: string }
  ) => Effect.Effect<void, WaldurError>
  /** Replaces the figures of a service. */
  readonly statistics: (
    service: string,
    statistics: Readonly<Record<string, unknown>>
  ) => Effect.Effect<Written, WaldurError>
  /** Not repeated: a line that comes twice is a line too many. */
  readonly ship: (identity: string, lines: ReadonlyArray<AgentLogLine>) => Effect.Effect<Written, WaldurError>
}

const identities = "marketplace-site-agent-identities/"
/** As the Python agent calls it: whoever changes over keeps its identity and its queues. */
const nameIn = (offering: string): string => `agent-${offering}`

/** Also for the queues of events, which belong to the same identity. */
export const makeAgentCalls = (client: WaldurClient) =>
  Effect.gen(function* () {
    // Two of an offering that look at once would both find no identity, and make two.
    const oneAtATime = yield* Effect.makeSemaphore(1)

    const ask = <A, I>(call: Call, schema: Schema.Schema<A, I>): Effect.Effect<A, WaldurError> =>
      Effect.flatMap(client.call(call), ({ json }) =>
        Effect.mapError(
          Schema.decodeUnknown(schema)(json),
          () => new WaldurMalformedAnswer({ call: `${call.method} ${call.path}`, reason: "not what was asked for" })
        )
      )

    /** The identity of an offering: its uuid, and whether it was there. `fields`: of a new one. */
    const identity = (offering: string, fields: Readonly<Record<string, unknown>> = {}) =>
      Effect.gen(function* () {
        const name = nameIn(offering)
        const query = [["name", name] as const, ["offering_uuid", offering] as const]
        const known = yield* ask({ method: "GET", path: identities, query }, Schema.Array(Identity))
        const own = known.find((one) => one.name === name)
        if (own !== undefined) return { uuid: own.uuid, isNew: false }
        const made = yield* ask({ method: "POST", path: identities, body: { offering, name, ...fields } }, Identity)
        return { uuid: made.uuid, isNew: true }
      }).pipe(oneAtATime.withPermits(1))

    const post = (path: `${string}/`, under: string, body: unknown): Call => ({
      method: "POST",
      path,
      uuid: under,
      body,
      repeat: true
    })

    const calls: AgentCalls = {
      register: (offering, about) =>
        Effect.gen(function* () {
          const id = Option.getOrElse(uuidOf(offering), () => offering)
          const fields = {
            version: about.version,
            last_restarted: new Date(about.startedAt).toISOString(),
            dependencies: about.dependencies,
            // The agent keeps its configuration to itself; a Python agent has sent the same.
            config_file_path: "",
            config_file_content: ""
          }
          const own = yield* identity(id, fields)
          if (!own.isNew) {
            const body = { offering: id, name: nameIn(id), ...fields }
            yield* client.call({ method: "PUT", path: `${identities}{uuid}/`, uuid: own.uuid, body, repeat: true })
          }
          return own.uuid
        }).pipe(Effect.catchIf(isUnsupported, () => Effect.succeed("unsupported" as const))),
      service: (under, service) =>
        Effect.map(ask(post(`${identities}{uuid}/register_service/`, under, service), Registered), (one) => one.uuid),
      processor: (service, { backendType, backendVersion, name }) =>
        Effect.asVoid(
          client.call(
            post("marketplace-site-agent-services/{uuid}/register_processor/", service, {
              name,
              backend_type: backendType,
              backend_version: backendVersion
            })
          )
        ),
      statistics: (service, statistics) =>
        written(client.call(post("marketplace-site-agent-services/{uuid}/set_statistics/", service, { statistics }))),
      ship: (under, lines) =>
        written(
          client.call({
            method: "POST",
            path: "marketplace-site-agent-logs/",
            body: lines.map(({ at, level, message, module }) => ({
              agent_identity_uuid: under,
              timestamp: at / 1000,
              level,
              message,
              module: module.slice(0, 255)
            }))
          })
        )
    }
    return { identity: (offering: string) => Effect.map(identity(offering), ({ uuid: own }) => own), calls }
  })

const written = <A>(call: Effect.Effect<A, WaldurError>): Effect.Effect<Written, WaldurError> =>
  call.pipe(
    Effect.as<Written>("written"),
    Effect.catchIf(isUnsupported, () => Effect.succeed<Written>("unsupported"))
  )

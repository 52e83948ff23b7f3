/** The PostgreSQL of the journal, where the file names one: whether it can be reached, and would do. */
import { Duration, Effect, Option } from "effect"
import type { Config } from "../config/index.js"
import { isLocal, type Postgres, protectionOf } from "../database/place.js"
import { lookAt } from "../journal/tables/facts.js"
import { type Finding, failed, ok, warning } from "./row.js"

/** The oldest that PostgreSQL's makers still mend. */
const oldest = 14

const patience = Duration.seconds(15)

/** Who is between could read and change what the agent remembers. */
const unprotected = (place: Postgres): ReadonlyArray<Finding> => {
  const protection = protectionOf(place)
  if (protection === "verified" || isLocal(place)) return []
  return [
    warning(
      "database",
      protection === "none"
        ? "The way there is not encrypted: add ?sslmode=verify-full&sslrootcert=/path/ca.pem to `database`, unless the network sees to that."
        : "The way there is encrypted, but nobody looks who answers (sslmode=no-verify): write sslmode=verify-full&sslrootcert=/path/ca.pem."
    )
  ]
}

export const databaseFindings = ({ database }: Config): Effect.Effect<ReadonlyArray<Finding>> =>
  Option.match(database, {
    onNone: () => Effect.succeed([]),
    onSome: (place) =>
      lookAt(place).pipe(
        Effect.map((facts): ReadonlyArray<Finding> => {
          const tables =
            facts.version === null ? "no tables yet: the first start makes them" : `tables of version ${facts.version}`
          const is = `${place.name}: PostgreSQL ${facts.server}, ${tables}.`
          if (Number.parseInt(facts.server, 10) < oldest) {
            return [failed("database", `${is} It is too old: take ${oldest} or newer.`)]
          }
          if (facts.makes === 0) {
            return [
              failed(
                "database",
                `${is} The user may make no tables there: GRANT CREATE, USAGE ON SCHEMA public TO the agent's user.`
              )
            ]
          }
          if (facts.closed !== null) {
            return [
              failed(
                "database",
                `${is} The user may not read and write the table ${facts.closed}: ALTER TABLE ... OWNER TO the agent's user, for this one and all others that are not its own.`
              )
            ]
          }
          return [
            ok("database", is),
            ...(facts.fsync === "off"
              ? [
                  warning(
                    "database",
                    "fsync is off there: after a power cut the database may be lost, or entries that were acknowledged, and then things made twice. Set it to on for this server."
                  )
                ]
              : []),
            ...(facts.commits === "off" || facts.commits === "local"
              ? [
                  warning(
                    "database",
                    `synchronous_commit is ${facts.commits} there: entries that were acknowledged may be lost, and then things made twice. Set it to on for this database.`
                  )
                ]
              : []),
            ...(facts.pooled
              ? [
                  warning(
                    "database",
                    "A pooler in transaction mode is between. Another server that takes this one's place is not noticed at once there, and what it has not heard of may be made twice: take session mode (pool_mode in PgBouncer), if there is a standby that may take over."
                  )
                ]
              : []),
            ...unprotected(place),
            ...(place.connections + 2 > facts.connections
              ? [
                  warning(
                    "database",
                    `It takes ${facts.connections} connections of all its users, and one process may open ${place.connections} (database_connections): lower this, or raise max_connections there.`
                  )
                ]
              : [])
          ]
        }),
        Effect.catchAll((error) => Effect.succeed([failed("database", error.message)])),
        Effect.timeoutTo({
          duration: patience,
          onSuccess: (findings) => findings,
          onTimeout: () => [
            failed(
              "database",
              `${place.name} has not answered within ${Duration.toSeconds(patience)} s: check the way to it.`
            )
          ]
        })
      )
  })

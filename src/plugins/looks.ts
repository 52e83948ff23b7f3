/** What both OpenNebula plugins look at for `site-actors check`: one line each, whatever goes wrong. */
import { Effect } from "effect"
import { isSupportedRelease, lowestRelease, type OpenNebulaService, testedRelease } from "../opennebula/index.js"
import { type CheckResult, OfferingFault, printable, type SiteError } from "../plugin/index.js"

/** The group `oneadmin`. */
const adminGroup = 0

export const line = (subject: string, status: CheckResult["status"], detail: string): CheckResult => ({
  subject,
  status,
  detail
})

/** What is wrong with an id or a name in the settings that leads nowhere. `kind`: "network". */
export const noSuch = (kind: string, key: string): string => `there is no such ${kind} in OpenNebula: correct ${key}`

/** One look; if it fails, that is a line too. */
export const look = <E extends SiteError>(
  subject: string,
  effect: Effect.Effect<CheckResult, E>
): Effect.Effect<CheckResult> =>
  Effect.catchAll(effect, (error) => Effect.succeed(line(subject, "failed", error.message)))

/**
 * One call: is the front-end there, does it take the credentials (every call of OpenNebula asks for them first), and has its release all that
 * the plugins call?
 */
export const ping = (one: OpenNebulaService): Effect.Effect<void, SiteError> =>
  Effect.flatMap(one.system.version(), (version) =>
    isSupportedRelease(version)
      ? Effect.void
      : new OfferingFault({
          reason: `OpenNebula at ${one.endpoint} has release ${printable(version)}.`,
          hint: `Release ${lowestRelease} or later is needed: upgrade it, or name another front-end in backend_settings.api_url.`
        })
  )

/** Is the front-end there, does it take the credentials, and can the plugins work with its release? */
export const release = (one: OpenNebulaService): Effect.Effect<CheckResult> =>
  look(
    "OpenNebula",
    Effect.map(one.system.version(), (version) => {
      const where = `${version} at ${one.endpoint}`
      if (!isSupportedRelease(version)) {
        return line("OpenNebula", "failed", `${where}: release ${lowestRelease} or later is needed`)
      }
      return version.startsWith(`${testedRelease}.`)
        ? line("OpenNebula", "ok", where)
        : line("OpenNebula", "warning", `${where}: tested with ${testedRelease}`)
    })
  )

/** Only members of oneadmin may do all that the plugins do. */
export const administrator = (one: OpenNebulaService): Effect.Effect<CheckResult> =>
  look(
    "credentials",
    Effect.map(one.user.info(-1), (user) =>
      user.groups.includes(adminGroup) || user.gid === adminGroup
        ? line("credentials", "ok", `user ${user.name} (${user.id}) is an administrator`)
        : line(
            "credentials",
            "failed",
            `user ${user.name} (${user.id}) is no member of the group oneadmin: add it, or give other credentials`
          )
    )
  )

/** Where VMs run from and where their images are. `clusters`: those that count; none: all. */
export const datastores = (
  one: OpenNebulaService,
  clusters: ReadonlyArray<number>
): Effect.Effect<ReadonlyArray<CheckResult>> =>
  one.datastore.list().pipe(
    Effect.map((all) => {
      const near = all.filter(
        (store) =>
          store.state === "Ready" && (clusters.length === 0 || store.clusters.some((id) => clusters.includes(id)))
      )
      return (["System", "Image"] as const).map((type) => {
        const subject = `${type.toLowerCase()} datastores`
        const found = near.filter((store) => store.type === type)
        return found.length === 0
          ? line(subject, "failed", `none is ready in the clusters ${clusters.join(", ") || "of the zone"}`)
          : line(subject, "ok", found.map(({ id, name, free }) => `${name} (${id}), ${free} MB free`).join("; "))
      })
    }),
    Effect.catchAll((error) => Effect.succeed([line("datastores", "failed", error.message)]))
  )

/** Setting values. Each of these says what shall be, so sending it twice does what sending it once does. */
import { Effect, Option, Ref } from "effect"
import { NotYet } from "../../core/errors.js"
import type { WaldurClient } from "../client.js"
import { isUnsupported, type WaldurError } from "../errors.js"
import type { ComponentRequest, Endpoint, OfferingUserMove, UsageReport, Written } from "../shapes.js"
import type { Reads } from "./reads.js"
import { makeSetting } from "./unheard.js"

/** How often a lost backend id is set again. */
const backendIdTries = 5

/** The two ways to set limits: today's servers, and those of 2024 (recordings 065 and 071). */
type LimitsCall = "provider-resources" | "slurm-remote"

/** Accounts of an offering's people answer 400 where everything else answers 409 (source: waldur-mastermind, marketplace/views.py, 2026). */
const isNoWay = (error: WaldurError): boolean =>
  error._tag === "WaldurInvalid" && error.messages.some((message) => /cannot transition/i.test(message))

export const makeWrites = (client: WaldurClient, reads: Reads) =>
  Effect.gen(function* () {
    const limitsCall = yield* Ref.make(Option.none<LimitsCall>())

    const setting = makeSetting()

    const set = (path: `${string}/`, uuid: string, body: unknown) =>
      Effect.asVoid(setting(`${path} ${uuid}`, body)(client.call({ method: "POST", path, uuid, body })))

    const setIfSupported = (path: `${string}/`, uuid: string, body: unknown): Effect.Effect<Written, WaldurError> =>
      set(path, uuid, body).pipe(
        Effect.as<Written>("written"),
        Effect.catchIf(isUnsupported, () => Effect.succeed<Written>("unsupported"))
      )

    const onResource = (action: string) => `marketplace-provider-resources/{uuid}/${action}/` as const

    const onOffering = (action: "create" | "update") =>
      `marketplace-provider-offerings/{uuid}/${action}_offering_component/` as const

    const keepBackendId = (resource: string, backendId: string): Effect.Effect<boolean, WaldurError | NotYet> =>
      Effect.gen(function* () {
        const found = yield* reads.resource(resource)
        if (Option.contains(found.backendId, backendId)) return true
        yield* setBackendId(resource, backendId)
        return false
      })

    const setBackendId = (resource: string, backendId: string): Effect.Effect<void, WaldurError | NotYet> => {
      const isThere = Effect.map(reads.resource(resource), (found) => Option.contains(found.backendId, backendId))
      const attempt = (number: number): Effect.Effect<void, WaldurError | NotYet> =>
        Effect.gen(function* () {
          yield* set(onResource("set_backend_id"), resource, { backend_id: backendId })
          if (yield* isThere) return
          if (number >= backendIdTries) {
            const reason = `Waldur lost the backend id ${backendId} of resource ${resource} ${number} times.`
            return yield* new NotYet({ reason })
          }
          yield* Effect.sleep(`${100 * 2 ** number} millis`)
          yield* attempt(number + 1)
        })
      return attempt(1)
    }

    const setLimits = (
      resource: string,
      limits: Readonly<Record<string, number>>
    ): Effect.Effect<Written, WaldurError> => {
      const remember = (call: LimitsCall) => Ref.set(limitsCall, Option.some(call))
      const today = Effect.zipRight(set(onResource("set_limits"), resource, { limits }), remember("provider-resources"))
      const older = Effect.zipRight(
        set("marketplace-slurm-remote/{uuid}/set_limits/", resource, limits),
        remember("slurm-remote")
      )
      const isMissing = (error: WaldurError) => error._tag === "WaldurNotFound" || isUnsupported(error)
      /** A server may have been upgraded since, so both are tried again. If neither answers, today's error says more. */
      const neither = (error: WaldurError): Effect.Effect<Written, WaldurError> =>
        isUnsupported(error) ? Effect.succeed("unsupported") : Effect.fail(error)
      const written = Effect.as<Written>("written")
      return Effect.flatMap(Ref.get(limitsCall), (known) =>
        Option.contains(known, "slurm-remote")
          ? Effect.catchIf(written(older), isMissing, () => Effect.catchIf(written(today), isMissing, neither))
          : Effect.catchIf(written(today), isMissing, (missing) =>
              // Slurm's call says "no such resource" of those of other plugins.
              Effect.catchIf(written(older), isMissing, () => neither(missing))
            )
      )
    }

    /** What the person reads in Waldur. Moving an account takes no comment (source: waldur-mastermind, marketplace/views.py). */
    const commentOn = (offeringUser: string, comment: string): Effect.Effect<void, WaldurError> =>
      client
        .call({
          method: "PATCH",
          path: "marketplace-offering-users/{uuid}/update_comments/",
          uuid: offeringUser,
          body: { service_provider_comment: comment },
          repeat: true
        })
        .pipe(
          Effect.asVoid,
          Effect.catchIf(isUnsupported, () => Effect.void)
        )

    return {
      putBackendId: (resource: string, backendId: string): Effect.Effect<void, WaldurError> =>
        set(onResource("set_backend_id"), resource, { backend_id: backendId }),
      setBackendId,
      keepBackendId,
      setLimits,
      setOrderBackendId: (order: string, backendId: string) =>
        setIfSupported("marketplace-orders/{uuid}/set_backend_id/", order, { backend_id: backendId }),
      setBackendMetadata: (resource: string, metadata: Readonly<Record<string, unknown>>) =>
        set(onResource("set_backend_metadata"), resource, { backend_metadata: metadata }),
      setEndpoints: (resource: string, endpoints: ReadonlyArray<Endpoint>) =>
        setIfSupported(onResource("set_endpoints"), resource, { endpoints }),
      setAsOk: (resource: string) => setIfSupported(onResource("set_as_ok"), resource, {}),
      setAsErred: (resource: string, message = "", traceback = "") =>
        setIfSupported(onResource("set_as_erred"), resource, { error_message: message, error_traceback: traceback }),
      setScopeOk: (resource: string) =>
        set("marketplace-slurm-remote/{uuid}/set_state/", resource, { state: "ok" }).pipe(
          Effect.as<Written>("written"),
          // 409: it is in a state from which there is no way to ok, and no need (recording 107).
          Effect.catchIf(
            (error) => isUnsupported(error) || error._tag === "WaldurNotFound" || error._tag === "WaldurConflict",
            () => Effect.succeed<Written>("unsupported")
          )
        ),
      refreshLastSync: (resource: string) => setIfSupported(onResource("refresh_last_sync"), resource, {}),
      setOfferingUsername: (offeringUser: string, username: string): Effect.Effect<void, WaldurError> =>
        Effect.asVoid(
          client.call({
            method: "PATCH",
            path: "marketplace-offering-users/{uuid}/",
            uuid: offeringUser,
            body: { username },
            repeat: true
          })
        ),
      setOfferingUserState: (offeringUser: string, state: OfferingUserMove, comment = "") =>
        setIfSupported(`marketplace-offering-users/{uuid}/${state}/`, offeringUser, {}).pipe(
          Effect.tap((written) =>
            written === "written" && comment !== "" ? commentOn(offeringUser, comment) : Effect.void
          ),
          // It is not in a state from which there is a way, nor need there be.
          Effect.catchIf(
            (error) => error._tag === "WaldurConflict" || isNoWay(error),
            () => Effect.succeed<Written>("unsupported")
          )
        ),
      /** 201 with an empty body (recording 210). Waldur updates the month's one usage of each component. */
      setUsage: (report: UsageReport): Effect.Effect<void, WaldurError> => {
        const body = { ...report, usages: report.usages.map((usage) => ({ description: "", ...usage })) }
        const sent = client.call({ method: "POST", path: "marketplace-component-usages/set_usage/", body })
        return Effect.asVoid(setting(`usage ${report.resource} ${report.date ?? ""}`, body)(sent))
      },
      createComponent: (offering: string, component: ComponentRequest): Effect.Effect<void, WaldurError> =>
        Effect.asVoid(client.call({ method: "POST", path: onOffering("create"), uuid: offering, body: component })),
      updateComponent: (
        offering: string,
        component: string,
        fields: ComponentRequest
      ): Effect.Effect<void, WaldurError> => set(onOffering("update"), offering, { uuid: component, ...fields })
    }
  })

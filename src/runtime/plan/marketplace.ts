/** A marketplace that nobody changes: reads go through, all else is told, and looks as if it had gone well. */
import { Effect, FiberRef, Option } from "effect"
import type { PlannedCall } from "../../core/index.js"
import { carriers, type Transport } from "../../waldur/http/transport.js"
import type { WaldurService } from "../../waldur/service.js"
import type { Written } from "../../waldur/shapes.js"

export const rehearsedWaldur = (
  waldur: WaldurService,
  tell: (call: PlannedCall) => Effect.Effect<void>
): WaldurService => {
  const backendIds = new Map<string, string>()
  const limits = new Map<string, Readonly<Record<string, number>>>()
  const approved = new Set<string>()
  const would = (call: string, about = "") => tell({ system: "waldur", call: `POST ${call}`, about })
  const onOrder = (action: string, about?: string) => would(`marketplace-orders/{uuid}/${action}/`, about)
  const onResource = (action: string, about?: string) =>
    would(`marketplace-provider-resources/{uuid}/${action}/`, about)
  const written = Effect.as<Written>("written")
  const order: WaldurService["order"] = (uuid) =>
    Effect.map(waldur.order(uuid), (found) =>
      approved.has(uuid) && found.state === "pending-provider" ? { ...found, state: "executing" as const } : found
    )
  const putBackendId = (uuid: string, backendId: string) =>
    Effect.zipRight(
      onResource("set_backend_id", backendId),
      Effect.sync(() => backendIds.set(uuid, backendId))
    )
  return {
    ...waldur,
    order,
    resource: (uuid) =>
      Effect.map(waldur.resource(uuid), (found) => ({
        ...found,
        limits: limits.get(uuid) ?? found.limits,
        backendId: Option.orElse(Option.fromNullable(backendIds.get(uuid)), () => found.backendId)
      })),
    approveByProvider: (uuid) =>
      Effect.zipRight(
        onOrder("approve_by_provider"),
        Effect.sync(() => {
          approved.add(uuid)
          return "moved" as const
        })
      ),
    awaitExecuting: order,
    setStateDone: () => Effect.as(onOrder("set_state_done"), "moved" as const),
    setStateErred: (_, message) => onOrder("set_state_erred", message),
    setStateExecuting: () => onOrder("retry"),
    putBackendId,
    setBackendId: putBackendId,
    setsScope: () => Effect.succeedNone,
    keepBackendId: () => Effect.succeed(true),
    setScopeOk: () => written(would("marketplace-slurm-remote/{uuid}/set_state/")),
    setOrderBackendId: (_, backendId) => written(onOrder("set_backend_id", backendId)),
    setLimits: (uuid, wanted) =>
      written(
        Effect.zipRight(
          onResource("set_limits", JSON.stringify(wanted)),
          Effect.sync(() => limits.set(uuid, wanted))
        )
      ),
    // What it says may be a secret: the keys will do.
    setBackendMetadata: (_, metadata) => onResource("set_backend_metadata", Object.keys(metadata).join(", ")),
    setEndpoints: (_, endpoints) => written(onResource("set_endpoints", endpoints.map(({ name }) => name).join(", "))),
    setAsOk: () => written(onResource("set_as_ok")),
    setAsErred: () => written(onResource("set_as_erred")),
    refreshLastSync: () => written(onResource("refresh_last_sync")),
    setUsage: () => would("marketplace-component-usages/set_usage/"),
    createComponent: () => would("marketplace-provider-offerings/{uuid}/create_offering_component/"),
    updateComponent: () => would("marketplace-provider-offerings/{uuid}/update_offering_component/")
  }
}

/** The net under it: while this is around the connecting, nothing but reads is sent to the API at this address. */
export const lookOnly =
  (apiUrl: string) =>
  <A, E, R>(connecting: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(FiberRef.get(carriers), (carry) =>
      Effect.locally(connecting, carriers, (options) =>
        Effect.map(
          carry(options),
          (transport): Transport =>
            (call, request) =>
              request.method === "GET" || !request.url.startsWith(apiUrl)
                ? transport(call, request)
                : Effect.dieMessage(`A rehearsal was about to send ${call}: it must be told in marketplace.ts instead.`)
        )
      )
    )

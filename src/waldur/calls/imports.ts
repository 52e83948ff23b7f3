/**
 * Import: Waldur asks which objects of the backend could become resources, the agent answers with a list. Calls of the published API
 * that no recorded server had, so they are read leniently and no server is expected to have them.
 */
import { Effect } from "effect"
import { BackendResource, ImportRequest } from "../api/index.js"
import type { WaldurClient } from "../client.js"
import { isUnsupported, type WaldurError } from "../errors.js"
import type { Listed, Written } from "../shapes.js"
import type { Reads } from "./reads.js"

export interface OfferedResource {
  readonly offering: string
  readonly name: string
  readonly backendId: string
  /** Waldur wants to know of which project it would be (published API: required). */
  readonly project: string
  readonly metadata: Readonly<Record<string, unknown>>
}

export interface ImportCalls {
  /** Requests of the offering, whatever their state. `unsupported`: this server knows no imports. */
  readonly requests: (offering: string) => Effect.Effect<Listed<ImportRequest> | "unsupported", WaldurError>
  /** What is on offer for import already. */
  readonly offered: (offering: string) => Effect.Effect<Listed<BackendResource>, WaldurError>
  /** Not repeated: look before, and again when its outcome is unknown. */
  readonly offer: (resource: OfferedResource) => Effect.Effect<void, WaldurError>
  readonly start: (request: string) => Effect.Effect<Written, WaldurError>
  readonly finish: (request: string) => Effect.Effect<Written, WaldurError>
  readonly fail: (request: string, message: string) => Effect.Effect<Written, WaldurError>
}

export const makeImports = (client: WaldurClient, reads: Pick<Reads, "list">): ImportCalls => {
  const move = (action: string, uuid: string, body: unknown): Effect.Effect<Written, WaldurError> =>
    client.call({ method: "POST", path: `backend-resource-requests/{uuid}/${action}/`, uuid, body, repeat: true }).pipe(
      Effect.as<Written>("written"),
      // It is there already: an earlier answer was lost.
      Effect.catchIf(
        (error) => isUnsupported(error) || error._tag === "WaldurConflict",
        () => Effect.succeed<Written>("unsupported")
      )
    )
  const ofOffering = (offering: string) => [["offering_uuid", offering] as const]
  return {
    requests: (offering) =>
      reads
        .list({ path: "backend-resource-requests/", query: ofOffering(offering) }, ImportRequest)
        .pipe(Effect.catchIf(isUnsupported, () => Effect.succeed("unsupported" as const))),
    offered: (offering) => reads.list({ path: "backend-resources/", query: ofOffering(offering) }, BackendResource),
    offer: ({ backendId, metadata, name, offering, project }) =>
      Effect.asVoid(
        client.call({
          method: "POST",
          path: "backend-resources/",
          body: {
            offering,
            name,
            backend_id: backendId,
            backend_metadata: metadata,
            project
          }
        })
      ),
    start: (request) => move("start_processing", request, {}),
    finish: (request) => move("set_done", request, {}),
    fail: (request, message) => move("set_erred", request, { error_message: message, error_traceback: message })
  }
}

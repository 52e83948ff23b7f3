/** How a front-end says no: refusals with OpenNebula's error codes, faults of the XML-RPC server, and the shape of an answer. */
import { Data } from "effect"
import type { Value } from "./values.js"

/** OpenNebula 7.4 error codes (`errors.tsv` of the recordings). */
export const ErrorCode = {
  authentication: 0x0100,
  authorization: 0x0200,
  noExists: 0x0400,
  action: 0x0800,
  xmlRpcApi: 0x1000,
  internal: 0x2000,
  allocate: 0x4000,
  locked: 0x8000
} as const

/** An answer `[false, message, code, id, -1]`. `message` comes without the `[one.x.y] ` prefix. */
export class Refusal extends Data.TaggedError("Refusal")<{
  readonly code: number
  readonly message: string
  /** The object that is missing or refused; -1 for most errors. */
  readonly id: number
}> {}

/** A fault of the XML-RPC server itself: -500, -501, -503 or -506. */
export class Fault extends Data.TaggedError("Fault")<{ readonly code: number; readonly message: string }> {}

/** What one call came to. */
export type Answer =
  | { readonly _tag: "Ok"; readonly value: Value }
  /** `message` as on the wire, with the `[one.x.y] ` prefix. */
  | { readonly _tag: "Error"; readonly message: string; readonly code: number; readonly id: number }
  | { readonly _tag: "Fault"; readonly message: string; readonly code: number }
  /** Introspection answers a bare value, not OpenNebula's array. */
  | { readonly _tag: "Bare"; readonly value: Value }

const refusal = (code: number) => (message: string) => new Refusal({ code, message, id: -1 })

export const actionRefused = refusal(ErrorCode.action)
export const notAuthorized = refusal(ErrorCode.authorization)
export const internalError = refusal(ErrorCode.internal)
export const cannotAllocate = refusal(ErrorCode.allocate)
export const badApiCall = refusal(ErrorCode.xmlRpcApi)

/** "Error getting virtual machine [7]."; id -1 names the whole pool (recordings 279 and 282). */
export const noSuch = (noun: string, id: number): Refusal =>
  new Refusal({
    code: ErrorCode.noExists,
    message: id === -1 ? `Error getting ${noun} Pool.` : `Error getting ${noun} [${id}].`,
    id
  })

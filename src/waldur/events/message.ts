/** From the bytes of a message to an event, or to what is wrong with it. The bytes themselves are never shown: they may hold anything. */
import { Either, Option, Schema } from "effect"
import { optionalText, optionalUuid } from "../api/lenient.js"
import { type Heard, type ObjectType, objectTypes, type WaldurEvent } from "./types.js"

const Body = Schema.Struct({
  order: optionalUuid("order_uuid"),
  orderState: optionalText("order_state"),
  resource: optionalUuid("resource_uuid"),
  project: optionalUuid("project_uuid"),
  user: optionalUuid("user_uuid")
})
const decodeBody = Schema.decodeUnknownOption(Body)

/** Without this an event of the type says nothing. */
const needed: Readonly<Partial<Record<ObjectType, "order" | "resource" | "project">>> = {
  order: "order",
  resource: "resource",
  user_role: "project"
}

const utf8 = new TextDecoder("utf-8", { fatal: true })

const typeOf = Schema.decodeUnknownOption(Schema.Struct({ object_type: Schema.NonEmptyString }))

/** `undefined`: of a type that nobody here listens to. In a queue for all types each message says its own. */
export const eventOf = (
  heard: Heard,
  bytes: Uint8Array,
  redelivered: boolean
): Either.Either<WaldurEvent | undefined, string> =>
  Either.gen(function* () {
    const text = yield* Either.try({ try: () => utf8.decode(bytes), catch: () => "it is not UTF-8" })
    if (text === "") return yield* Either.left("it is empty")
    const json: unknown = yield* Either.try({ try: () => JSON.parse(text), catch: () => "it is not JSON" })
    if (typeof json !== "object" || json === null || Array.isArray(json)) return yield* Either.left("it is no object")
    const body = yield* Either.fromOption(decodeBody(json), () => "it is no object")
    const said = heard === "any" ? yield* Either.fromOption(typeOf(json), () => "it has no object_type") : undefined
    const objectType = heard === "any" ? objectTypes.find((one) => one === said?.object_type) : heard
    if (objectType === undefined) return undefined
    const key = needed[objectType]
    if (key !== undefined && Option.isNone(body[key])) return yield* Either.left(`it has no ${key}_uuid`)
    return {
      objectType,
      order: Option.getOrUndefined(body.order),
      orderState: Option.getOrUndefined(body.orderState),
      resource: Option.getOrUndefined(body.resource),
      project: Option.getOrUndefined(body.project),
      user: Option.getOrUndefined(body.user),
      redelivered
    }
  })

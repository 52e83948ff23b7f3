/** A customer at Waldur's API: places orders and looks how they go, as a browser would. */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { Clock, Data, Effect, Redacted, Schema } from "effect"

export class CustomerRefused extends Data.TaggedError("CustomerRefused")<{
  readonly request: string
  readonly answer: string
}> {
  override get message(): string {
    return `${this.request}: ${this.answer}`
  }
}

const OrderView = Schema.Struct({
  uuid: Schema.String,
  state: Schema.String,
  marketplace_resource_uuid: Schema.String,
  error_message: Schema.optional(Schema.NullOr(Schema.String))
})
const ResourceView = Schema.Struct({
  state: Schema.String,
  backend_id: Schema.optional(Schema.NullOr(Schema.String)),
  backend_metadata: Schema.optional(Schema.NullOr(Schema.Record({ key: Schema.String, value: Schema.Unknown }))),
  limits: Schema.optional(Schema.NullOr(Schema.Record({ key: Schema.String, value: Schema.Unknown })))
})
const OrderNumber = Schema.Struct({ order_uuid: Schema.String })

/** An order that has come to its end. `milliseconds` from placing it to seeing the end. */
export interface EndedOrder {
  readonly uuid: string
  readonly resource: string
  readonly state: string
  readonly error: string
  readonly milliseconds: number
}

/** What a customer fills in to order something new. */
export interface Wish {
  readonly offering: string
  readonly project: string
  readonly plan: string
  readonly attributes: Readonly<Record<string, unknown>>
  readonly limits?: Readonly<Record<string, number>>
  /** YYYY-MM-DD: not before that day. */
  readonly startDate?: string
}

export const hasEnded = (state: string): boolean => ["done", "erred", "canceled", "rejected"].includes(state)

/** `url`: the server's, without `/api/`. */
export const makeCustomer = (url: string, token: Redacted.Redacted) =>
  Effect.gen(function* () {
    const client = yield* HttpClient.HttpClient
    const send = (request: HttpClientRequest.HttpClientRequest) =>
      Effect.gen(function* () {
        const response = yield* client.execute(
          HttpClientRequest.setHeader(request, "Authorization", `Token ${Redacted.value(token)}`)
        )
        if (response.status >= 300) {
          const answer = `${response.status} ${yield* response.text}`
          return yield* new CustomerRefused({ request: `${request.method} ${request.url}`, answer })
        }
        return yield* response.json
      })
    const post = (path: string, body: unknown) =>
      Effect.flatMap(HttpClientRequest.bodyJson(HttpClientRequest.post(`${url}/api/${path}`), body), send)
    const order = (uuid: string) =>
      Effect.flatMap(
        send(HttpClientRequest.get(`${url}/api/marketplace-orders/${uuid}/`)),
        Schema.decodeUnknown(OrderView)
      )
    const awaitEnd = (uuid: string, since: number) =>
      Effect.gen(function* () {
        const ended = yield* order(uuid).pipe(
          Effect.delay("20 millis"),
          Effect.repeat({ until: (view) => hasEnded(view.state) })
        )
        return {
          uuid,
          resource: ended.marketplace_resource_uuid,
          state: ended.state,
          error: ended.error_message ?? "",
          milliseconds: (yield* Clock.currentTimeMillis) - since
        }
      })
    const toItsEnd = <E, R>(placing: Effect.Effect<string, E, R>) =>
      Effect.gen(function* () {
        const since = yield* Clock.currentTimeMillis
        return yield* awaitEnd(yield* placing, since)
      })
    const planUrl = (offering: string, plan: string) =>
      `${url}/api/marketplace-public-offerings/${offering}/plans/${plan}/`

    /** Places an order without waiting for it. Gives its uuid. */
    const place = {
      create: (wish: Wish) =>
        post("marketplace-orders/", {
          offering: `${url}/api/marketplace-public-offerings/${wish.offering}/`,
          project: `${url}/api/projects/${wish.project}/`,
          plan: planUrl(wish.offering, wish.plan),
          attributes: wish.attributes,
          accepting_terms_of_service: true,
          ...(wish.limits === undefined ? {} : { limits: wish.limits }),
          ...(wish.startDate === undefined ? {} : { start_date: wish.startDate })
        }).pipe(
          Effect.flatMap(Schema.decodeUnknown(OrderView)),
          Effect.map(({ uuid }) => uuid)
        ),
      change: (
        resource: string,
        action: "update_limits" | "switch_plan" | "renew" | "terminate" | "restore",
        body: unknown
      ) =>
        post(`marketplace-resources/${resource}/${action}/`, body).pipe(
          Effect.flatMap(Schema.decodeUnknown(OrderNumber)),
          Effect.map(({ order_uuid }) => order_uuid)
        ),
      updateLimits: (resource: string, limits: Readonly<Record<string, number>>) =>
        place.change(resource, "update_limits", { limits }),
      switchPlan: (resource: string, offering: string, plan: string) =>
        place.change(resource, "switch_plan", { plan: planUrl(offering, plan) }),
      terminate: (resource: string) => place.change(resource, "terminate", {}),
      renew: (resource: string) => place.change(resource, "renew", { extension_months: 1 }),
      restore: (resource: string) => place.change(resource, "restore", {})
    }

    return {
      place,
      create: (wish: Wish) => toItsEnd(place.create(wish)),
      updateLimits: (resource: string, limits: Readonly<Record<string, number>>) =>
        toItsEnd(place.updateLimits(resource, limits)),
      switchPlan: (resource: string, offering: string, plan: string) =>
        toItsEnd(place.switchPlan(resource, offering, plan)),
      terminate: (resource: string) => toItsEnd(place.terminate(resource)),
      /** Waits for the end of an order that was placed at `since` (ms). */
      ended: awaitEnd,
      /** As it is now. */
      look: (uuid: string) =>
        Effect.map(order(uuid), ({ marketplace_resource_uuid: resource, state }) => ({ resource, state })),
      resource: (uuid: string) =>
        Effect.flatMap(
          send(HttpClientRequest.get(`${url}/api/marketplace-resources/${uuid}/`)),
          Schema.decodeUnknown(ResourceView)
        )
    }
  })

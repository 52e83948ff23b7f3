/** A customer at Waldur's API: places orders and looks how they go, as a browser would. */
import { HttpClient, HttpClientRequest } from "@effect/platform"
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

const ends = ["done", "erred", "canceled", "rejected"]

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
          Effect.repeat({ until: (view) => ends.includes(view.state) })
        )
        return {
          uuid,
          resource: ended.marketplace_resource_uuid,
          state: ended.state,
          error: ended.error_message ?? "",
          milliseconds: (yield* Clock.currentTimeMillis) - since
        }
      })
    const change = (resource: string, action: string, body: unknown) =>
      Effect.gen(function* () {
        const since = yield* Clock.currentTimeMillis
        const answer = yield* post(`marketplace-resources/${resource}/${action}/`, body)
        return yield* awaitEnd((yield* Schema.decodeUnknown(OrderNumber)(answer)).order_uuid, since)
      })
    const planUrl = (offering: string, plan: string) =>
      `${url}/api/marketplace-public-offerings/${offering}/plans/${plan}/`

    return {
      create: (wish: {
        readonly offering: string
        readonly project: string
        readonly plan: string
        readonly attributes: Readonly<Record<string, unknown>>
        readonly limits?: Readonly<Record<string, number>>
      }) =>
        Effect.gen(function* () {
          const since = yield* Clock.currentTimeMillis
          const answer = yield* post("marketplace-orders/", {
            offering: `${url}/api/marketplace-public-offerings/${wish.offering}/`,
            project: `${url}/api/projects/${wish.project}/`,
            plan: planUrl(wish.offering, wish.plan),
            attributes: wish.attributes,
            accepting_terms_of_service: true,
            ...(wish.limits === undefined ? {} : { limits: wish.limits })
          })
          return yield* awaitEnd((yield* Schema.decodeUnknown(OrderView)(answer)).uuid, since)
        }),
      updateLimits: (resource: string, limits: Readonly<Record<string, number>>) =>
        change(resource, "update_limits", { limits }),
      switchPlan: (resource: string, offering: string, plan: string) =>
        change(resource, "switch_plan", { plan: planUrl(offering, plan) }),
      terminate: (resource: string) => change(resource, "terminate", {}),
      resource: (uuid: string) =>
        Effect.flatMap(
          send(HttpClientRequest.get(`${url}/api/marketplace-resources/${uuid}/`)),
          Schema.decodeUnknown(ResourceView)
        )
    }
  })

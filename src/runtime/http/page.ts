/** The page's API: questions to the views, and what operators do. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as OpenApi from "@effect/platform/OpenApi"
import { Clock, Duration, Effect, Fiber, FiberSet, Layer, Option } from "effect"
import {
  api,
  CurrentVisitor,
  NotAllowed,
  type Outcome,
  Refused,
  type Session,
  TooMany,
  Unavailable,
  Unknown
} from "../../api/index.js"
import type { JournalUnavailable } from "../../core/index.js"
import { Recorder } from "../activity/recorder.js"
import type { Config } from "../config/index.js"
import { perform } from "../control/actions.js"
import { auditList } from "../control/audit.js"
import { version } from "../version.js"
import { namesOf } from "../views/facts.js"
import { seriesOf } from "../views/figures.js"
import { orderDetail } from "../views/order.js"
import { orderList } from "../views/orders.js"
import { overviewOf } from "../views/overview.js"
import type { BadQuestion } from "../views/paging.js"
import { preview } from "../views/previews.js"
import { liveLook, resourceDetail } from "../views/resource.js"
import { resourceList } from "../views/resources.js"
import { differenceList, leftoverList, orphanList, quarantineList } from "../views/troubles.js"
import { liveResponse } from "./live.js"
import { Sessions, type SignInAnswer } from "./sessions.js"
import { cookieName, needsToken, Visitors } from "./visitor.js"

/** A failing journal passes; a question that makes no sense is said so. */
const answered = <A, R>(effect: Effect.Effect<A, JournalUnavailable | BadQuestion, R>) =>
  Effect.catchTags(effect, {
    JournalUnavailable: (error) => new Unavailable({ message: error.message }),
    BadQuestion: (error) => new Refused({ message: error.message })
  })
const read = <A, R>(effect: Effect.Effect<A, JournalUnavailable, R>) =>
  Effect.mapError(effect, (error) => new Unavailable({ message: error.message }))

const known =
  <A>(what: string) =>
  (found: A | undefined): Effect.Effect<A, Unknown> =>
    found === undefined
      ? Effect.fail(new Unknown({ message: `Neither the journal nor the last look knows this ${what}.` }))
      : Effect.succeed(found)

const sessionNow = Effect.gen(function* () {
  const visitors = yield* Visitors
  const request = yield* HttpServerRequest.HttpServerRequest
  const visitor = Option.getOrUndefined(yield* visitors.of(request))
  const session: Session = {
    visitor: visitor === undefined ? null : { name: visitor.name, role: visitor.role, by: visitor.by },
    expires: visitor?.expires ?? null,
    tokens: needsToken(visitors.entrance),
    version
  }
  return session
})

const cookie = (secret: string, secure: boolean, maxAge: Duration.DurationInput) =>
  HttpServerResponse.setCookie(cookieName, secret, { httpOnly: true, sameSite: "strict", path: "/", secure, maxAge })

const withCookie = (session: Session, secret: string, maxAge: Duration.DurationInput) =>
  Effect.gen(function* () {
    const visitors = yield* Visitors
    const request = yield* HttpServerRequest.HttpServerRequest
    return yield* HttpServerResponse.json(session).pipe(
      Effect.flatMap(cookie(secret, visitors.isSecure(request), maxAge)),
      Effect.orDie
    )
  })

const signedIn = (answer: SignInAnswer, length: Duration.Duration) => {
  switch (answer._tag) {
    case "Wrong":
      return Effect.fail(
        new NotAllowed({ message: "This token is not valid. `site-actors token --rotate` makes a new one." })
      )
    case "TooMany":
      return Effect.fail(
        new TooMany({
          message: `Too many wrong tokens: try again in ${answer.seconds} seconds.`,
          seconds: answer.seconds
        })
      )
    case "SignedIn": {
      const { expires, role } = answer.session
      const session: Session = {
        visitor: { name: `${role} (token)`, role, by: "token" },
        expires,
        tokens: true,
        version
      }
      return withCookie(session, answer.secret, length)
    }
  }
}

const sessionLive = (config: Config) =>
  HttpApiBuilder.group(api, "session", (handlers) =>
    handlers
      .handle("current", () => sessionNow)
      .handle("signIn", ({ payload, request }) =>
        Effect.gen(function* () {
          const sessions = yield* Sessions
          const address = (yield* Visitors).addressOf(request)
          const answer = yield* read(sessions.signIn(payload.token, address))
          return yield* signedIn(answer, config.page.sessionLength)
        })
      )
      .handle("signOut", ({ request }) =>
        Effect.gen(function* () {
          const secret = request.cookies[cookieName]
          if (secret !== undefined) yield* read((yield* Sessions).end(secret))
          return yield* withCookie(yield* sessionNow, "", Duration.zero)
        })
      )
  )

const overviewLive = (config: Config, started: number) =>
  HttpApiBuilder.group(api, "overview", (handlers) =>
    handlers
      .handle("overview", () => read(overviewOf(config, started)))
      .handle("series", ({ urlParams }) =>
        read(
          Effect.flatMap(Effect.zip(Recorder, Clock.currentTimeMillis), ([recorder, now]) =>
            seriesOf(urlParams.span, now, recorder)
          )
        )
      )
  )

const ordersLive = (config: Config) =>
  HttpApiBuilder.group(api, "orders", (handlers) =>
    handlers
      .handle("list", ({ urlParams }) => answered(orderList(namesOf(config), urlParams)))
      .handle("order", ({ path }) => Effect.flatMap(read(orderDetail(config, path.order)), known("order")))
  )

const resourcesLive = (config: Config) =>
  HttpApiBuilder.group(api, "resources", (handlers) =>
    handlers
      .handle("list", ({ urlParams }) => answered(resourceList(namesOf(config), urlParams)))
      .handle("resource", ({ path }) =>
        Effect.flatMap(answered(resourceDetail(config, path.resource)), known("resource")).pipe(
          Effect.catchTag("Refused", ({ message }) => new Unavailable({ message }))
        )
      )
      .handle("look", ({ path }) => Effect.flatMap(read(liveLook(config, path.resource)), known("resource")))
  )

const troublesLive = (config: Config) =>
  HttpApiBuilder.group(api, "troubles", (handlers) =>
    handlers
      .handle("leftovers", () => read(leftoverList(namesOf(config))))
      .handle("quarantine", () => read(quarantineList(namesOf(config))))
      .handle("differences", ({ urlParams }) => answered(differenceList(namesOf(config), urlParams)))
      .handle("orphans", () => orphanList)
  )

const onlyOperators = Effect.flatMap(CurrentVisitor, (visitor) =>
  visitor.role === "operator"
    ? Effect.succeed(visitor)
    : Effect.fail(new NotAllowed({ message: "Only operators may do this: you are signed in as a viewer." }))
)

/** An action is carried to its end and into the audit, also if the browser goes away; only the agent's own end cuts it short. */
const actionsLive = (config: Config) =>
  Layer.unwrapScoped(
    Effect.map(FiberSet.make<Outcome, NotAllowed | Unavailable>(), (inWork) =>
      HttpApiBuilder.group(api, "actions", (handlers) =>
        handlers
          .handle("preview", ({ payload }) => read(preview(config, payload)))
          .handle("perform", ({ payload }) =>
            Effect.gen(function* () {
              const visitor = yield* onlyOperators
              const work = Effect.catchAll(perform(config, visitor, payload), (error) =>
                error._tag === "JournalUnavailable"
                  ? Effect.fail(new Unavailable({ message: error.message }))
                  : Effect.succeed({ ok: false, outcome: error.message })
              )
              return yield* Fiber.join(yield* FiberSet.run(inWork, work))
            })
          )
          .handle("audit", ({ urlParams }) => answered(auditList(urlParams)))
      )
    )
  )

const liveLive = HttpApiBuilder.group(api, "live", (handlers) => handlers.handleRaw("live", () => liveResponse))

/** `started`: when the process did. */
export const pageLive = (config: Config, started: number) =>
  Layer.mergeAll(
    sessionLive(config),
    overviewLive(config, started),
    ordersLive(config),
    resourcesLive(config),
    troublesLive(config),
    actionsLive(config),
    liveLive
  )

export const openApiPath = "/api/openapi.json"
let document: string | undefined
/** Made when it is first asked for: it takes 10 ms, and most starts are not asked. */
export const openApiResponse = Effect.sync(() => {
  document ??= JSON.stringify(OpenApi.fromApi(api))
  return HttpServerResponse.text(document, { contentType: "application/json" })
})

/**
 * What can be asked of the agent, typed by its own `HttpApi` (`src/api`): names and answers are the server's, at no byte of the page's
 * weight. The agent encodes every answer with the schema that these types come from, and page and agent are one package: so an answer is
 * not decoded a second time (docs/decisions/0012). What may differ is the version; `live.ts` watches that.
 */
import type * as HttpApi from "@effect/platform/HttpApi"
import type * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import type * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import type { api } from "../../api/index.js"

type GroupsOf<Api> = Api extends HttpApi.HttpApi<infer _Id, infer Groups, infer _E, infer _R> ? Groups : never
type Groups = GroupsOf<typeof api>
type Answers = {
  [Group in Groups as HttpApiGroup.HttpApiGroup.Name<Group>]: {
    [Endpoint in HttpApiGroup.HttpApiGroup.Endpoints<Group> as HttpApiEndpoint.HttpApiEndpoint.Name<Endpoint>]: HttpApiEndpoint.HttpApiEndpoint.Success<Endpoint>
  }
}
/** "orders.list" -> what it answers. */
type Flat = {
  [Group in keyof Answers & string]: {
    [Name in keyof Answers[Group] & string as `${Group}.${Name}`]: Answers[Group][Name]
  }
}[keyof Answers & string]
type Together<Union> = (Union extends unknown ? (one: Union) => void : never) extends (all: infer All) => void
  ? All
  : never
type All = Together<Flat>

/** Where each question goes. A test holds this table to the `HttpApi`. */
export const routes = {
  "session.current": "GET /api/session",
  "session.signIn": "POST /api/session",
  "session.signOut": "DELETE /api/session",
  "overview.overview": "GET /api/overview",
  "overview.series": "GET /api/series",
  "orders.list": "GET /api/orders",
  "orders.order": "GET /api/orders/:order",
  "resources.list": "GET /api/resources",
  "resources.resource": "GET /api/resources/:resource",
  "resources.look": "GET /api/resources/:resource/look",
  "troubles.leftovers": "GET /api/leftovers",
  "troubles.quarantine": "GET /api/quarantine",
  "troubles.differences": "GET /api/differences",
  "troubles.orphans": "GET /api/orphans",
  "actions.preview": "POST /api/actions/preview",
  "actions.perform": "POST /api/actions",
  "actions.audit": "GET /api/audit"
} as const satisfies Partial<Record<keyof All, string>>
export type Question = keyof typeof routes
export type Answer<Q extends Question> = All[Q]

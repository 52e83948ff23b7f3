/** Who am I, which server is this, and whose projects there are. */
import { Either } from "effect"
import { forbidden, notFound, ok } from "../answers.js"
import { pageOf } from "../lists.js"
import type { Customer, JsonObject, Project } from "../model.js"
import { seesProject } from "../permissions.js"
import { type Handler, lookUp } from "../request.js"
import { address, instant, type Origin, userView } from "../views/parts.js"
import { detailAllow, listAllow, type Route, readAllow } from "./route.js"

const me: Handler = ({ request, user }) => ok(userView(request.origin, user))

/** Staff only (recording 005). */
const version: Handler = ({ world, user }) =>
  user.isStaff
    ? ok({ version: world.behaviour.generation === "2024" ? "7.5.0" : "7.9.5", latest_version: "" })
    : forbidden

/** The settings that a client might look at; the real answer has some hundred more. */
const configuration: Handler = () =>
  ok({
    FEATURES: {},
    LANGUAGES: [["en", "English"]],
    LANGUAGE_CODE: "en",
    WALDUR_CORE: { SITE_NAME: "Waldur", CURRENCY_NAME: "EUR", AUTHENTICATION_METHODS: ["LOCAL_SIGNIN"] }
  })

const projectView = (origin: Origin, project: Project): JsonObject => ({
  url: address(origin, `projects/${project.uuid}`),
  uuid: project.uuid,
  name: project.name,
  slug: project.slug,
  description: "",
  customer: address(origin, `customers/${project.customer.uuid}`),
  customer_uuid: project.customer.uuid,
  customer_name: project.customer.name,
  start_date: project.startsAt === null ? null : instant(project.startsAt).slice(0, 10),
  end_date: null
})

const customerView = (origin: Origin, customer: Customer): JsonObject => ({
  url: address(origin, `customers/${customer.uuid}`),
  uuid: customer.uuid,
  name: customer.name,
  slug: customer.slug
})

const projects: Handler = ({ world, user, request }) =>
  pageOf(
    request,
    [...world.projects.values()].filter((project) => seesProject(user, project)),
    (project) => projectView(request.origin, project)
  )

const project: Handler = ({ world, user, request, params }) =>
  Either.flatMap(
    lookUp(world.projects, params.uuid, (one) => seesProject(user, one), notFound("Project")),
    (found) => ok(projectView(request.origin, found))
  )

const customers: Handler = ({ world, user, request }) => {
  const visible = [...world.customers.values()].filter(
    (customer) => user.isStaff || user.roles.some((role) => (role.customer ?? role.scope).uuid === customer.uuid)
  )
  return pageOf(request, visible, (customer) => customerView(request.origin, customer))
}

const get = (path: string, handler: Handler, allow: string): Route => ({ path, allow, methods: { GET: handler } })

export const userRoutes: ReadonlyArray<Route> = [
  get("users/me", me, readAllow),
  get("version", version, "OPTIONS, GET"),
  get("configuration", configuration, "OPTIONS, GET"),
  get("projects", projects, listAllow),
  get("projects/:uuid", project, detailAllow),
  get("customers", customers, listAllow)
]

/** `marketplace-offering-users/`: the accounts that members of a project have at the provider. Not recorded beyond empty lists. */
import { Either } from "effect"
import { empty, ensure, forbidden, invalid, json, notFound, type Outcome } from "../answers.js"
import { publishAccount } from "../events.js"
import { filtered, pageOf } from "../lists.js"
import type { JsonObject, OfferingUser } from "../model.js"
import { isProvider } from "../permissions.js"
import { type Context, type Handler, lookUp, readObject, text } from "../request.js"
import { makeOfferingUser } from "../seed.js"
import { address, instant, type Origin } from "../views/parts.js"
import { normaliseUuid } from "../world.js"
import { actionAllow, detailAllow, listAllow, type Route } from "./route.js"

const pending = ["Pending account linking", "Pending additional validation"]
const unmade = ["Requested", "Creating", ...pending]

interface Move {
  readonly from: ReadonlyArray<string>
  readonly to: string
}
/** By action, in the words of the published API (source: waldur-mastermind, marketplace/views.py, `OfferingUsersViewSet`; 2026). */
const moves: { readonly [action: string]: Move } = {
  begin_creating: { from: ["Requested", "Error creating"], to: "Creating" },
  set_pending_account_linking: {
    from: ["Creating", "Error creating", "Pending additional validation"],
    to: "Pending account linking"
  },
  set_pending_additional_validation: {
    from: ["Creating", "Error creating", "Pending account linking"],
    to: "Pending additional validation"
  },
  set_validation_complete: { from: pending, to: "OK" },
  set_ok: { from: [...unmade, "Error creating", "Error deleting"], to: "OK" },
  set_error_creating: { from: unmade, to: "Error creating" },
  request_deletion: { from: ["OK"], to: "Requested deletion" },
  set_deleting: { from: ["Requested deletion", "Error deleting"], to: "Deleting" },
  set_deleted: { from: ["Deleting"], to: "Deleted" },
  set_error_deleting: { from: ["Requested deletion", "Deleting"], to: "Error deleting" }
}

const view = (origin: Origin, one: OfferingUser): JsonObject => ({
  url: address(origin, `marketplace-offering-users/${one.uuid}`),
  uuid: one.uuid,
  username: one.username,
  user: address(origin, `users/${one.user.uuid}`),
  user_uuid: one.user.uuid,
  user_username: one.user.username,
  user_full_name: one.user.fullName,
  user_email: one.user.email,
  offering: address(origin, `marketplace-provider-offerings/${one.offering.uuid}`),
  offering_uuid: one.offering.uuid,
  offering_name: one.offering.name,
  customer_uuid: one.offering.customer.uuid,
  customer_name: one.offering.customer.name,
  state: one.state,
  service_provider_comment: one.comment,
  is_restricted: one.restricted,
  created: instant(one.created),
  modified: instant(one.modified)
})

/** None of an offering without the option, but to staff (source: as above, `get_allowed_offering_users_for_user`). */
const visibleTo = ({ user }: Context, one: OfferingUser) =>
  user.isStaff || (one.offering.pluginOptions[option] === true && (one.user === user || isProvider(user, one.offering)))
const option = "service_provider_can_create_offering_user"

const list: Handler = (context) =>
  Either.gen(function* () {
    const { world, request } = context
    const visible = [...world.offeringUsers.values()].filter((one) => visibleTo(context, one))
    const kept = yield* filtered(request.query, visible, {
      offering_uuid: { _tag: "Uuid", of: ({ offering }) => offering.uuid },
      user_uuid: { _tag: "Uuid", of: ({ user }) => user.uuid },
      state: { _tag: "Text", of: ({ state }) => state }
    })
    return yield* pageOf(request, kept, (one) => view(request.origin, one))
  })

const found = (context: Context): Outcome<OfferingUser> =>
  lookUp(context.world.offeringUsers, context.params.uuid, (one) => visibleTo(context, one), notFound("OfferingUser"))

/** The last segment of an address, or a bare uuid. */
const named = (value: string | undefined): string => normaliseUuid(value?.split("/").filter(Boolean).at(-1) ?? "") ?? ""

const create: Handler = ({ world, user, request }) =>
  Either.gen(function* () {
    const body = yield* readObject(request)
    const offering = world.offerings.get(named(text(body, "offering") ?? text(body, "offering_uuid")))
    const member = world.users.get(named(text(body, "user") ?? text(body, "user_uuid")))
    if (offering === undefined) return yield* invalid({ offering: ["This field is required."] })
    if (member === undefined) return yield* invalid({ user: ["This field is required."] })
    yield* ensure(isProvider(user, offering), forbidden)
    if (offering.pluginOptions[option] !== true)
      return yield* invalid({ offering: ["It is not allowed to create users for current offering."] })
    const taken = [...world.offeringUsers.values()].some((one) => one.offering === offering && one.user === member)
    if (taken) return yield* invalid({ non_field_errors: ["The fields offering, user must make a unique set."] })
    const made = makeOfferingUser(world, { offering, user: member, username: text(body, "username") ?? "" })
    return json(201, view(request.origin, made))
  })

/** A new name makes an account usable that somebody waits for, and no other one (source: waldur-mastermind, marketplace/models.py, `OfferingUser.save`). */
const patch: Handler = (context) =>
  Either.gen(function* () {
    const one = yield* found(context)
    yield* ensure(isProvider(context.user, one.offering), forbidden)
    const body = yield* readObject(context.request)
    const username = text(body, "username") ?? one.username
    if (username.length > 100)
      return yield* invalid({ username: ["Ensure this field has no more than 100 characters."] })
    const isNew = username !== one.username
    if (isNew && username !== "" && [...unmade, "Error creating"].includes(one.state)) one.state = "OK"
    one.username = username
    one.modified = context.world.now()
    if (isNew) publishAccount(context.world, one)
    return json(200, view(context.request.origin, one))
  })

/** From another state: 400, where other objects answer 409. Only where somebody is asked to do something is there a comment. */
const move =
  (action: string, { from, to }: Move): Handler =>
  (context) =>
    Either.gen(function* () {
      const one = yield* found(context)
      yield* ensure(isProvider(context.user, one.offering), forbidden)
      const body = yield* readObject(context.request)
      const refusal = `Cannot transition to ${to.toUpperCase()} from current state: ${one.state}. Valid states for operation: ${from.join(", ")}.`
      yield* ensure(from.includes(one.state), invalid({ detail: refusal }))
      one.state = to
      if (action.startsWith("set_pending")) one.comment = text(body, "comment") ?? one.comment
      one.modified = context.world.now()
      return empty(200)
    })

const comment: Handler = (context) =>
  Either.gen(function* () {
    const one = yield* found(context)
    yield* ensure(one.state !== "Deleted", forbidden)
    const body = yield* readObject(context.request)
    one.comment = text(body, "service_provider_comment") ?? one.comment
    one.modified = context.world.now()
    return json(200, { service_provider_comment: one.comment })
  })

export const memberRoutes: ReadonlyArray<Route> = [
  { path: "marketplace-offering-users", allow: listAllow, methods: { GET: list, POST: create } },
  {
    path: "marketplace-offering-users/:uuid",
    allow: detailAllow,
    methods: {
      GET: (context) => Either.map(found(context), (one) => json(200, view(context.request.origin, one))),
      PATCH: patch
    }
  },
  {
    path: "marketplace-offering-users/:uuid/update_comments",
    allow: actionAllow,
    methods: { PATCH: comment },
    since: "published"
  },
  ...Object.entries(moves).map(
    ([action, how]): Route => ({
      path: `marketplace-offering-users/:uuid/${action}`,
      allow: actionAllow,
      methods: { POST: move(action, how) },
      since: "published"
    })
  )
]

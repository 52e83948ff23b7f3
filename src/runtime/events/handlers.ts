/** What is listened to, and what each event leads to. A type without a handler has no consumer. */
import type { SqlClient } from "@effect/sql"
import { Effect, Queue, type Scope } from "effect"
import { type ObjectType, objectTypes, type WaldurEvent } from "../../waldur/index.js"
import type { Look } from "../actors/dispatch.js"
import type { OfferingConfig } from "../config/index.js"
import { Looks } from "../observation/index.js"
import type { Offering } from "../offerings/offering.js"
import type { MembersTold } from "../rounds/members.js"
import { orderEvent } from "./orders.js"
import { resourceEvents } from "./resources.js"

/** Who wants to know. */
export interface Listeners {
  /** Looks for a resource's next order. */
  readonly next: Look
  /** None: the offering's members are not synchronised. */
  readonly members: MembersTold | undefined
  /** Offer something to it, and requests to import are looked for. */
  readonly imports: Queue.Enqueue<void>
}

type Needs = Effect.Effect.Context<ReturnType<typeof orderEvent>> | Looks | SqlClient.SqlClient
export type Handler = (event: WaldurEvent) => Effect.Effect<void, never, Needs>

/** The types of events that mean something to an offering with these functions. */
export const heardTypes = ({
  membership,
  orders,
  resourceImport
}: OfferingConfig["functions"]): ReadonlyArray<ObjectType> => {
  const wanted: Readonly<Partial<Record<ObjectType, boolean>>> = {
    order: orders,
    resource: orders || membership,
    offering_resources_sync: orders || membership,
    user_role: membership,
    offering_user: membership,
    importable_resources: orders && resourceImport
  }
  return objectTypes.filter((type) => wanted[type] === true)
}

/**
 * | event | leads to |
 * |---|---|
 * | `order` | the order is read and handed to its actor (`orders.ts`) |
 * | `resource` | the resource is read, and looked at by its actor if it stands otherwise now (`resources.ts`) |
 * | `offering_resources_sync` | all resources are looked at, all members synchronised |
 * | `user_role`, `offering_user` | the members of that project, or of that person's resources, are synchronised |
 * | `importable_resources` | requests to import are looked for |
 *
 * Whatever it leads to finds the same by itself after a while: looks and rounds go on beside.
 */
export const handlersOf = (
  { functions }: OfferingConfig,
  offering: Offering,
  { imports, members, next }: Listeners
): Effect.Effect<ReadonlyArray<readonly [ObjectType, Handler]>, never, Scope.Scope | Needs> =>
  Effect.gen(function* () {
    const resource = yield* resourceEvents(offering, members)
    const told = (what: Parameters<MembersTold["told"]>[0]) => members?.told(what) ?? Effect.void
    const everything = Effect.gen(function* () {
      yield* (yield* Looks).soon(offering.id)
      yield* told({ _tag: "Everything" })
    })
    const ifSaid = (uuid: string | undefined, lead: (uuid: string) => Effect.Effect<void, never, Needs>) =>
      uuid === undefined ? Effect.void : lead(uuid)
    const handlers: Readonly<Partial<Record<ObjectType, Handler>>> = {
      order: ({ order, orderState: state }) => ifSaid(order, (uuid) => orderEvent(offering, { uuid, state }, next)),
      resource: (event) => ifSaid(event.resource, resource),
      offering_resources_sync: () => everything,
      user_role: (event) => ifSaid(event.project, (project) => told({ _tag: "Project", project })),
      offering_user: (event) => ifSaid(event.user, (person) => told({ _tag: "Person", person })),
      importable_resources: () => Effect.asVoid(Queue.offer(imports, undefined))
    }
    return heardTypes(functions).flatMap((type) => {
      const handle = handlers[type]
      return handle === undefined ? [] : [[type, handle] as const]
    })
  })

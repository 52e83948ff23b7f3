/** What is read of Waldur: single objects, and lists. */
import { Effect, Either, Option, Predicate, Schema } from "effect"
import { decodeQuickly } from "../../core/lean/quickly.js"
import { sharedByKey } from "../../core/lean/shared.js"
import {
  ComponentUsage,
  endedByOthers,
  Offering,
  OfferingUser,
  Order,
  offeringUserFields,
  orderFields,
  Plan,
  ProviderResource,
  planFields,
  QueuedOrder,
  queuedOrderFields,
  ReportedResource,
  reportedResourceFields,
  resourceFields,
  ServiceProvider,
  SshKey,
  TeamMember,
  User,
  uuidOf,
  Version
} from "../api/index.js"
import type { Call, WaldurClient } from "../client.js"
import { type WaldurError, WaldurMalformedAnswer, WaldurNotFound } from "../errors.js"
import type { Listed, OrderFilter, QueuePart, ResourceFilter } from "../shapes.js"
import { makeLists, type Query, reasonOf } from "./lists.js"

/** What its server puts behind it is there by now, if ever. */
const isMade = ({ state }: ProviderResource): boolean =>
  state === "OK" || state === "Updating" || state === "Terminating"

/** A proxy or cache that mixes answers up is rare, and an order would be undone because of another one's state. */
const isOfAnother = (found: unknown, asked: string | undefined): boolean =>
  asked !== undefined &&
  Predicate.hasProperty(found, "uuid") &&
  Option.exists(uuidOf(asked), (uuid) => uuid !== found.uuid)

const decodeResources = decodeQuickly(Schema.Array(ProviderResource))

export const makeReads = (client: WaldurClient, pageSize: number) =>
  Effect.gen(function* () {
    const all = yield* makeLists(client, pageSize)
    /** Offering -> whether its server puts something of its own behind a resource, as far as anything that was read says so. */
    const scopes = new Map<string, boolean>()
    const learnScope = (offering: string, has: boolean): void => {
      scopes.set(offering, has || scopes.get(offering) === true)
    }

    const one = <A, I>(call: Omit<Call, "method">, schema: Schema.Schema<A, I>): Effect.Effect<A, WaldurError> => {
      const decode = decodeQuickly(schema)
      const malformed = (reason: string) => new WaldurMalformedAnswer({ call: `GET ${call.path}`, reason })
      return Effect.flatMap(client.call({ ...call, method: "GET" }), (answer) =>
        Either.match(decode(answer.json), {
          onLeft: (error) => malformed(reasonOf(error)),
          onRight: (found): Effect.Effect<A, WaldurError> =>
            isOfAnother(found, call.uuid)
              ? malformed("it is about another object: something on the way mixes answers up")
              : Effect.succeed(found)
        })
      )
    }

    /** Each field that is not asked for spares the server a look, of one object as of many: a resource with all 65 of them takes 90 ms (recorded). */
    const fields = (names: ReadonlyArray<string>): Query => names.map((name) => ["field", name] as const)
    const optional = (key: string, value: string | undefined): Query => (value === undefined ? [] : [[key, value]])
    /** A state that we do not know cannot be asked for: Waldur answers 400 (recording 036). */
    const states = (wanted: ReadonlyArray<string> | undefined): Query =>
      (wanted ?? []).filter((state) => !state.startsWith("unknown:")).map((state) => ["state", state] as const)

    const offering = (uuid: string): Effect.Effect<Offering, WaldurError> =>
      one({ path: "marketplace-provider-offerings/{uuid}/", uuid }, Offering).pipe(
        Effect.catchTag("WaldurNotFound", (missing) =>
          // The error page of a proxy whose backend restarts is no verdict on the configuration.
          missing.unknownAddress ? missing : new WaldurNotFound({ ...fieldsOf(missing), disposition: "stop-offering" })
        )
      )

    const resourcesAs = <A extends { readonly uuid: string }, I>(
      filter: ResourceFilter,
      schema: Schema.Schema<A, I>,
      names: ReadonlyArray<string>
    ) =>
      all(
        {
          path: "marketplace-provider-resources/",
          query: [
            ...optional("offering_uuid", filter.offering),
            ...optional("project_uuid", filter.project),
            ...states(filter.states),
            ...fields(names)
          ]
        },
        schema
      )

    const askForScope = (offeringUuid: string): Effect.Effect<Option.Option<boolean>, WaldurError> =>
      client
        .call({
          method: "GET",
          path: "marketplace-provider-resources/",
          query: [
            ["offering_uuid", offeringUuid],
            ["state", "OK"],
            ["page_size", "10"],
            ...fields(["uuid", "state", "resource_uuid"])
          ]
        })
        .pipe(
          Effect.map(({ json }) => {
            const decoded = decodeResources(json)
            for (const { scopeUuid } of Either.getOrElse(decoded, () => []))
              learnScope(offeringUuid, Option.isSome(scopeUuid))
            return Option.fromNullable(scopes.get(offeringUuid))
          })
        )

    const plans = sharedByKey((key: string): Effect.Effect<Plan, WaldurError> => {
      const [uuid = "", ofOffering = ""] = key.split(" ")
      return one({ path: "marketplace-plans/{uuid}/", uuid, query: fields(planFields) }, Plan).pipe(
        Effect.catchTag("WaldurNotFound", (missing) =>
          ofOffering === ""
            ? missing
            : Effect.flatMap(offering(ofOffering), ({ plans }) => {
                const wanted = Option.getOrElse(uuidOf(uuid), () => uuid)
                return Effect.mapError(Effect.fromNullable(plans.find((plan) => plan.uuid === wanted)), () => missing)
              })
        )
      )
    })

    return {
      /** All pages of any other list. */
      list: all,
      version: one({ path: "version/" }, Version).pipe(
        Effect.map((answer) => answer.version),
        Effect.catchTag("WaldurForbidden", () => Effect.succeedNone)
      ),
      me: one({ path: "users/me/" }, User),
      offering,
      offerings: all({ path: "marketplace-provider-offerings/" }, Offering),
      /** Orders of one plan that begin in the same moment read it once. */
      plan: (uuid: string, ofOffering?: string): Effect.Effect<Plan, WaldurError> =>
        plans(`${uuid} ${ofOffering ?? ""}`),
      orders: (filter: OrderFilter) =>
        all(
          {
            path: "marketplace-orders/",
            query: [
              ...optional("offering_uuid", filter.offering),
              ...optional("resource_uuid", filter.resource),
              ...states(filter.states),
              ["o", "created"],
              ...fields(orderFields)
            ]
          },
          Order
        ),
      queue: (offeringUuid: string, { changedSince, pending, resource }: QueuePart = {}) =>
        all(
          {
            path: "marketplace-orders/",
            query: [
              ["offering_uuid", offeringUuid],
              ...optional("resource_uuid", resource),
              ...states(["pending-provider", ...(pending === true ? [] : ["executing"])]),
              ...(changedSince === undefined
                ? []
                : [...states(endedByOthers), ["modified", new Date(changedSince).toISOString()] as const]),
              ["o", "created"],
              ...fields(queuedOrderFields)
            ]
          },
          QueuedOrder
        ),
      order: (uuid: string) => one({ path: "marketplace-orders/{uuid}/", uuid, query: fields(orderFields) }, Order),
      /** Orders of machines in one data centre that begin in the same moment read that once. */
      resource: sharedByKey((uuid: string) => {
        const path = "marketplace-provider-resources/{uuid}/"
        return Effect.map(one({ path, uuid, query: fields(resourceFields) }, ProviderResource), (found) => {
          if (isMade(found) && Option.isSome(found.offeringUuid))
            learnScope(found.offeringUuid.value, Option.isSome(found.scopeUuid))
          return found
        })
      }),
      resources: (filter: ResourceFilter) => resourcesAs(filter, ProviderResource, resourceFields),
      reportedResources: (filter: ResourceFilter) => resourcesAs(filter, ReportedResource, reportedResourceFields),
      team: (resource: string) =>
        all({ path: "marketplace-provider-resources/{uuid}/team/", uuid: resource }, TeamMember),
      offeringUsers: (offeringUuid: string) =>
        all(
          {
            path: "marketplace-offering-users/",
            query: [["offering_uuid", offeringUuid], ...fields(offeringUserFields)]
          },
          OfferingUser
        ),
      sshKeys: (providerCustomer: string): Effect.Effect<Listed<SshKey>, WaldurError> =>
        Effect.gen(function* () {
          const providers = yield* all(
            { path: "marketplace-service-providers/", query: [["customer_uuid", providerCustomer]] },
            ServiceProvider
          )
          const lists = yield* Effect.forEach(providers.items, ({ uuid }) =>
            all({ path: "marketplace-service-providers/{uuid}/keys/", uuid }, SshKey)
          )
          return { items: lists.flatMap(({ items }) => items), malformed: lists.flatMap(({ malformed }) => malformed) }
        }),
      sshKey: (providerCustomer: string, key: string): Effect.Effect<Option.Option<SshKey>, WaldurError> =>
        Effect.gen(function* () {
          const wanted = uuidOf(key)
          const providers = yield* all(
            { path: "marketplace-service-providers/", query: [["customer_uuid", providerCustomer]] },
            ServiceProvider
          )
          for (const provider of providers.items) {
            const keys = yield* all({ path: "marketplace-service-providers/{uuid}/keys/", uuid: provider.uuid }, SshKey)
            const found = keys.items.find((candidate) => Option.contains(wanted, candidate.uuid))
            if (found !== undefined) return Option.some(found)
          }
          return Option.none()
        }),
      componentUsages: (resource: string, billingPeriod?: string) =>
        all(
          {
            path: "marketplace-component-usages/",
            query: [["resource_uuid", resource], ...optional("billing_period", billingPeriod)]
          },
          ComponentUsage
        ),
      offeringUsages: (offeringUuid: string, billingPeriod: string) =>
        all(
          {
            path: "marketplace-component-usages/",
            query: [
              ["offering_uuid", offeringUuid],
              ["billing_period", billingPeriod],
              ...fields(["uuid", "type", "usage", "resource_uuid", "billing_period"])
            ]
          },
          ComponentUsage
        ),
      /**
       * Whether the server fills `scopeUuid` for resources of this offering; none while there is none to tell by. Asked only as long as
       * nothing that was read has told.
       */
      setsScope: (offeringUuid: string): Effect.Effect<Option.Option<boolean>, WaldurError> =>
        Effect.suspend(() => {
          const known = scopes.get(offeringUuid)
          return known === undefined ? askForScope(offeringUuid) : Effect.succeedSome(known)
        })
    }
  })

const fieldsOf = ({ call, detail, unknownAddress }: WaldurNotFound) => ({ call, detail, unknownAddress })

export type Reads = Effect.Effect.Success<ReturnType<typeof makeReads>>

/** Reading: one object, or all pages of a list. */
import { Effect, HashSet, Option, ParseResult, Ref, Schema } from "effect"
import { sharedByKey } from "../core/shared.js"
import type { Answer } from "./answer.js"
import {
  ComponentUsage,
  endedByOthers,
  Offering,
  OfferingUser,
  Order,
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
} from "./api/index.js"
import type { Call, WaldurClient } from "./client.js"
import { type WaldurError, WaldurMalformedAnswer, WaldurNotFound } from "./errors.js"
import type { Listed, MalformedItem, OrderFilter, QueuePart, ResourceFilter } from "./shapes.js"

type Query = ReadonlyArray<readonly [string, string]>

/** More pages than any list here has: a server that ignores `page` would be read for ever. */
const mostPages = 2_000

/** Of one list, once its first page has said how many there are: the server writes one while another is on its way and is read. */
const pagesAtOnce = 3

/** Of all pages of a list together, in characters: 10,000 resources are some 40 MB. */
const longestList = 268_435_456

const isRecord = (u: unknown): u is Readonly<Record<string, unknown>> => typeof u === "object" && u !== null

/** Where it went wrong and why, without the value: an answer may hold what no log should. */
const reasonOf = (error: ParseResult.ParseError): string => {
  const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error)
  if (issue === undefined) return "cannot be read"
  const field = issue.path.map(String).join(".")
  return `${field === "" ? "the item" : `field ${field}`} ${issue._tag === "Missing" ? "is missing" : "has an unexpected value"}`
}

interface Page {
  /** Items so far, and on this page. */
  readonly seen: number
  readonly size: number
  /** Whether there was anything on it that no page before had. */
  readonly isNew: boolean
  readonly pageSize: number
}

const namesNext = (link: string): boolean => /rel="?next"?/.test(link)

/**
 * Whether more pages follow: by `Link`, else by `X-Result-Count` (recordings 198 and 199), else by a full page. Some lists have no pages,
 * such as a team (recording 085): they answer with all, and again with all.
 */
const hasNext = (answer: Answer, { seen, size, isNew, pageSize }: Page): boolean =>
  Option.match(answer.header("link"), {
    onSome: namesNext,
    onNone: () =>
      Option.match(answer.header("x-result-count"), {
        onSome: (count) => size > 0 && seen < Number(count),
        onNone: () => size === pageSize && isNew
      })
  })

const saysNext = (answer: Answer): boolean => Option.exists(answer.header("link"), namesNext)

/** One page, read. */
interface Read<A> {
  readonly answer: Answer
  /** Items on it, also those that cannot be read. */
  readonly size: number
  readonly items: ReadonlyArray<A>
}

/** How many pages the first says that there are; 0 if it does not say, or gives no `Link` by which to see where the list ends. */
const pagesSaid = ({ answer, size }: Read<unknown>): number => {
  const count = Number(Option.getOrElse(answer.header("x-result-count"), () => ""))
  return saysNext(answer) && size > 0 && Number.isInteger(count) ? Math.min(Math.ceil(count / size), mostPages) : 0
}

/** What its server puts behind it is there by now, if ever. */
const isMade = ({ state }: ProviderResource): boolean =>
  state === "OK" || state === "Updating" || state === "Terminating"

export const makeReads = (client: WaldurClient, pageSize: number) =>
  Effect.gen(function* () {
    const reported = yield* Ref.make(HashSet.empty<string>())
    /** Offering -> whether its server puts something of its own behind a resource, as far as anything that was read says so. */
    const scopes = new Map<string, boolean>()
    const learnScope = (offering: string, has: boolean): void => {
      scopes.set(offering, has || scopes.get(offering) === true)
    }

    const one = <A, I>(call: Omit<Call, "method">, schema: Schema.Schema<A, I>): Effect.Effect<A, WaldurError> => {
      const decode = Schema.decodeUnknown(schema)
      return Effect.flatMap(client.call({ ...call, method: "GET" }), (answer) =>
        Effect.mapError(
          decode(answer.json),
          (error) => new WaldurMalformedAnswer({ call: `GET ${call.path}`, reason: reasonOf(error) })
        )
      )
    }

    /** Once for each, not at every poll. */
    const report = (path: string, item: MalformedItem) => {
      const key = `${path} ${Option.getOrElse(item.uuid, () => "")} ${item.reason}`
      return Effect.flatMap(
        Ref.modify(reported, (seen) =>
          HashSet.has(seen, key) || HashSet.size(seen) > 1_000 ? [false, seen] : [true, HashSet.add(seen, key)]
        ),
        (isNew) =>
          Effect.when(
            Effect.logWarning("Waldur listed something that cannot be read; it is skipped").pipe(
              Effect.annotateLogs({ path, uuid: Option.getOrElse(item.uuid, () => "unknown"), reason: item.reason })
            ),
            () => isNew
          )
      )
    }

    const all = <A extends { readonly uuid: string }, I>(
      call: { readonly path: `${string}/`; readonly uuid?: string; readonly query?: Query },
      schema: Schema.Schema<A, I>
    ): Effect.Effect<Listed<A>, WaldurError> => {
      const decode = Schema.decodeUnknownEither(schema)
      const items = new Map<string, A>()
      const malformed: Array<MalformedItem> = []
      const malformedAnswer = (reason: string) => new WaldurMalformedAnswer({ call: `GET ${call.path}`, reason })
      let length = 0

      const readItems = (raws: ReadonlyArray<unknown>): Effect.Effect<ReadonlyArray<A>> => {
        const read: Array<A> = []
        const unread: Array<MalformedItem> = []
        for (const raw of raws) {
          const decoded = decode(raw)
          if (decoded._tag === "Right") read.push(decoded.right)
          else {
            const uuid = isRecord(raw) && typeof raw.uuid === "string" ? uuidOf(raw.uuid) : Option.none<string>()
            unread.push({ uuid, reason: reasonOf(decoded.left) })
          }
        }
        for (const item of unread) malformed.push(item)
        return Effect.as(
          Effect.forEach(unread, (item) => report(call.path, item), { discard: true }),
          read
        )
      }

      /** None after the last: items left the list while it was read, and with them its last page (recording 200). */
      const read = (page: number): Effect.Effect<Option.Option<Read<A>>, WaldurError> =>
        Effect.gen(function* () {
          if (page > mostPages) return yield* malformedAnswer(`more than ${mostPages} pages`)
          const query: Query = [...(call.query ?? []), ["page_size", String(pageSize)], ["page", String(page)]]
          const answer = yield* client
            .call({ ...call, method: "GET", query })
            .pipe(Effect.catchTag("WaldurNotFound", (gone) => (page > 1 ? Effect.succeedNone : gone)))
          if ("_tag" in answer) return Option.none()
          const { json } = answer
          if (!Array.isArray(json)) return yield* malformedAnswer("not a list")
          length += answer.length
          if (length > longestList) return yield* malformedAnswer(`a list of more than ${longestList} bytes`)
          return Option.some({ answer, size: json.length, items: yield* readItems(json) })
        })

      /** Whether it had anything that no page before had. The same may stand on two pages if the list grew in between; what was read last is the newest. */
      const keep = (read: Read<A>): boolean => {
        const before = items.size
        for (const item of read.items) items.set(item.uuid, item)
        return items.size > before
      }

      const from = (page: number, before: number): Effect.Effect<void, WaldurError> =>
        Effect.gen(function* () {
          const found = yield* read(page)
          if (Option.isNone(found)) return
          const { answer, size } = found.value
          const isNew = keep(found.value)
          const total = before + size
          if (!hasNext(answer, { seen: total, size, isNew, pageSize })) return
          const said = page === 1 ? pagesSaid(found.value) : 0
          if (said < 3) return yield* from(page + 1, total)
          const others = yield* together(said)
          const last = others.at(-1)
          const seen = others.reduce((sum, other) => sum + other.size, total)
          if (last !== undefined && others.length === said - 1 && saysNext(last.answer)) yield* from(said + 1, seen)
        })

      /** Pages 2 to `last`, some at once; fewer if the list ends before. */
      const together = (last: number): Effect.Effect<ReadonlyArray<Read<A>>, WaldurError> =>
        Effect.gen(function* () {
          let over = false
          const found = yield* Effect.forEach(
            Array.from({ length: last - 1 }, (_, index) => index + 2),
            (page) =>
              Effect.suspend(() => (over ? Effect.succeedNone : read(page))).pipe(
                Effect.tap((some) =>
                  Effect.sync(() => {
                    over ||= Option.isNone(some) || !saysNext(some.value.answer)
                  })
                )
              ),
            { concurrency: pagesAtOnce }
          )
          const others = found.flatMap(Option.toArray)
          for (const other of others) keep(other)
          return others
        })

      return Effect.map(from(1, 0), () => ({ items: [...items.values()], malformed }))
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
            const decoded = Schema.decodeUnknownOption(Schema.Array(ProviderResource))(json)
            for (const { scopeUuid } of Option.getOrElse(decoded, () => []))
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
        all({ path: "marketplace-offering-users/", query: [["offering_uuid", offeringUuid]] }, OfferingUser),
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

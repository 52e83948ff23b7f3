/** What the handlers of one offering work with, and small manners that they share. */
import { Cause, Duration, Effect, Either, Option, Schedule } from "effect"
import type { KeycloakService } from "../../keycloak/index.js"
import {
  type InternalRefusal,
  type NameTaken,
  type OpenNebulaService,
  ownerOf,
  ownerTags,
  projectTags,
  type Template,
  type VirtualRouter,
  type VmShort,
  type VmWatcher
} from "../../opennebula/index.js"
import type { Amounts, Component, KnownResource, OrderRequest } from "../../plugin/index.js"
import {
  makerOf,
  OfferingFault,
  OrderRefused,
  ownMark,
  type ResourceId,
  RivalAtWork,
  type SiteError,
  upToSteadily
} from "../../plugin/index.js"
import { asTheirVdcsSay, othersGroups, ownerResource } from "../groups.js"
import { isLocked, lockedRefusal } from "../locks.js"
import type { MappingFile } from "./mapping-file.js"
import type { VdcSettings } from "./settings.js"

export interface Cloud {
  readonly one: OpenNebulaService
  readonly settings: VdcSettings
  readonly components: ReadonlyArray<Component>
  /** Where the offering's members are known by Keycloak. */
  readonly keycloak?: KeycloakService | undefined
  /** Where logins by it find their groups. */
  readonly mapping?: MappingFile | undefined
  /** Waits for VMs, with the poller that all waits share. */
  readonly watch: VmWatcher["watch"]
}

type Ordered = Pick<OrderRequest, "order" | "resource">

/** What Waldur is told as the resource's limits: components billed by limit. For others a limit has no meaning, and can do harm. */
export const limitsToReport = (cloud: Cloud, amounts: Amounts): Amounts =>
  Object.fromEntries(
    Object.entries(amounts).filter(([type]) =>
      cloud.components.some((component) => component.type === type && component.accountingType === "limit")
    )
  )

/** How the agent knows its objects again. The project is for people, and for what is imported from such a group. */
export const tagsOf = (request: Ordered): Effect.Effect<Template> =>
  Effect.map(ownMark, (mark) => [
    ...ownerTags({ resource: request.resource.id, order: request.order, mark }),
    ...projectTags(request.resource.project)
  ])

export const isTaggedFor = (resource: ResourceId, object: { readonly template: Template }): boolean =>
  ownerResource(object) === resource
export const isUntagged = (object: { readonly template: Template }): boolean => ownerResource(object) === undefined

/**
 * All groups, to find the resource's among them. Where that one does not say itself that it is the resource's, its VDC is asked: one read more, and only
 * then.
 */
export const groupsFor = ({ one }: Pick<Cloud, "one">, resources: ReadonlyArray<KnownResource>) =>
  Effect.flatMap(one.group.list(), (groups) => {
    const said = new Set(
      groups.flatMap((group) => [group.id, group.name].map((known) => `${ownerResource(group)} ${known}`))
    )
    return resources.every(({ backendId, id }) => said.has(`${id} ${backendId.trim()}`))
      ? Effect.succeed(groups)
      : Effect.map(one.vdc.list(), (vdcs) => asTheirVdcsSay(groups, vdcs))
  })

/** Has somebody else's object this id by now, as after OpenNebula was put back from a backup? One that is gone is nobody's. */
export const isOthers = <E extends SiteError>(
  resource: ResourceId,
  info: Effect.Effect<{ readonly template: Template }, E>
): Effect.Effect<boolean, E> =>
  Effect.catchIf(
    Effect.map(info, (object) => !isTaggedFor(resource, object)),
    (error) => error._tag === "NoSuchObject",
    () => Effect.succeed(false)
  )

/** Without those in another resource's group: tenants write tags into what is theirs. Groups are only read if there is one. */
export const notInOthersGroups = <A extends { readonly gid?: number }>(
  { one }: Cloud,
  resource: ResourceId,
  objects: ReadonlyArray<A>
): Effect.Effect<ReadonlyArray<A>, SiteError> =>
  Effect.gen(function* () {
    if (objects.every(({ gid }) => gid === undefined)) return objects
    const [groups, vdcs] = yield* Effect.all([one.group.list(), one.vdc.list()], { concurrency: 2 })
    const others = othersGroups(asTheirVdcsSay(groups, vdcs), resource)
    return objects.filter(({ gid }) => gid === undefined || !others.has(gid))
  })

export interface Pooled {
  readonly id: number
  readonly name: string
  readonly template: Template
  /** Absent: only an administrator makes such objects. */
  readonly uid?: number
  readonly gid?: number
}

/**
 * The resource's own object among these, if it is there. Fails if another agent has made one for this very order. A tenant may write such tags into what
 * is its own: unless it has a mark of this order's attempts, which nobody knows before it is made, that is nobody's.
 */
export const ownAmong = <A extends Pooled>(
  cloud: Cloud,
  { order, resource }: Ordered,
  what: string,
  objects: ReadonlyArray<A>
): Effect.Effect<Option.Option<A>, SiteError> =>
  Effect.gen(function* () {
    const tagged = objects.filter((object) => isTaggedFor(resource.id, object))
    const marked = yield* Effect.forEach(tagged, (object) => {
      const owner = Option.getOrUndefined(ownerOf(object.template))
      return Effect.map(makerOf(Option.fromNullable(owner?.mark)), (maker) => ({
        object,
        isMarked: owner?.mark !== undefined && maker === "this step",
        isOwn: owner?.order !== order || maker === "this step"
      }))
    })
    const made = marked.find(({ isMarked }) => isMarked)
    if (made !== undefined) return Option.some(made.object)
    if (marked.length === 0) return Option.none()
    const agent = yield* cloud.one.user.info(-1)
    const possible = yield* notInOthersGroups(
      cloud,
      resource.id,
      marked.map(({ object }) => object)
    )
    const ofAgent = marked
      .filter(({ object: { uid = agent.id } }) => uid === agent.id)
      .filter(({ object }) => possible.includes(object))
    const own = ofAgent.find(({ isOwn }) => isOwn)
    if (own !== undefined) return Option.some(own.object)
    const [other] = ofAgent
    if (other === undefined) return Option.none()
    return yield* new RivalAtWork({ what: `${what} ${other.object.id} (${other.object.name})` })
  })

/** Its id. */
export const ownIn = <E extends SiteError>(
  cloud: Cloud,
  request: Ordered,
  what: string,
  pool: Effect.Effect<ReadonlyArray<Pooled>, E>
): Effect.Effect<Option.Option<number>, SiteError> =>
  Effect.flatMap(pool, (objects) =>
    Effect.map(
      ownAmong(cloud, request, what, objects),
      Option.map((object) => object.id)
    )
  )

/**
 * An allocate whose name may be taken: by ourselves, if an earlier attempt's call came through after we had looked; else by somebody
 * else, whose object is left alone.
 */
export const unlessTaken = <A, E extends SiteError, E2 extends SiteError, R = never>(
  what: string,
  name: string,
  allocate: Effect.Effect<A, E | NameTaken>,
  find: Effect.Effect<Option.Option<A>, E2, R>
): Effect.Effect<A, E | NameTaken | E2 | OrderRefused, R> =>
  Effect.catchIf(
    allocate,
    (error): error is NameTaken => error._tag === "NameTaken",
    (error) =>
      Effect.flatMap(
        find,
        Option.match({
          onSome: (own) => Effect.succeed(own),
          onNone: () =>
            new OrderRefused({
              customerMessage: `The cloud already has a ${what} named "${name}": choose another name and order again.`,
              detail: error.message
            })
        })
      )
  )

/** A removal that is content when there is nothing (any more) to remove. */
export const gone = <A, E extends SiteError, R>(removal: Effect.Effect<A, E, R>): Effect.Effect<void, E, R> =>
  Effect.catchIf(
    Effect.asVoid(removal),
    (error) => error._tag === "NoSuchObject",
    () => Effect.void
  )

/** Not waited for. `what`: "network 12". */
export const unlessLocked =
  (what: string) =>
  <A, E extends SiteError, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E | OrderRefused, R> =>
    Effect.catchIf(work, isLocked, () => lockedRefusal(what))

/** For calls that OpenNebula refuses (0x2000) when all is as asked already: the state decides, not the message. */
export const unlessAlready = <E extends SiteError, E2 extends SiteError>(
  call: Effect.Effect<void, E | InternalRefusal>,
  already: Effect.Effect<boolean, E2>
): Effect.Effect<void, E | InternalRefusal | E2> =>
  Effect.catchIf(
    call,
    (error): error is InternalRefusal => error._tag === "InternalRefusal",
    (error) => Effect.flatMap(already, (is) => (is ? Effect.void : Effect.fail(error)))
  )

/**
 * Both at once, and both to their end. When one fails, the other is not interrupted: a call in flight might be carried out after its
 * undo has looked for what it made. So nothing slow in here.
 */
export const both = <A, E1, R1, B, E2, R2>(
  one: Effect.Effect<A, E1, R1>,
  other: Effect.Effect<B, E2, R2>
): Effect.Effect<readonly [A, B], E1 | E2, R1 | R2> =>
  Effect.flatMap(
    Effect.all([Effect.either(one), Effect.either(other)], { concurrency: "unbounded" }),
    ([first, second]) => {
      if (Either.isLeft(first)) {
        const cause: Cause.Cause<E1 | E2> = Cause.fail(first.left)
        return Effect.failCause(Either.isLeft(second) ? Cause.parallel(cause, Cause.fail(second.left)) : cause)
      }
      return Either.isLeft(second) ? Effect.fail(second.left) : Effect.succeed([first.right, second.right] as const)
    }
  )

/** All of them, like `both`. */
export const every = <E, R>(effects: ReadonlyArray<Effect.Effect<unknown, E, R>>): Effect.Effect<void, E, R> =>
  effects.reduce<Effect.Effect<void, E, R>>((all, effect) => Effect.asVoid(both(all, effect)), Effect.void)

/** Quick at first, every 2 s in the end, with some jitter: for what OpenNebula finishes after the call. */
export const untilDeadline = (seconds: number) =>
  Schedule.exponential(Duration.millis(10), 1.5).pipe(
    Schedule.union(Schedule.spaced(Duration.seconds(2))),
    Schedule.jittered,
    upToSteadily(Duration.seconds(seconds))
  )

export const configurationFault = (reason: string, hint: string): OfferingFault => new OfferingFault({ reason, hint })

/** Is a machine or a router in one of these networks? */
export const isIn = ({ nics }: Pick<VmShort | VirtualRouter, "nics">, networks: ReadonlyArray<number>): boolean =>
  nics.some(({ networkId }) => Option.exists(networkId, (id) => networks.includes(id)))

/** "a, b and 3 more", for sentences. */
export const namesOf = (names: ReadonlyArray<string>, shown = 5): string =>
  names.length <= shown ? names.join(", ") : `${names.slice(0, shown).join(", ")} and ${names.length - shown} more`

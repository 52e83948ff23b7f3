/**
 * People as OpenNebula's own users. An account carries its person's uuid in its template, and its name stands in Waldur as the name that
 * the offering gave this person; what carries no such tag is somebody else's, and is left alone.
 *
 * A user may edit its own template (OpenNebula 7.4), so the tag alone proves nothing: an account that is not called as the person's is not believed.
 */
import { randomBytes } from "node:crypto"
import { Effect, Option, Redacted, Schedule } from "effect"
import { type GroupShort, type OpenNebulaService, single, type User, valueOf } from "../../../opennebula/index.js"
import { accountName } from "../../../opennebula/naming.js"
import { OrderRefused, type SiteError } from "../../../plugin/index.js"
import { makeTurns } from "../../turns.js"
import { gone, isUntagged } from "../cloud.js"
import { firstTenantGroup } from "../own-group.js"

const personTag = "WALDUR_USER_UUID"
const keysAttribute = "SSH_PUBLIC_KEY"
/** The keys that the agent wrote last: so that keys which somebody put there by hand stay. */
const ownKeys = "WALDUR_SSH_PUBLIC_KEY"
/** `users`: where OpenNebula puts whoever has no group. */
const defaultGroup = 1

/** The person that an account belongs to, as it says itself. */
export const personOf = ({ template }: Pick<User, "template">): Option.Option<string> => valueOf(template, personTag)

/** From the operating system's generator: Effect's `Random` is not made for secrets. */
export const newPassword = Effect.sync(() => Redacted.make(randomBytes(18).toString("base64url")))

interface Person {
  readonly id: string
  readonly username: string
  /** The name that the offering gave this person; empty if none yet. */
  readonly account: string
}

const endingOf = ({ id }: Person): string => id.slice(0, 8)

/** Those that `freeName` gives. */
const namesOf = (person: Person): ReadonlyArray<string> => [
  `user-${endingOf(person)}`,
  ...[person.account, person.username]
    .map(accountName)
    .filter((name) => name !== "")
    .flatMap((name) => [name, `${name}-${endingOf(person)}`])
]

/**
 * Is this the person's account? It has to say so, and to be called so: by Waldur, or as long as that does not know the name, as the agent calls an
 * account of this person. Else whoever writes another's uuid into their own template would have that one's access.
 */
export const isAccountOf = (user: User, person: Person, accounts: ReadonlyMap<string, string>): boolean => {
  const known = accounts.get(user.name)
  return (
    Option.contains(personOf(user), person.id) &&
    (known === undefined ? namesOf(person).includes(user.name) : known === person.id)
  )
}

/** A name that nobody else has: the person's own, or with a piece of their uuid. */
export const freeName = (users: ReadonlyArray<User>, person: Person, group: number): string => {
  const wanted = accountName(person.account === "" ? person.username : person.account)
  const taken = (name: string) => users.some((user) => user.name === name && !isHalfMade(user, person.id, group))
  const ending = endingOf(person)
  if (wanted === "") return `user-${ending}`
  return taken(wanted) ? `${wanted}-${ending}` : wanted
}

/** As they stand in an account: one a line, in an order that does not change. */
export const keysText = (keys: ReadonlyArray<string> | undefined): string =>
  (keys ?? [])
    .map((key) => key.trim())
    .toSorted()
    .join("\n")
const keyAttributes = (keys: string) => [single(keysAttribute, keys), single(ownKeys, keys)]

export interface NewAccount {
  readonly name: string
  /** As `keysText` has them. */
  readonly keys: string
  readonly person: string
  readonly group: number
  readonly driver: string
}

/**
 * Makes the account, with a password that nobody knows. `one.user.allocate` takes no template, so for one call's time the user is there
 * without its tag; it is known then by its name and its primary group, which is ours: nobody but an administrator can put a user there.
 */
export const makeAccount = (one: OpenNebulaService, { name, person, group, driver, keys }: NewAccount) =>
  Effect.gen(function* () {
    const password = yield* newPassword
    const id = yield* one.user.allocate({ name, password, driver, groups: [group] }).pipe(
      Effect.catchTag("NameTaken", (taken) =>
        Effect.flatMap(one.user.list(), (users) => {
          const half = users.find((user) => user.name === name && isHalfMade(user, person, group))
          return half === undefined
            ? new OrderRefused({
                customerMessage: `The account ${name} belongs to somebody else.`,
                detail: taken.message
              })
            : Effect.succeed(half.id)
        })
      )
    )
    yield* one.user.append(id, [single(personTag, person), ...(keys === "" ? [] : keyAttributes(keys))])
    return id
  })

/** Left by an attempt that broke off between the two calls, or made by it in full. */
export const isHalfMade = (user: User, person: string, group: number): boolean =>
  user.gid === group && isUntagged(user) && Option.getOrElse(personOf(user), () => person) === person

const turns = makeTurns()

/**
 * One change of a person's groups at a time: somebody who is in several data centres is moved from one to the next when they end together,
 * and each move depends on where the others have left them.
 */
const inTurn = ({ endpoint }: OpenNebulaService, userId: number) => turns(`${endpoint} ${userId}`)

/** Into the group; the first group of somebody who has no other tenant is the primary one. */
export const enterGroup = (one: OpenNebulaService, userId: number, groupId: number) =>
  Effect.gen(function* () {
    const user = yield* one.user.info(userId)
    if (!user.groups.includes(groupId)) {
      yield* user.gid < firstTenantGroup ? one.user.chgrp(userId, groupId) : one.user.addGroup(userId, groupId)
    }
    if (!user.enabled) yield* one.user.enable(userId, true)
  }).pipe(inTurn(one, userId))

/** How often somebody is looked at again who is moved by others meanwhile. */
const looksAgain = 4

/** Somebody else has moved the account, or ended the group that it was to move to (recordings 348, 351, 352): a look tells where it is now. */
const isMoved = ({ _tag }: SiteError): boolean => _tag === "ActionRefused" || _tag === "NoSuchObject"

/**
 * Out of the group. Whoever has no other tenant is disabled, and before it is moved: in the group `users` everybody may start machines.
 * What they own stays with them.
 */
export const leaveGroup = (
  one: OpenNebulaService,
  group: Pick<GroupShort, "id">,
  userId: number
): Effect.Effect<void, SiteError> => {
  /** Whether the account was in the group. */
  const leave = Effect.gen(function* () {
    const user = yield* one.user.info(userId)
    const others = user.groups.filter((id) => id !== group.id && id >= firstTenantGroup)
    if (others.length === 0 && user.enabled) yield* one.user.enable(userId, false)
    yield* setAdmin(one, group, userId, false)
    if (user.gid === group.id) yield* one.user.chgrp(userId, others[0] ?? defaultGroup)
    else if (user.groups.includes(group.id)) yield* one.user.deleteGroup(userId, group.id)
    else return false
    return true
  })
  // Other processes end data centres too: where the account is now decides, not what an answer or a refusal says.
  return leave.pipe(
    Effect.retry({ while: isMoved, schedule: Schedule.spaced("100 millis"), times: looksAgain }),
    Effect.repeat({ while: (wasIn) => wasIn, times: looksAgain }),
    gone,
    inTurn(one, userId)
  )
}

/** Fails with GroupsManagedByDriver if one of them cannot leave: one of each driver is asked about, but for OpenNebula's own. */
export const canAllLeave = (one: OpenNebulaService, users: ReadonlyArray<User>): Effect.Effect<void, SiteError> =>
  Effect.forEach(
    new Map(users.map((user) => [user.authDriver, user])),
    ([driver, user]) => (driver === "core" ? Effect.void : gone(one.user.requireGroupsByHand(user))),
    { concurrency: "unbounded", discard: true }
  )

/** OpenNebula refuses (0x2000) what is so already, so the group is looked at first. */
export const setAdmin = (
  one: OpenNebulaService,
  group: Pick<GroupShort, "id">,
  userId: number,
  wanted: boolean
): Effect.Effect<void, SiteError> =>
  Effect.flatMap(one.group.info(group.id), ({ admins }) => {
    if (admins.includes(userId) === wanted) return Effect.void
    return wanted ? one.group.addAdmin(group.id, userId) : one.group.deleteAdmin(group.id, userId)
  })

/** The keys that an account should get; `undefined` if they are right, unknown, or somebody has put others there by hand. */
export const keysToSet = (user: User, keys: ReadonlyArray<string> | undefined): string | undefined => {
  if (keys === undefined) return undefined
  const wanted = keysText(keys)
  const [now, ours] = [keysAttribute, ownKeys].map((name) => Option.getOrElse(valueOf(user.template, name), () => ""))
  return now === wanted || (now !== "" && now !== ours) ? undefined : wanted
}
export const setKeys = (one: OpenNebulaService, userId: number, keys: string) =>
  one.user.append(userId, keyAttributes(keys))

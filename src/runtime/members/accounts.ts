/**
 * The accounts that Waldur keeps at an offering for people (offering users): what they say of who has access, and what Waldur is told of them. What
 * it cannot be told now it is told in the next round.
 */
import { Effect, Option } from "effect"
import type { AccessPlan, SiteError } from "../../core/index.js"
import type { OfferingUser, WaldurService } from "../../waldur/index.js"

/** Person's uuid -> the account that the offering has for them. */
export type People = ReadonlyMap<string, OfferingUser>

/** Of several for one person, which should not be, the first. */
export const peopleIn = (users: ReadonlyArray<OfferingUser>): People =>
  new Map(
    users
      .toReversed()
      .flatMap((user) => Option.match(user.userUuid, { onNone: () => [], onSome: (id) => [[id, user]] }))
  )

/** What there is to tell of one resource's members. */
export interface Telling {
  readonly waldur: WaldurService
  readonly plan: AccessPlan
  readonly people: People
}

/**
 * Waldur wants an account gone when its person's last role has ended, where the offering has `offering_user_auto_deletion`, or when somebody asks for
 * it. The agent claims it first: refused if the person came back. From then on the person counts as gone, and once a whole round has left nobody
 * where they should not be, Waldur hears so. (Source: waldur-site-agent, docs/offering-users.md, 2026; its 1.0.7 leaves such accounts as they are.)
 */
export const tellLeaving = ({ waldur }: Pick<Telling, "waldur">, leaving: ReadonlyArray<OfferingUser>) =>
  Effect.forEach(
    leaving,
    ({ state, uuid }) =>
      quietly(waldur.setOfferingUserState(uuid, isRequested(state) ? "set_deleting" : "set_deleted")),
    { discard: true }
  )

const isRequested = (state: string): boolean => state === "Requested deletion" || state === "Error deleting"

/** Does Waldur want it gone? */
export const isLeaving = ({ state }: OfferingUser): boolean => isRequested(state) || state === "Deleting"

/** Who has no access, whatever team they are in: whom the provider has restricted, and whose account is being removed or is gone. */
export const isBarred = ({ restricted, state }: OfferingUser): boolean =>
  restricted || state === "Deleting" || state === "Deleted"

const quietly = (told: Effect.Effect<unknown, SiteError>): Effect.Effect<void> =>
  Effect.catchAll(Effect.asVoid(told), (error) => Effect.logWarning(`Waldur does not know yet: ${error.message}`))

/** Whoever waits for an account hears that it is being made. */
export const announce = ({ waldur, plan, people }: Telling): Effect.Effect<void> =>
  Effect.forEach(
    [...plan.accounts.keys()].flatMap((person) => people.get(person) ?? []),
    ({ uuid, state }) =>
      Effect.when(quietly(waldur.setOfferingUserState(uuid, "begin_creating")), () => state === "Requested"),
    { discard: true }
  )

/** Accounts whose name Waldur does not have yet; or has, from before its person came back, and still waits for. */
export const newNames = ({
  plan,
  people
}: Telling): ReadonlyArray<{ readonly account: OfferingUser; readonly name: string }> =>
  [...plan.accounts].flatMap(([person, name]) => {
    const account = people.get(person)
    const isKnown = account?.username === name && !isAwaited(account.state)
    return account === undefined || isKnown ? [] : [{ account, name }]
  })

const isAwaited = (state: string): boolean => ["Requested", "Creating", "Error creating"].includes(state)

/** Accounts that somebody waits for and that cannot be made, and why. */
export const untoldProblems = ({ plan, people }: Telling) =>
  plan.problems.flatMap(({ member, reason }) => {
    const account = people.get(member)
    return account !== undefined && ["Requested", "Creating"].includes(account.state) ? [{ account, reason }] : []
  })

/** The names of accounts, and for whom there is none, why. */
export const tellWaldur = (work: Telling, failed: ReadonlySet<string>): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { waldur } = work
    for (const { account, name } of newNames(work)) {
      if (failed.has(name)) continue
      yield* quietly(
        account.username === name
          ? waldur.setOfferingUserState(account.uuid, "set_ok")
          : waldur.setOfferingUsername(account.uuid, name)
      )
    }
    for (const { account, reason } of untoldProblems(work)) {
      yield* quietly(waldur.setOfferingUserState(account.uuid, "set_error_creating", reason))
    }
  })

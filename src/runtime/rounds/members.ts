/**
 * Members are synchronised again and again, for as long as the offering is open; what one round could not do, the next one does. In between
 * Waldur tells of changes (`told`): then those resources are synchronised at once; so is a new one, as soon as its order is done.
 *
 * A round only looks, at all resources together; what has to be done for one of them its actor does, between two orders.
 */
import { Array, Cause, type Duration, Effect, Fiber, FiberMap, Option, type Scope } from "effect"
import type { ResourceId } from "../../core/index.js"
import type { ProviderResource } from "../../waldur/index.js"
import { Actors } from "../actors/actors.js"
import { makeGathering } from "../gathering.js"
import { tellLeaving } from "../members/accounts.js"
import { MemberCalls } from "../members/calls.js"
import type { Only } from "../members/compare.js"
import type { TeamReport } from "../members/report.js"
import { lookAtMembers } from "../members/sync.js"
import { countedRound } from "../metrics/index.js"
import { isSettled } from "../observation/index.js"
import type { Offering } from "../offerings/offering.js"
import { memberBurst, memberPatience, memberRound, memberTries } from "../schedules.js"

/** Something about members, as Waldur tells it. Uuids as Waldur writes them. */
export type Told =
  | { readonly _tag: "Project"; readonly project: string }
  | { readonly _tag: "Resource"; readonly resource: string }
  /** The account that the offering has for somebody. */
  | { readonly _tag: "Person"; readonly person: string }
  | { readonly _tag: "Everything" }

export interface MembersTold {
  /** Completes when it has been synchronised, or is left to the next round. */
  readonly told: (what: Told) => Effect.Effect<void>
  /** The same, if the resource is new or was opened or closed to its team since it was last synchronised. */
  readonly resource: (resource: ProviderResource) => Effect.Effect<void>
  /** The same of a resource whose order was done: Waldur tells of none that was made (source: waldur-mastermind, marketplace_site_agent/handlers.py). */
  readonly done: (resource: ResourceId) => Effect.Effect<void>
}

/** The rounds end with the scope. */
export const keepMembers = (
  offering: Offering,
  interval: Duration.DurationInput
): Effect.Effect<MembersTold, never, Scope.Scope | Actors | MemberCalls> =>
  Effect.gen(function* () {
    const actor = yield* Actors
    const inWork = yield* FiberMap.make<ResourceId, Option.Option<TeamReport>>()
    const oneAtATime = yield* Effect.makeSemaphore(1)
    /** The teams as they were read last. */
    const known = new Map<string, Pick<TeamReport, "team" | "restricted">>()

    const noted = (report: TeamReport) => {
      const { resource, team, restricted, failure } = report
      if (failure === "") known.set(resource, { team, restricted })
      return logged(report)
    }
    /** By its actor, when that has time. An order that takes long holds up this resource alone. */
    const synchronisedOne = (resource: ResourceId) =>
      Effect.gen(function* () {
        const running = yield* FiberMap.has(inWork, resource)
        if (running) return false
        const fiber = yield* FiberMap.run(
          inWork,
          resource,
          Effect.tap(
            actor(resource).syncMembers({ offering: offering.id }),
            Option.match({ onNone: () => Effect.void, onSome: noted })
          )
        )
        const report = yield* Effect.timeoutOption(Fiber.join(fiber), memberPatience)
        // Without a report it has gone, or something stood in the way and was logged.
        return Option.exists(report, Option.exists(isSettledNow))
      }).pipe(
        Effect.catchAllCause((cause) =>
          Cause.isInterruptedOnly(cause)
            ? Effect.interrupt
            : Effect.as(Effect.logWarning(`Members of ${resource} are left to the next round`, cause), false)
        )
      )
    const synchronised = (only: Only | undefined) =>
      Effect.gen(function* () {
        const seen = yield* countedRound(offering.id, "membership")(lookAtMembers(offering, only))
        const [due, reports] = Array.separate(seen.resources)
        yield* Effect.forEach(reports, noted, { discard: true })
        // One after another: somebody who is in several teams gets an account once.
        const settled = yield* Effect.forEach(due, synchronisedOne)
        const done = reports.every(isSettledNow) && settled.every((one) => one)
        if (done) yield* tellLeaving(offering, seen.leaving)
        return done
      }).pipe(
        Effect.catchAll((error) =>
          Effect.as(Effect.logWarning(`Members are not synchronised: ${error.message}`), false)
        ),
        oneAtATime.withPermits(1)
      )

    const round = synchronised(undefined).pipe(
      // A bug in it must not end the rounds.
      Effect.catchAllDefect((defect) =>
        Effect.as(Effect.logError("A bug in the synchronisation of members", defect), false)
      )
    )
    yield* (yield* MemberCalls).register(offering.id, Effect.annotateLogs(round, labels(offering)))

    const told = yield* makeGathering(memberBurst, (all: ReadonlyArray<Told>) =>
      Effect.gen(function* () {
        const only = targetsOf(all, known)
        if (only !== undefined && only.projects.size + only.resources.size === 0) return
        yield* offering.health.passed
        yield* Effect.repeat(synchronised(only), { schedule: memberTries, until: (settled) => settled })
      }).pipe(Effect.annotateLogs(labels(offering)))
    )

    yield* Effect.zipRight(offering.health.passed, round).pipe(
      Effect.repeat(memberRound(interval)),
      Effect.annotateLogs(labels(offering)),
      Effect.forkScoped
    )
    return {
      told,
      resource: (resource) =>
        Effect.suspend(() =>
          isSettled(resource) && known.get(resource.uuid)?.restricted !== resource.restrictMemberAccess
            ? told({ _tag: "Resource", resource: resource.uuid })
            : Effect.void
        ),
      done: (resource) =>
        Effect.suspend(() => (known.has(resource) ? Effect.void : told({ _tag: "Resource", resource })))
    }
  })

const labels = ({ name }: Offering) => ({ part: "members", offering: name })

/** What has to be synchronised; `undefined`: everything. Somebody in no team that is known of will be told of with their project. */
const targetsOf = (
  all: ReadonlyArray<Told>,
  known: ReadonlyMap<string, Pick<TeamReport, "team">>
): Only | undefined => {
  if (all.some(({ _tag }) => _tag === "Everything")) return undefined
  const people = new Set(all.flatMap((one) => (one._tag === "Person" ? [one.person] : [])))
  const theirs = [...known].flatMap(([resource, { team }]) => (team.some((id) => people.has(id)) ? [resource] : []))
  return {
    projects: new Set(all.flatMap((one) => (one._tag === "Project" ? [one.project] : []))),
    resources: new Set([...all.flatMap((one) => (one._tag === "Resource" ? [one.resource] : [])), ...theirs])
  }
}

const isSettledNow = ({ changes, failure }: TeamReport): boolean =>
  failure === "" && changes.every(({ outcome }) => outcome === "done")

const logged = ({ resource, name, changes, problems, failure }: TeamReport): Effect.Effect<void> =>
  Effect.gen(function* () {
    if (failure !== "") yield* Effect.logWarning(`Members of ${name} stay as they are: ${failure}`)
    for (const { who, what, outcome, detail } of changes) {
      if (outcome === "done") yield* Effect.logInfo(`${who} ${what}`)
      else yield* Effect.logWarning(`${who} not ${what}: ${detail}`)
    }
    for (const { who, reason } of problems) yield* Effect.logWarning(`${who} has no access: ${reason}`)
  }).pipe(Effect.annotateLogs({ resource }))

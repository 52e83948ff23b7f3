/**
 * The agent: every offering of the configuration at work in this process, until it is interrupted.
 *
 * Interrupting it stops the sources first; actors finish the call that they are in, and the rest is in the journal.
 */
import type { SqlClient } from "@effect/sql"
import { Effect, ExecutionStrategy, Exit, Fiber, Layer, LogLevel, Queue, Ref, Scope } from "effect"
import { callBeginning, callObserver, saying } from "../core/index.js"
import { Recorder } from "./activity/recorder.js"
import { Activities, publish } from "./activity.js"
import { Actors } from "./actors/actors.js"
import { Bells } from "./actors/bells.js"
import { Dispatch } from "./actors/dispatch.js"
import { PlacesInWork } from "./actors/placesInWork.js"
import { Quarantine } from "./actors/quarantine.js"
import { commonClock } from "./cluster/clock.js"
import type * as Cluster from "./cluster/index.js"
import type { ClusterSettings } from "./config/cluster.js"
import type { Config, OfferingConfig } from "./config/index.js"
import { settleCutOff } from "./control/audit.js"
import { attendDesk } from "./control/desk.js"
import { hearOthers } from "./control/hearsay.js"
import { leftoverRounds } from "./control/leftovers.js"
import { nameOf, type Place } from "./database/place.js"
import { watchEvents } from "./events/index.js"
import { startFromBackup } from "./journal/backup.js"
import { assertSound } from "./journal/consistency.js"
import * as Database from "./journal/database.js"
import { JournalHealth } from "./journal/health.js"
import * as Journal from "./journal/journal.js"
import * as Pauses from "./journal/pauses.js"
import * as Reservations from "./journal/reservations.js"
import { forgetDaily } from "./journal/retention.js"
import { LogLevelsInUse } from "./logs/index.js"
import { MemberCalls } from "./members/calls.js"
import { Metrics, watchedEndpoints } from "./metrics/index.js"
import { watchAbsent } from "./observation/absent.js"
import { Looks } from "./observation/index.js"
import { type Offering, OfferingScope, Offerings } from "./offerings/offering.js"
import { openOffering } from "./offerings/open.js"
import { Pausings } from "./offerings/pausings.js"
import { Standings } from "./offerings/standing.js"
import { Cancellations } from "./orders/cancellations.js"
import { Wakes } from "./orders/wakes.js"
import { Once, Others, Placement } from "./placement/index.js"
import { Stopping } from "./placement/stopping.js"
import { watchOrders } from "./queue/source.js"
import { makeLastHours, reportUsage, usageMemory } from "./reports/index.js"
import { keepMembers } from "./rounds/members.js"
import { watchResources } from "./rounds/observation.js"
import { cutOffRound, mendProbe, parkAfter } from "./schedules.js"
import { stacked } from "./stacked.js"
import { tellWaldur } from "./telemetry/index.js"
import { watchImports } from "./upkeep/index.js"

/** How an agent runs, where that is not the usual way. */
export interface Running {
  /** As one of several processes. */
  readonly cluster?: ClusterSettings | undefined
  /** After so many ms of waiting for its machine an order is parked. */
  readonly parking?: number | undefined
}

/** Everything that the agent's parts share, over the journal's database. `owner`: this process's name in the leases. */
export const layer = (place: Place, owner: string, running: Running = {}) =>
  layerOn(
    Layer.tap(Database.layer(place), (context) =>
      Effect.all([Database.assertWritable(place), assertSound(nameOf(place)), startFromBackup(nameOf(place))], {
        discard: true
      }).pipe(Effect.provide(context))
    ),
    owner,
    running
  )

/** The same over a database that is open and has its tables. */
export const layerOn = <E, R>(
  database: Layer.Layer<SqlClient.SqlClient, E, R>,
  owner: string,
  { cluster, parking = parkAfter }: Running = {}
) => {
  const base = stacked((upon, nothing) =>
    nothing.pipe(
      upon(Activities.layer),
      upon(Recorder.layer),
      upon(Metrics.layer),
      upon(watchedCalls),
      upon(watchedEndpoints),
      upon(database),
      upon(cluster === undefined ? Layer.empty : commonClock),
      upon(JournalHealth.layer(owner)),
      upon(Journal.layer),
      upon(Reservations.layer),
      upon(Pauses.layer(owner)),
      upon(Cancellations.layer),
      upon(OfferingScope.layer),
      upon(usageMemory),
      upon(Offerings.layer),
      upon(Standings.layer),
      upon(Wakes.layer),
      upon(Looks.layer),
      upon(MemberCalls.layer),
      upon(Stopping.layer)
    )
  )
  return stacked((upon, nothing) =>
    nothing.pipe(
      upon(base),
      upon(cluster === undefined ? alone(owner, parking) : amongSeveral(cluster, owner, parking)),
      upon(Dispatch.layer)
    )
  )
}

/** Where work is placed, and the actors that do it: all of it here. */
const alone = (owner: string, parking: number) =>
  stacked((upon, nothing) =>
    nothing.pipe(
      upon(Placement.single),
      upon(Once.single),
      upon(Others.none),
      upon(Quarantine.layer),
      upon(Pausings.layer),
      upon(PlacesInWork.layer(parking)),
      upon(Bells.single),
      upon(Actors.single(owner))
    )
  )

/** The same for one of several processes. What it takes is loaded by none that is alone. */
const amongSeveral = (...among: Parameters<typeof Cluster.amongSeveral>) =>
  Layer.unwrapEffect(
    Effect.map(
      Effect.promise(() => import("./cluster/index.js")),
      (cluster) => cluster.amongSeveral(...among)
    )
  )

/** Every call of every fiber of the agent is told to whoever watches. */
const watchedCalls = Layer.scopedDiscard(
  Effect.flatMap(Effect.all([Activities, Metrics, LogLevelsInUse, Recorder]), ([hub, metrics, levels, recorder]) =>
    Effect.zipRight(
      Effect.locallyScoped(callBeginning, recorder.begin),
      Effect.locallyScoped(callObserver, (call) => {
        metrics.called(call)
        const told = Effect.zipRight(recorder.note(call), Effect.asVoid(hub.publish({ _tag: "Call", ...call })))
        // Asked first: there are many of these lines, and mostly nobody wants them.
        if (!levels.logs(call.system, LogLevel.Debug)) return told
        return Effect.logDebug(`${call.call} ${call.about} ${call.outcome} ${Math.round(call.milliseconds)} ms`).pipe(
          saying({ part: call.system }),
          Effect.zipRight(told)
        )
      })
    )
  )
)

/** Runs all offerings, each on fibers of its own: one that cannot be opened, or whose servers are away, delays no other. */
export const run = (config: Config) =>
  Effect.gen(function* () {
    const memoMap = yield* Layer.makeMemoMap
    const metrics = yield* Metrics
    metrics.named(config.offerings)
    const once = yield* Once
    const { several } = yield* Placement
    const settled = Effect.catchAll(settleCutOff(several), (error) =>
      Effect.logDebug(`The audit is as it was: ${error.message}`)
    )
    yield* several ? Effect.forkScoped(Effect.repeat(settled, cutOffRound)) : settled
    yield* Effect.forkScoped(once.run("desk", Effect.zipRight(allOpen(config), attendDesk)))
    yield* Effect.forkScoped(once.run("leftovers", leftoverRounds))
    yield* Effect.forkScoped(once.run("retention", forgetDaily(config.journalRetention)))
    if (several) yield* Effect.forkScoped(hearOthers)
    const others = yield* Others
    yield* Effect.forkScoped(others.keepAlike(config.offerings))
    const configured = config.offerings.map(({ id }) => id)
    yield* Effect.forkScoped(watchAbsent(Effect.map(others.offerings, (elsewhere) => [...configured, ...elsewhere])))
    // A fiber of the scope, which awaits its end: a race that is interrupted goes on at once (Effect 3.22), and what the offerings rest on would be
    // closed while they are still at their last words.
    const attended = yield* Effect.forkScoped(
      Effect.forEach(config.offerings, (offering) => runOffering(config, offering, memoMap), {
        concurrency: "unbounded",
        discard: true
      })
    )
    yield* Effect.raceFirst(Fiber.join(attended), others.superseded)
  }).pipe(Effect.scoped)

/** What was asked while no agent ran needs the offerings; one that cannot be opened holds it up for half a minute. */
const allOpen = (config: Config) =>
  Effect.gen(function* () {
    const opened = yield* Offerings
    yield* Effect.delay(Ref.get(opened), "100 millis").pipe(
      Effect.repeat({ until: (open) => open.size >= config.offerings.length }),
      Effect.timeoutOption("30 seconds")
    )
  })

/** What it opens stays open until the actors have ended; what a failed attempt has opened is closed at once. */
const kept = <A, E, R>(open: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const scope = yield* Scope.fork(yield* OfferingScope, ExecutionStrategy.sequential)
    return yield* Scope.extend(open, scope).pipe(Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause))))
  })

const runOffering = (config: Config, offering: OfferingConfig, memoMap: Layer.MemoMap) =>
  Effect.gen(function* () {
    const pauses = yield* Pauses.Pauses
    const standings = yield* Standings
    const quietly = Effect.catchAll((error: Error) => Effect.logWarning(error.message))
    yield* quietly(pauses.began(offering.id, "The offering is not open yet."))
    const reporting = {
      timezone: config.timezone,
      periods: config.reportingPeriods,
      omitAnomalous: offering.omitAnomalousUsage
    }
    const open = Effect.gen(function* () {
      const made = yield* openOffering(offering, memoMap)
      return offering.functions.reports ? { ...made, lastHours: yield* makeLastHours(made, reporting) } : made
    })
    const opened = yield* kept(open).pipe(
      Effect.tapError((error) =>
        Effect.zipRight(
          Effect.logError(`Cannot be opened: ${error.message}`),
          Effect.zipRight(
            standings.closed(offering.id, error.message),
            publish({ _tag: "Offering", offering: offering.id, event: "closed", detail: error.message })
          )
        )
      ),
      Effect.retry(mendProbe)
    )
    yield* Ref.update(yield* Offerings, (all) => new Map([...all, [offering.id, opened]]))
    yield* (yield* Pausings).apply(offering.id)
    yield* Effect.unlessEffect(quietly(pauses.ended(offering.id)), opened.health.waits)
    yield* standings.opened(offering.id)
    yield* Effect.logInfo(`Open: ${offering.plugin.type}`)
    yield* publish({ _tag: "Offering", offering: offering.id, event: "open" })
    if ((yield* Placement).several) yield* standings.leftToOthers(offering.id)
    yield* (yield* Once).run(offering.id, attend(config, offering, opened, reporting))
  }).pipe(Effect.scoped, Effect.annotateLogs({ offering: offering.name }))

/** What is done for an offering beside its orders, and how these are found: in one process at a time. */
const attend = (
  config: Config,
  offering: OfferingConfig,
  opened: Offering,
  reporting: Parameters<typeof reportUsage>[1]
) =>
  Effect.gen(function* () {
    yield* (yield* Standings).attended(offering.id)
    yield* Effect.forkScoped(tellWaldur(config, offering, opened))
    if (offering.functions.reports) yield* Effect.forkScoped(reportUsage(opened, reporting, config.reportInterval))
    const members = offering.functions.membership
      ? yield* keepMembers(opened, config.membershipSyncInterval)
      : undefined
    const imports = yield* Queue.sliding<void>(1)
    const pace = yield* watchEvents(config, offering, opened, { members, imports })
    if (!offering.functions.orders) return yield* Effect.never
    yield* Effect.forkScoped(watchResources(opened, config.observationInterval))
    if (offering.functions.resourceImport) yield* Effect.forkScoped(watchImports(opened, config.pollInterval, imports))
    return yield* watchOrders(opened, pace, members?.done ?? (() => Effect.void))
  })

/** Every schedule by which the runtime waits or tries again, in one place. Documented in docs/operations.md. */
import { Duration, Option, Schedule } from "effect"

/** How long an order rests after a transient failure, by the number of failures in a row: 0.5 s, doubling, at most 30 s, jittered. */
export const orderRetry = Schedule.exponential("500 millis", 2).pipe(
  Schedule.union(Schedule.spaced("30 seconds")),
  Schedule.jittered
)

/** How often a stopped offering, or one with a bug, is tried again, to see whether it has been mended: 5 s, doubling, at most 60 s. */
export const mendProbe = Schedule.exponential("5 seconds", 2).pipe(
  Schedule.union(Schedule.spaced("60 seconds")),
  Schedule.jittered
)

/** Between two looks at the marketplace for orders, around the configured interval. */
export const polling = (interval: Duration.DurationInput): Schedule.Schedule<number> =>
  Schedule.jittered(Schedule.spaced(interval))

/**
 * How long before the end of a month usage is reported once more, in ms: drawn from this range once a start. Long enough for a report of
 * ten thousand resources.
 */
export const closingReport: readonly [number, number] = [5 * 60_000, 7 * 60_000]

/** When a usage report is tried again of which something failed that may pass: after 30 s, doubling, at most 10 min. */
export const reportRetry = Schedule.exponential("30 seconds", 2).pipe(
  Schedule.union(Schedule.spaced("10 minutes")),
  Schedule.jittered
)
/** Resources that end within this have their last hours read together, and no order waits longer for that than the patience. */
export const lastHoursBurst = Duration.millis(200)
export const lastHoursPatience = Duration.seconds(30)

/** Between two synchronisations of members, around the configured interval. */
export const memberRound = polling

/** How long a round of members waits for the actor of a resource that has an order in work; it goes on in the background then. */
export const memberPatience = Duration.seconds(2)

/** Events about members that come within this are done together. */
export const memberBurst = Duration.millis(100)
/** How often what an event about members asks for is tried again before it is left to the next round: after 0.5 s and 1 s, jittered. */
export const memberTries = Schedule.exponential("500 millis", 2).pipe(
  Schedule.jittered,
  Schedule.intersect(Schedule.recurs(2))
)

/** Events about the same resources that come within this lead to one look: an order alone brings several. */
export const resourceBurst = Duration.millis(300)

/** How often a start that finds no database tries again: 0.5 s, doubling, at most 5 s, jittered. */
export const databaseRetry = Schedule.exponential("500 millis", 2).pipe(
  Schedule.union(Schedule.spaced("5 seconds")),
  Schedule.jittered
)
/** How often it says the same again, in ms; and after how long it answers probes that it has not begun, if it only takes its time. */
export const databaseReminder = 10 * 60_000
export const answersBeforehand = Duration.seconds(2)

/** How often it is looked whether a journal that could not be written can be again: at once, after 0.5 s, doubling, at most 2 s, jittered. */
export const journalProbe = Schedule.exponential("500 millis", 2).pipe(
  Schedule.union(Schedule.spaced("2 seconds")),
  Schedule.jittered
)

/** Idle actors leave memory after this. */
export const actorIdle = Duration.minutes(1)

/** How long an end waits for what actors are at, before it is interrupted. */
export const actorPatience = Duration.seconds(10)

/**
 * When a new backend id is looked at again: a busy marketplace's background tasks come late. Those that overwrite one belong to servers that put
 * something of their own behind a resource (`puts`); where it is known that this one does not, one look is enough.
 */
export const backendIdGuard = (puts: Option.Option<boolean>): Schedule.Schedule<unknown> =>
  Option.contains(puts, false)
    ? Schedule.duration("4 seconds")
    : Schedule.fromDelays(Duration.seconds(1), Duration.seconds(2), Duration.seconds(4))

/**
 * How long a new order's resource may lack what an older marketplace puts behind it, before it is taken for a newer one. Runs beside the
 * backend's work; should it come later all the same, the backend id is looked at again, before `done` and after it.
 */
export const scopeGrace = Duration.millis(300)

/** How often the agent says in the database that it lives; time without such a sign is not counted against an order's deadline. */
export const heartbeat = Schedule.spaced("5 seconds")

/** How often it is looked whether the journal has orders of offerings that the configuration does not have. */
export const absentRound = Schedule.spaced("1 minute")

/** How often one of several processes looks for what another's end has cut off: who was killed is known to be gone only after a silence. */
export const cutOffRound = Schedule.spaced("1 minute")

/** How often one of several processes looks whether the others have the same offerings and settings. */
export const alikeRound = Schedule.spaced("5 seconds")

/** How often each of several processes asks the others whether they answer. */
export const reachRound = Schedule.spaced("3 seconds")

/** After so many ms of waiting for its machine an order is parked; how often it is looked whether one was parked for long enough. */
export const parkAfter = 2_000
export const parkedRound = Duration.seconds(1)

/** How often it is looked whether the process rests, and has a heap to collect. */
export const restLook = Duration.seconds(5)

/** How often the agent looks for what somebody asks of it at the command line. */
export const requestRound = Schedule.spaced("1 second")

/**
 * The first look at an offering's resources comes after this part of its interval (`observation_interval`): a restart of many offerings does not read
 * everything at once, and orders go first.
 */
export const firstObservation: readonly [number, number] = [0.1, 0.3]

/** How many looks for orders go by between two looks for requests to import something. */
export const importEvery = 6

/**
 * How often what an undo could not remove is tried again: every 10 minutes, and sooner after a start (15 s, 30 s, 1 min, ...), when somebody
 * may have mended what stood in the way and the offering may not be open yet.
 */
export const leftoverRound = Schedule.exponential("15 seconds", 2).pipe(
  Schedule.union(Schedule.spaced("10 minutes")),
  Schedule.jittered
)

/** How often the journal forgets what it need not keep. */
export const retentionRound = Schedule.jittered(Schedule.spaced("1 day"))

/** At an order's deadline no further step is begun; the one in work, whose call may be on the wire, has this long to end. */
export const deadlineGrace = Duration.minutes(1)

/**
 * How long an actor that lost its lease leaves the resource to whoever took it. With several processes mostly another one of them, of which the
 * address book knows whether it has it still; but it may be a command (`site-actors migrate`), of which it knows nothing.
 */
export const leaseRest = { single: Duration.seconds(30), several: Duration.seconds(5) }

/** How soon work that is done in one process at a time begins anew after it failed. */
export const onceAgain = Schedule.spaced("1 second")

/** How long an actor that finds its resource with another process leaves it alone before it looks again. */
export const placeRest = Duration.seconds(1)

/** How soon an order is looked for again whose resource was just moving from one process to another. */
export const moveRest = Duration.millis(300)

/** For how long orders that could not be handed over are counted before it is said of all of them. */
export const backsRest = Duration.seconds(1)

/** How often each of several processes looks what was said in another one: pauses, cancellations. */
export const hearsay = Schedule.spaced("1 second")

/** How often each of several processes compares its clock with the database's. */
export const clockLook = Schedule.spaced("10 seconds")

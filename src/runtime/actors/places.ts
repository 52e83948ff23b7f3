/**
 * How many orders are in work at once, and which are next: so many of each offering, the rest waits as ids.
 *
 * First those that were begun before, as after a restart, then the others; projects take turns, each one's orders in the order in which they
 * were placed. An order that waits for something steps aside (`core/saga/place.ts`), and comes back before any new one begins.
 *
 * A place is lent for some seconds. Whoever takes longer without stepping aside works on, but no longer keeps others waiting: so nothing that
 * hangs can hold the queue up.
 */
import { Effect } from "effect"
import { type Place, steadyMillis } from "../../core/index.js"

/** Of one offering. Few enough that the first orders of thousands end early, enough that no server waits for us. */
export const ordersInWork = 32
/** ms */
export const lentFor = 10_000

/** Something that waits to be begun. */
export interface Candidate {
  /** What takes turns with others: a project. */
  readonly turn: string
  /** It was begun before: it goes first. */
  readonly begun: boolean
  readonly start: () => void
}

interface Lent {
  held: boolean
  since: number
}

/** Candidates by key, their turns in order. */
const makeRotation = <Key>() => {
  const turns = new Map<string, Map<Key, Candidate>>()
  return {
    add: (key: Key, candidate: Candidate): void => {
      const own = turns.get(candidate.turn)
      if (own === undefined) turns.set(candidate.turn, new Map([[key, candidate]]))
      else own.set(key, candidate)
    },
    /** The oldest of whose turn it is. */
    next: (): readonly [Key, Candidate] | undefined => {
      const first = turns.entries().next()
      if (first.done === true) return undefined
      const [turn, own] = first.value
      const oldest = own.entries().next()
      turns.delete(turn)
      if (oldest.done === true) return undefined
      own.delete(oldest.value[0])
      if (own.size > 0) turns.set(turn, own)
      return oldest.value
    }
  }
}

/** The places of one offering. */
export const makePlaces = <Key>(places: number = ordersInWork) => {
  const lent = new Map<Key, Lent>()
  const returning: Array<{ readonly own: Lent; readonly go: () => void }> = []
  const begun = makeRotation<Key>()
  const fresh = makeRotation<Key>()
  const waiting = new Set<Key>()
  let taken = 0
  let now = 0
  let reclaimedAt = 0

  const take = (own: Lent): void => {
    own.held = true
    own.since = now
    taken += 1
  }
  const give = (own: Lent): void => {
    if (!own.held) return
    own.held = false
    taken -= 1
  }

  const admit = (): void => {
    while (taken < places) {
      const back = returning.shift()
      if (back !== undefined) {
        take(back.own)
        back.go()
        continue
      }
      const next = begun.next() ?? fresh.next()
      if (next === undefined) return
      const [key, { start }] = next
      const own = { held: false, since: 0 }
      waiting.delete(key)
      lent.set(key, own)
      take(own)
      start()
    }
  }

  /** Places that were lent for long enough are free again. Looked for once a second, as there may be thousands who stand aside. */
  const reclaim = (): void => {
    if (now - reclaimedAt < 1_000) return
    reclaimedAt = now
    for (const own of lent.values()) if (own.held && now - own.since >= lentFor) give(own)
  }

  const change = (moment: number, work: () => void): void => {
    now = moment
    work()
    if (waiting.size > 0 || returning.length > 0) reclaim()
    admit()
  }
  const atThisMoment = (work: () => void): Effect.Effect<void> =>
    Effect.map(steadyMillis, (moment) => change(moment, work))

  const placeOf = (key: Key): Place => ({
    leave: Effect.suspend(() => {
      const own = lent.get(key)
      return own?.held === true ? atThisMoment(() => give(own)) : Effect.void
    }),
    retake: Effect.suspend(() => {
      const own = lent.get(key)
      if (own === undefined || own.held) return Effect.void
      return Effect.flatMap(steadyMillis, (moment) =>
        Effect.async<void>((resume) => {
          const waiter = { own, go: () => resume(Effect.void) }
          change(moment, () => returning.push(waiter))
          return Effect.sync(() => {
            const at = returning.indexOf(waiter)
            if (at >= 0) returning.splice(at, 1)
          })
        })
      )
    })
  })

  return {
    /** Begins it when there is room: at once, or later. */
    queue: (key: Key, candidate: Candidate): Effect.Effect<void> =>
      atThisMoment(() => {
        waiting.add(key)
        if (candidate.begun) begun.add(key, candidate)
        else fresh.add(key, candidate)
      }),
    /** It has ended: somebody else may begin. */
    free: (key: Key): Effect.Effect<void> =>
      atThisMoment(() => {
        const own = lent.get(key)
        if (own !== undefined) give(own)
        lent.delete(key)
      }),
    placeOf,
    /** Looks whether a place was lent for long enough, while somebody waits for one. */
    look: atThisMoment(() => undefined),
    /** Does nobody wait for a place? */
    isEmpty: (): boolean => waiting.size === 0 && returning.length === 0,
    state: Effect.sync(() => ({ taken, waiting: waiting.size + returning.length }))
  }
}
export type Places<Key> = ReturnType<typeof makePlaces<Key>>

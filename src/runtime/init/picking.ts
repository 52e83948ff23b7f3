/** One or some of what a server has, by id or name. */
import { Prompt } from "@effect/cli"
import { Data, Effect, Option } from "effect"
import { printable } from "../../core/index.js"
import type { Named } from "./answers.js"
import { answered } from "./asking.js"

/** What was named is not there, or is there twice. */
export class NotThere extends Data.TaggedError("NotThere")<{ readonly reason: string }> {
  override get message(): string {
    return this.reason
  }
}

const shown = ({ id, name }: Named): string => `${id} (${printable(name)})`

/** As many as a sentence takes. */
const most = 20

const named = (noun: string, all: ReadonlyArray<Named>, text: string): Effect.Effect<Named, NotThere> => {
  const wanted = text.trim()
  const byId = all.filter(({ id }) => String(id) === wanted)
  const found = byId.length > 0 ? byId : all.filter(({ name }) => name === wanted)
  const [only, ...others] = found
  const list = all.slice(0, most).map(shown).join(", ")
  if (only === undefined) {
    return new NotThere({
      reason:
        all.length === 0
          ? `OpenNebula has no ${noun}: make one first.`
          : `there is no ${noun} ${JSON.stringify(printable(wanted))}. OpenNebula has ${list}${all.length > most ? ", ..." : ""}.`
    })
  }
  return others.length === 0
    ? Effect.succeed(only)
    : new NotThere({ reason: `several have this name, ${found.map(({ id }) => id).join(", ")}: give the id of one.` })
}

const choice = <A extends Named>(one: A) => ({ title: shown(one), value: String(one.id) })

interface Picking {
  readonly interactive: boolean
  readonly flag: string
  readonly given: Option.Option<string>
  /** "network" */
  readonly noun: string
  readonly message: string
  readonly from: ReadonlyArray<Named>
}

interface PickingOne extends Picking {
  /** Those of them that cannot be used, and why: "it has no disk". Not offered where somebody is asked. */
  readonly unfit?: ReadonlyMap<number, string>
}

/** The only one that there is needs no question. */
export const pickOne = ({ flag, from, given, interactive, message, noun, unfit = new Map() }: PickingOne) =>
  Effect.gen(function* () {
    const fit = from.filter(({ id }) => !unfit.has(id))
    const [only, ...others] = fit
    if (only === undefined) {
      const why = from.map((one) => `${shown(one)}: ${unfit.get(one.id)}`).slice(0, most)
      const reason = `OpenNebula has no ${noun}${why.length === 0 ? "" : ` that can be used (${why.join("; ")})`}: make one first.`
      return yield* new NotThere({ reason })
    }
    if (Option.isNone(given) && others.length === 0) return only
    return yield* answered(interactive, {
      flag,
      given,
      ask: Prompt.select({ message, choices: fit.map(choice) }),
      check: (text) =>
        Effect.filterOrFail(
          named(noun, from, text),
          ({ id }) => !unfit.has(id),
          (one) =>
            new NotThere({
              reason: `${noun} ${shown(one)} cannot be used: ${unfit.get(one.id)}. Mend it, or name another: ${fit.slice(0, most).map(shown).join(", ")}.`
            })
        )
    })
  })

const none = "none"

/** One, or none at all, which the command line calls `none`. */
export const pickOneOrNone = ({ flag, from, given, interactive, message, noun }: Picking) =>
  from.length === 0 && Option.isNone(given)
    ? Effect.succeedNone
    : answered(interactive, {
        flag,
        given,
        ask: Prompt.select({ message, choices: [...from.map(choice), { title: "none", value: none }] }),
        check: (text) => (text.trim() === none ? Effect.succeedNone : Effect.asSome(named(noun, from, text)))
      })

/** Some of them, separated by commas on the command line. None stands for all. */
export const pickSome = ({ flag, from, given, interactive, message, noun }: Picking) => {
  const wanted = Option.map(given, (text) => text.split(",").filter((part) => part.trim() !== ""))
  // One that there is, or nobody to ask: all of them.
  if (Option.isNone(wanted) && (from.length < 2 || !interactive)) return Effect.succeed(from.length < 2 ? from : [])
  return answered(interactive, {
    flag,
    given: wanted,
    ask: Prompt.multiSelect({ message, choices: from.map(choice) }),
    check: (texts: ReadonlyArray<string>) =>
      // Two words may mean one, as its name and its id do.
      Effect.map(
        Effect.forEach(texts, (text) => named(noun, from, text)),
        (all) => from.filter(({ id }) => all.some((one) => one.id === id))
      )
  })
}

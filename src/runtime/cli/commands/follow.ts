/** `site-actors order --follow`: each step as it ends, and the one in work as a bar against how long such a step usually takes. */
import type { SqlClient } from "@effect/sql"
import { Clock, Console, Effect, Option, Schedule } from "effect"
import type { JournalEntry } from "../../../core/index.js"
import { signOfLife, storyOf, summaryOf, usuallyTakes } from "../../journal/history.js"
import { tell } from "../../progress.js"
import { beginnings, type StoryLine, storyLines } from "../../terminal/story.js"
import { span, when } from "../../terminal/times.js"

const look = "500 millis"
/** Steps that take less than this need no bar; ms. */
const shortest = 2_000

const isOver = (story: ReadonlyArray<JournalEntry>): boolean => /^(done|erred)$/.test(summaryOf("", "", story).state)

const printed = ({ at, detail, event, millis, step }: StoryLine): string =>
  [when(at), step, millis === undefined ? "" : span(millis), event, detail].filter((part) => part !== "").join("  ")

/** The step that began last of those in work: "vm runs  [####----]  5 of 12  5.2 s  s, usually". */
const tellOf = (
  lines: ReadonlyArray<StoryLine>,
  usual: (step: string) => Effect.Effect<Option.Option<number>, never, SqlClient.SqlClient>
) =>
  Effect.gen(function* () {
    const line = lines.findLast(({ event }) => beginnings.has(event))
    if (line === undefined) return yield* tell({ what: "between two steps", done: 0 })
    const seconds = Math.floor(((yield* Clock.currentTimeMillis) - line.at) / 1000)
    const usually = Option.filter(yield* usual(line.step), (ms) => ms >= shortest)
    const bar = Option.match(usually, {
      onNone: () => ({ done: seconds }),
      // Longer than usual is a bar that is nearly full.
      onSome: (ms) => ({
        done: Math.min(seconds, Math.round(ms / 1000) - 1),
        total: Math.round(ms / 1000),
        now: "s, usually"
      })
    })
    yield* tell({ what: line.step, since: line.at, ...bar })
  })

/** Every step of the order, as it ends, until the order has. `json`: each entry of the journal as a line of its own. */
export const follow = (order: string, json: boolean) =>
  Effect.gen(function* () {
    const usual = yield* Effect.cachedFunction((step: string) =>
      usuallyTakes(step).pipe(Effect.orElseSucceed(() => Option.none<number>()))
    )
    const said = new Set<number>()
    if (!Option.exists(yield* signOfLife, ({ runs }) => runs) && !isOver(yield* storyOf(order))) {
      yield* Console.error("The agent does not run: the order goes on when it does.")
    }
    const round = Effect.gen(function* () {
      const story = yield* storyOf(order)
      const lines = storyLines(story)
      const fresh: ReadonlyArray<readonly [number, string]> = json
        ? story.map((entry, at) => [at, JSON.stringify({ ...entry, at: new Date(entry.at).toISOString() })])
        : lines.flatMap((line, at) => (beginnings.has(line.event) ? [] : [[at, printed(line)]]))
      for (const [at, text] of fresh) {
        if (said.has(at)) continue
        said.add(at)
        yield* Console.log(text)
      }
      const over = isOver(story)
      if (!over) yield* tellOf(lines, usual)
      return over
    })
    yield* Effect.repeat(round, { until: (over) => over, schedule: Schedule.spaced(look) })
  })

/** One run of the kit: a life without a fault, then the matrix, and the questions beside it. */
import { Array, Clock, Effect } from "effect"
import type { Plugin } from "../core/index.js"
import { foreignCheck, refusalCheck, verdict } from "./checks.js"
import { type Ground, look } from "./ground.js"
import { undisturbed } from "./life.js"
import { batch, cellsOf, deal, spread } from "./matrix.js"
import type { KitOptions, KitReport } from "./model.js"
import { secretsCheck } from "./secrets.js"
import { makeStage } from "./stage.js"
import { makeStrikes } from "./strikes.js"
import { added, named } from "./world.js"

export const runKit = (plugin: Plugin, options: KitOptions) =>
  Effect.gen(function* () {
    const began = yield* Clock.currentTimeMillis
    const patience = options.patience ?? 60
    const { orders } = options
    const backend = yield* options.makeBackend
    const strikes = makeStrikes(plugin)
    const stage = yield* makeStage({ plugin: strikes.plugin, backend, orders, patience, bury: strikes.buryProcess })
    const ground: Ground = { stage, strikes, backend, orders }
    const atFirst = yield* look(ground)
    yield* stage.start
    const { checks, life } = yield* undisturbed(ground)
    const all = cellsOf(life, orders.update !== undefined)
    const lives = checks[0]?.status === "kept"
    // Where even an undisturbed life goes wrong, the matrix would only say so again, very often.
    const subjects = lives ? deal(spread(all, options.cells ?? all.length)) : []
    const foreign = lives ? [yield* refusalCheck(ground), yield* foreignCheck(ground)] : []
    const theirs = lives ? yield* look(ground) : atFirst
    const batches = yield* Effect.forEach(Array.chunksOf(subjects, Math.min(options.atOnce ?? 24, 30)), (some) =>
      batch(ground, life, some)
    )
    const cells = batches.flatMap((one) => one.cells)
    const unmet = batches.flatMap((one) => one.unmet)
    // The last entry of an order is written when Waldur has been told.
    const held = yield* Effect.zipRight(stage.atRest, stage.held)
    const left = added(theirs, yield* look(ground))
    const further = [
      ...checks,
      ...foreign,
      verdict(
        "one handler at a time for each resource",
        strikes.mostAtOnce() > 1 ? [`${strikes.mostAtOnce()} at once`] : []
      ),
      verdict(
        "many resources at once, and nothing is left in the end",
        [...unmet.map(({ text }) => text), ...(left.length > 0 ? [`left: ${named(left)}`] : []), ...held],
        `${subjects.length} resources`
      ),
      yield* secretsCheck(ground)
    ]
    const report: KitReport = {
      backend: plugin.type,
      cells,
      possibleCells: all.length,
      checks: further,
      problems: [
        ...further.filter(({ status }) => status === "broken").map(({ detail, name }) => `${name}: ${detail}`),
        ...cells.flatMap(({ moment, operation, problems, step }) =>
          problems.map(({ kind, text }) => `${operation}, step "${step}", ${moment}: ${kind}: ${text}`)
        )
      ],
      milliseconds: (yield* Clock.currentTimeMillis) - began
    }
    return report
  })

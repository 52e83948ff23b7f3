/**
 * The contract kit, `site-actors/plugin/testing`: runs any plugin through what a backend has to stand, on the real runtime with its real
 * journal and a simulated Waldur, and says what came of it.
 *
 * ```
 * const report = await Effect.runPromise(testBackend(plugin, { makeBackend, orders }))
 * console.log(renderReport(report))
 * expect(report.problems).toEqual([])
 * ```
 *
 * A dry run learns the steps of a create, an update and a terminate. Then each step is a row, with a cell for each moment at which something
 * happens: the process ends before, during and after the step's call; its answer is lost; the order is given up, also after an unknown outcome;
 * the process ends while it is undone. Many orders run at once, each with a cell of its own, so the matrix costs a few restarts. Beside it: foreign
 * objects of the same names, usage, drift, secrets, resources at once. `model.ts` says what is given and what is reported; `run.ts` is the order of
 * events, `strikes.ts` how a handler is struck without knowing.
 *
 * The end of a process is an agent that writes nothing more and is stopped there, within the process of the test. What the kit cannot see: what
 * a plugin's client does below its steps, and what the backend itself does when a connection is cut in the middle of a request.
 *
 * @module site-actors/plugin/testing
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Effect, Layer } from "effect"
import type { Plugin } from "../core/index.js"
import type { KitOptions, KitReport } from "./model.js"
import { runKit } from "./run.js"

export type {
  BackendObject,
  BackendUnderTest,
  Cell,
  Check,
  Json,
  KitOptions,
  KitOrders,
  KitReport,
  Moment,
  Operation,
  Problem,
  ProblemKind
} from "./model.js"
export { renderReport } from "./report.js"

/** Dies if the stage cannot be set (a port, the settings); all that the plugin does wrong is in the report. */
export const testBackend = (plugin: Plugin, options: KitOptions): Effect.Effect<KitReport> =>
  runKit(plugin, options).pipe(
    Effect.scoped,
    Effect.provide(Layer.merge(NodeContext.layer, NodeHttpClient.layerUndici)),
    Effect.orDie
  )

/** The agent with its page between two simulators, a browser before it, and a journal that has seen ten thousand resources. */
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { SqlClient } from "@effect/sql"
import { Effect, Exit, Layer, Scope } from "effect"
import type { Config } from "../../../src/runtime/config/index.js"
import { listen } from "../../../src/runtime/http/serve.js"
import type { RunningAgent, Site } from "../../support/agent.js"

const root = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url))
/** Where the agent has its page from. */
export const built = root("dist/dashboard")

/** As `npm run build` does it, unless what is there is from the same sources. */
export const buildPage = Effect.promise(() =>
  promisify(execFile)(process.execPath, [root("scripts/dashboard.mjs"), built, "--if-changed"], { cwd: root("") })
)

/** For tests that share what takes long to make: their effects live until the scope is closed, after the last of them. */
export const makeRunner = async () => {
  const scope = await Effect.runPromise(Scope.make())
  const platform = await Effect.runPromise(
    Layer.buildWithScope(Layer.merge(NodeContext.layer, NodeHttpClient.layerUndici), scope)
  )
  type Platform = Layer.Layer.Success<typeof NodeContext.layer> | Layer.Layer.Success<typeof NodeHttpClient.layerUndici>
  const run = <A, E>(effect: Effect.Effect<A, E, Platform | Scope.Scope>): Promise<A> =>
    Effect.runPromise(effect.pipe(Scope.extend(scope), Effect.provide(platform)))
  return { run, scope }
}

/** Shows the page on this port until the given effect is run. `settings`: put over the configuration's `page`. */
export const show = (site: Site, agent: RunningAgent, port: number, settings: Partial<Config["page"]> = {}) =>
  Effect.gen(function* () {
    const scope = yield* Effect.acquireRelease(Scope.make(), (made, exit) => Scope.close(made, exit))
    const config = { ...site.config, page: { ...site.config.page, ...settings } }
    yield* listen(config, "127.0.0.1", port, { assets: built }).pipe(
      Scope.extend(scope),
      Effect.provide(agent.services)
    )
    return Scope.close(scope, Exit.void)
  })

const uuid = (first: string) => `'${first}' || printf('%031x', n)`

/**
 * Resources that were made long ago, "tenant-00001" and on, each with an order of ten entries: the journal as it looks after years.
 * Written at once, as the triggers would have kept its lists.
 */
export const seed = ({ services }: RunningAgent, offering: string, amount: number) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const request = `json_object('offering', '${offering}', 'request', json_object('_tag', 'Create', 'resource',
      json_object('name', printf('tenant-%05d', n), 'projectName', 'Seeded')))`
    yield* sql.unsafe(`
      WITH RECURSIVE resources(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM resources WHERE n < ${amount}),
        entries(k, step, event) AS (VALUES (0, 'order', 'accepted'), (1, 'group', 'started'), (2, 'group', 'finished'),
          (3, 'vdc', 'started'), (4, 'vdc', 'finished'), (5, 'network', 'started'), (6, 'network', 'finished'),
          (7, 'router', 'started'), (8, 'router', 'finished'), (9, 'order', 'done'))
      INSERT INTO journal (order_id, resource_id, epoch, step, event, at, data)
      SELECT ${uuid("a")}, ${uuid("b")}, 1, step, event, 1700000000000 + n * 60000 + k * 100,
        CASE k WHEN 0 THEN ${request} END
      FROM resources CROSS JOIN entries ORDER BY n, k`)
  }).pipe(Effect.provide(services))

/** Loaded into the agent's process before the agent (`--import`): each of its calls, a line of JSON in the file that the environment names. */
import { openSync, writeSync } from "node:fs"
import { watchOutgoing } from "./outgoing.js"

const path = process.env.SITE_ACTORS_BENCH_CALLS
if (path !== undefined) {
  const file = openSync(path, "a", 0o600)
  watchOutgoing((call) => writeSync(file, `${JSON.stringify(call)}\n`))
}

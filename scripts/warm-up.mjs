// `node scripts/warm-up.mjs dist`: runs the program until most of what an agent needs is compiled, and writes that beside it. In this process alone.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { setFlagsFromString } from "node:v8"

const directory = resolve(process.argv[2])
const { compile, here, reader, sumOf } = createRequire(import.meta.url)(join(directory, "loader.cjs"))
const scripts = new Map()
const scriptOf = (name) => {
  if (!scripts.has(name)) scripts.set(name, compile(name, readFileSync(join(directory, name))))
  return scripts.get(name)
}
const run = (...words) => {
  process.argv = [process.execPath, join(directory, "runtime/main.js"), ...words]
  const read = reader(scriptOf)
  read("runtime/main.cjs")
  // For plugins from outside, where there may be any.
  if (existsSync(join(directory, "plugin/index.cjs"))) read("plugin/index.cjs")
}

// The program lets nobody else read what it writes.
const umask = process.umask()
// V8 throws away what has not run for a while: a start, after the first orders.
setFlagsFromString("--no-flush-bytecode")
const folder = mkdtempSync(join(tmpdir(), "site-actors-warm-up-"))

const written = () => {
  // What is written has the options that it was made with; an agent has none.
  setFlagsFromString("--flush-bytecode")
  process.umask(umask)
  const files = {}
  for (const [name, script] of scripts) {
    const code = script.createCachedData()
    writeFileSync(join(directory, `${name}.cache`), code)
    files[name] = sumOf(readFileSync(join(directory, name)), code)
  }
  // Last: without it, nobody looks at the others.
  writeFileSync(join(directory, "code-cache.json"), JSON.stringify({ made: here, files }))
}

/** An agent as it is started, whose marketplace is not there. */
const agent = () => {
  const offering = {
    name: "None",
    waldur_api_url: "http://127.0.0.1:1/api/",
    waldur_api_token: "0".repeat(40),
    waldur_offering_uuid: "0".repeat(32),
    backend_type: "opennebula",
    order_processing_backend: "opennebula",
    backend_settings: {
      api_url: "http://127.0.0.1:1/RPC2",
      credentials: "none:none",
      resource_type: "vm",
      template_id: 0
    }
  }
  const file = join(folder, "config.yaml")
  writeFileSync(file, JSON.stringify({ http: { port: false }, offerings: [offering] }), { mode: 0o600 })
  run("run", "--config", file, "--data-dir", join(folder, "data"))
  setTimeout(() => process.emit("SIGTERM"), 300)
}

process.once("exit", () => rmSync(folder, { recursive: true, force: true }))
// The demo: both simulators, and six orders of an agent between them.
run("demo", "--boot-ms", "0")
process.once("beforeExit", () => {
  if (process.exitCode) return
  process.once("exit", written)
  agent()
})

/**
 * Bundles and runs the simulation:
 *
 *   node scripts/chaos.mjs --seed 4711 --trace          one run and its story
 *   node scripts/chaos.mjs --twice 4711                 the same run twice: the stories have to be the same
 *   node scripts/chaos.mjs --seeds 500 --from 900000    a range; `--workers 2` processes at once
 *   node scripts/chaos.mjs --list 17,4711               these seeds, with a line for each; all three together, too
 *   node scripts/chaos.mjs --soak 60 --from 2000000     fresh seeds for so many minutes of machine time
 *   node scripts/chaos.mjs --planted [part of a name]   the planted bugs, and after how many seeds each is found
 */
import { spawn } from "node:child_process"
import { mkdirSync, readFileSync } from "node:fs"
import { dirname, join, relative, sep } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { build } from "esbuild"
import { soak } from "./soak.mjs"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")
// Two levels below the root, as the built program is: `package.json` is looked for from there.
const cache = join(root, "node_modules", ".chaos")
mkdirSync(cache, { recursive: true })

/** Changes the sources of one planted bug on their way into the bundle. */
const planting = (bug) => ({
  name: "planting",
  setup: (setup) => {
    const files = new Set(bug.edits.map(({ file }) => file))
    setup.onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const file = relative(root, path).split(sep).join("/")
      if (!files.has(file)) return undefined
      let text = readFileSync(path, "utf8")
      for (const { find, replace } of bug.edits.filter((edit) => edit.file === file)) {
        if (text.split(find).length !== 2)
          throw new Error(`planted bug "${bug.name}": ${file} has no longer once: ${find}`)
        text = text.replace(find, () => replace)
      }
      return { contents: text, loader: "ts" }
    })
  }
})

const bundle = async (entry, name, bug) => {
  const outfile = join(cache, `${name}.mjs`)
  await build({
    entryPoints: [join(root, "test", "chaos", entry)],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    // All in one file, libraries too: looking for their two thousand files takes half of the time in which a process starts.
    external: ["libsql"],
    banner: {
      js: 'import { createRequire as requireFor } from "node:module"; const require = requireFor(import.meta.url);'
    },
    sourcemap: bug === undefined ? "inline" : false,
    logLevel: "error",
    plugins: bug === undefined ? [] : [planting(bug)]
  })
  return outfile
}

/** Short-lived garbage is most of the memory, both cores have a worker each, and much of the code runs only some hundred times. */
const v8 = ["--min-semi-space-size=256", "--max-semi-space-size=256", "--single-threaded-gc", "--always-sparkplug"]

/** `onLine`: each line as soon as it is there. */
const run = (file, options, onLine = () => undefined) =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [...v8, "--enable-source-maps", file, ...options])
    let output = ""
    let told = 0
    child.stdout.on("data", (chunk) => {
      output += chunk
      for (let end = output.indexOf("\n", told); end !== -1; end = output.indexOf("\n", told)) {
        onLine(output.slice(told, end))
        told = end + 1
      }
    })
    child.stderr.on("data", (chunk) => (output += chunk))
    child.on("close", (code, signal) =>
      resolve({ code, output: signal === null ? output : `${output}\nended by ${signal}` })
    )
  })

/** A run leaves half a megabyte behind. */
const jobsOfAProcess = 250

/** A process that carries out one job after the other, until `next` has none, and then others. If it ends over a job, that job has failed. */
const serve = (file, next, onAnswer) =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [...v8, "--enable-source-maps", file, "--served"], {
      stdio: ["ignore", "pipe", "pipe", "ipc"]
    })
    let output = ""
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk))
    let job
    let taken = 0
    const goOn = () => {
      job = taken < jobsOfAProcess ? next() : undefined
      taken += 1
      child.send(job ?? { end: true })
    }
    child.on("message", (answer) => {
      onAnswer(job, answer)
      goOn()
    })
    child.on("close", (code, signal) => {
      if (job === undefined) return resolve(taken > jobsOfAProcess ? serve(file, next, onAnswer) : undefined)
      onAnswer(job, { failed: true, text: `seed ${job.seed} FAILED: exit ${code ?? signal} ${output.slice(0, 2000)}` })
      // The others go on in another one.
      resolve(serve(file, next, onAnswer))
    })
    goOn()
  })

const options = process.argv.slice(2)
const known = ["seed", "trace", "twice", "seeds", "from", "workers", "list", "verbose", "soak", "planted", "only"]
const unknown = options.filter((option) => option.startsWith("--") && !known.includes(option.slice(2)))
if (unknown.length > 0) {
  const [usage = ""] =
    /(?<=^\/\*\*\n)[\s\S]*?(?=\n \*\/)/.exec(readFileSync(fileURLToPath(import.meta.url), "utf8")) ?? []
  if (!unknown.includes("--help")) console.error(`Unknown: ${unknown.join(", ")}\n`)
  console.log(usage.replaceAll(/^ \* ?/gm, ""))
  process.exit(unknown.includes("--help") ? 0 : 2)
}
const valueOf = (name, otherwise) => {
  const at = options.indexOf(`--${name}`)
  return at === -1 ? otherwise : (options[at + 1] ?? otherwise)
}

const numbersOf = (name) => valueOf(name, "").split(",").filter(Boolean).map(Number)

/** All at once, but no more than `workers`. */
const inTurn = async (workers, tasks) => {
  const waiting = [...tasks]
  await Promise.all(
    Array.from({ length: workers }, async () => {
      for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) await task()
    })
  )
}

const from = Number(valueOf("from", "1"))
const workers = Number(valueOf("workers", "2"))
if (options.includes("--planted")) {
  const { plantedBugs } = await import(pathToFileURL(await bundle("planted.ts", "planted")).href)
  const wanted = valueOf("planted", "")
  const bugs = plantedBugs.filter(({ name }) => wanted.startsWith("--") || name.includes(wanted))
  if (bugs.length === 0) throw new Error(`No planted bug has "${wanted}" in its name.`)
  const most = Number(valueOf("seeds", "500"))
  let missed = 0
  const began = Date.now()
  await inTurn(
    workers,
    bugs.map((bug, at) => async () => {
      const part = 25
      const file = await bundle("main.ts", `planted-${at}`, bug)
      const only = bug.only === undefined ? [] : ["--only", bug.only.join(",")]
      let found = "NOT FOUND"
      for (let done = 0; done < most && found === "NOT FOUND"; done += part) {
        const first = String(from + done)
        const { code, output } = await run(file, ["--until-found", "--seeds", String(part), "--from", first, ...only])
        const [, after, what] = /found after (\d+) seeds: (.*)/.exec(output) ?? []
        if (after !== undefined) found = `${String(done + Number(after)).padStart(4)} seeds  ${what.slice(0, 120)}`
        else if (code !== 0) found = `FAILED TO RUN ${output.slice(0, 300)}`
      }
      if (!/seeds/.test(found)) missed += 1
      console.log(`${bug.name.padEnd(60)} ${found}`)
    })
  )
  console.log(
    `${missed === 0 ? "All" : "Not all"} planted bugs were found, in ${Math.round((Date.now() - began) / 1000)} s`
  )
  process.exitCode = missed === 0 ? 0 : 1
} else if (options.includes("--seed")) {
  process.setSourceMapsEnabled(true)
  await import(pathToFileURL(await bundle("main.ts", "main")).href)
} else if (options.includes("--soak")) {
  const file = await bundle("main.ts", `soak-${from}`)
  process.exitCode = (await soak({ minutes: Number(valueOf("soak", "60")), from, workers, file, run })) ? 0 : 1
} else {
  const listed = numbersOf("list")
  const twice = numbersOf("twice")
  const count = options.includes("--seeds") || listed.length + twice.length === 0 ? Number(valueOf("seeds", "200")) : 0
  const seeds = new Set([...Array.from({ length: count }, (_, at) => from + at), ...listed])
  const jobs = [
    ...twice.map((seed) => ({ seed, twice: true })),
    ...Array.from(seeds, (seed) => ({ seed, twice: false }))
  ]
  const isTold = new Set(options.includes("--verbose") ? seeds : listed)
  const file = await bundle("main.ts", `range-${from}`)
  const began = Date.now()
  let passed = 0
  let wrong = 0
  // Each worker takes the next job when it is through with one: it is a process for all of them, as V8 takes some ten seeds to get up to speed.
  await Promise.all(
    Array.from({ length: Math.min(workers, jobs.length) }, () =>
      serve(
        file,
        () => jobs.shift(),
        (job, { failed, text }) => {
          if (failed) wrong += 1
          else if (!job.twice) passed += 1
          if (failed || job.twice || isTold.has(job.seed)) console.log(text)
        }
      )
    )
  )
  const seconds = (Date.now() - began) / 1000
  const speed = (seeds.size / seconds).toFixed(1)
  console.log(`${passed} of ${seeds.size} seeds passed in ${seconds.toFixed(1)} s (${speed} a second)`)
  process.exitCode = wrong === 0 ? 0 : 1
}

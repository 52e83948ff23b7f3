/**
 * The agent with its packages in a few files. Read file by file, the 1,500 modules that it needs took most of a start
 * (docs/decisions/0045-the-packages-in-a-few-files.md). What is imported only where it is needed has files of its own, so that nobody else reads it.
 * Names stay as they are in the sources, for stack traces.
 */
import { copyFile, readdir, readFile, writeFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { join, relative } from "node:path"
import { build } from "esbuild"

/** Native code, which stays where it is installed. */
const native = ["libsql", "msgpackr-extract", "pg-native"]

/** Maps of packages name their files; their texts, which would be most of what is installed, are left out. Ours have theirs. */
const withoutTheirTexts = async (file) => {
  const map = JSON.parse(await readFile(file, "utf8"))
  const sourcesContent = map.sources.map((source, at) =>
    packageOf(source) === undefined ? map.sourcesContent[at] : null
  )
  await writeFile(file, JSON.stringify({ ...map, sourcesContent }))
}

/** The folder of the package that a file belongs to; none: it is ours. */
const packageOf = (path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]

/** What is made of others' work says whose, and under which licence. */
const notices = async (inputs) => {
  const folders = [...new Set(inputs.map(packageOf).filter((folder) => folder !== undefined))]
  const told = await Promise.all(
    folders.map(async (folder) => {
      const { name, version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"))
      const file = (await readdir(folder)).find((name) => /^licen[cs]e/i.test(name))
      const text = file === undefined ? "The package has no text of it." : await readFile(join(folder, file), "utf8")
      return `${name} ${version} (${license})\n\n${text.trim()}\n`
    })
  )
  return told.toSorted().join(`\n${"-".repeat(80)}\n\n`)
}

/** `a, b as c` as pairs of a name and what it is called from here on. */
const namesOf = (list) =>
  list
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "")
    .map((name) => {
      const [own, told = own] = name.split(" as ")
      return [own, told]
    })

const required = (_, own, list, all, from) => {
  const taken = [
    ...(own === undefined ? [] : [own]),
    ...(list === undefined ? [] : [`{ ${namesOf(list).map((pair) => pair.join(": "))} }`]),
    ...(all === undefined ? [] : [all])
  ]
  return taken.length === 0 ? `require(${from});` : taken.map((name) => `const ${name} = require(${from});`).join(" ")
}

/** Its value is there once its module has run, and stays. */
const staysAsItIs = (text, name) => {
  const own = name.replaceAll("$", "\\$")
  return new RegExp(`^(?:(?:async )?function\\*? ${own}\\(|(?:var|const|let) ${own} = |class ${own}\\b)`, "m").test(
    text
  )
}

/**
 * A module of esbuild's as CommonJS. What it imports are constants, as fast as in a module; esbuild itself would look each up by name at each use, as
 * it may change. Lines stay where they are, for the maps.
 */
const asCommonJs = (file, text) => {
  const imports = []
  const exports = []
  // What another file gives on has been looked at there.
  const givenOn = new Set()
  const inPlace = (statement) => "\n".repeat(statement.split("\n").length - 1)
  const rest = text
    // Some comments. Elsewhere it is escaped already.
    .replace(/[^\0-\x7f]/g, (other) => `\\u${other.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .replace(/^#!.*$/m, "")
    .replace(
      /^import (?:([\w$]+)(?:, )?)?(?:\{([^}]*)\}|\* as ([\w$]+))?(?: from )?("[^"]+");$/gm,
      (statement, ...parts) => {
        imports.push(required(statement, ...parts))
        for (const [, told] of namesOf(parts[1] ?? "")) givenOn.add(told)
        return inPlace(statement)
      }
    )
    .replace(/^export \{([^}]*)\};$/gm, (statement, list) => {
      for (const [own, told] of namesOf(list)) {
        if (!givenOn.has(own) && !staysAsItIs(text, own))
          throw new Error(`${file}: ${own} may change after its module has run`)
        exports.push(`${told}: ${own}`)
      }
      return inPlace(statement)
    })
    .replace(/^export default (.*);$/gm, (_, value) => {
      exports.push(`default: ${value}`)
      return ""
    })
    .replace(/\bimport\(("\.[^"]+")\)/g, "Promise.resolve().then(() => require($1))")
    // A script whose code was kept cannot import: the loader does it for it. Not what comments have of types.
    .replace(/(?<![\w$.{])import\(/g, "importOfNode(")
  const left = /^(?:import|export)\b.*|\b(?:importMetaUrl|importOfNode) = .*/m.exec(rest)
  if (left !== null) throw new Error(`${file}: ${left[0]}`)
  if (rest.includes("importMetaUrl"))
    imports.unshift('const importMetaUrl = require("node:url").pathToFileURL(__filename).href;')
  if (rest.includes("importOfNode")) imports.unshift('const { importOfNode } = require("../loader.cjs");')
  const [code, map = ""] = rest.split(/^(?=\/\/# sourceMappingURL=)/m)
  return `"use strict"; ${imports.join(" ")}${code}module.exports = { ${exports.join(", ")} };\n${map}`
}

/** What Node is started with, or imports: an ECMAScript module with the names of the CommonJS one. */
const entrance = (directory, file, text, exports) => {
  const loader = relative(join(file, ".."), join(directory, "loader.cjs")).replaceAll("\\", "/")
  const name = relative(directory, file).replaceAll("\\", "/")
  const load = `load(${JSON.stringify(name)})`
  return `${/^#!.*\n/.exec(text)?.[0] ?? ""}import { load } from ${JSON.stringify(loader)}
${exports.length === 0 ? load : `export const { ${exports.join(", ")} } = ${load}`}
`
}

/** What is used of undici at each start, as its index.js has it. `request` is Sentry's, so not here. */
const ofUndici = {
  Agent: "./lib/dispatcher/agent",
  Dispatcher: "./lib/dispatcher/dispatcher",
  buildConnector: "./lib/core/connect",
  errors: "./lib/core/errors"
}

/**
 * undici's index.js loads all that it has, a `fetch` and web sockets of its own, and with them those of Node, which are loaded when they are named: 5
 * % of a start. Here all else than the above is loaded by whoever uses it.
 */
const undiciInParts = {
  name: "undici in parts",
  setup: ({ onLoad, onResolve }) => {
    const index = /[\\/]node_modules[\\/]undici[\\/]index\.js$/
    onResolve({ filter: /^all of undici$/ }, ({ importer }) => ({ path: importer, suffix: "?all" }))
    onLoad({ filter: index }, ({ path, suffix }) => {
      if (suffix === "?all") return undefined
      const others = Object.keys(createRequire(path)(path)).filter((name) => !(name in ofUndici))
      return {
        contents: `
          ${Object.entries(ofUndici)
            .map(([name, file]) => `exports.${name} = require(${JSON.stringify(file)})`)
            .join("\n")}
          Object.assign(exports.Dispatcher.prototype, require("./lib/api"))
          for (const name of ${JSON.stringify(others)})
            Object.defineProperty(exports, name, { enumerable: true, get: () => require("all of undici")[name] })`
      }
    })
  }
}

/**
 * Works in the repository's folder. `entries`: of `src`, each with its path there. `directory` gets them with the same paths, and in `chunks` what
 * they share.
 */
export const bundle = async ({ directory, entries }) => {
  const { metafile } = await build({
    entryPoints: entries,
    outdir: directory,
    outbase: "src",
    // As deep as the entries: the package's own files are found from there.
    chunkNames: "chunks/[name]-[hash]",
    bundle: true,
    splitting: true,
    // CommonJS of it is made here: esbuild splits modules alone.
    format: "esm",
    outExtension: { ".js": ".cjs" },
    platform: "node",
    target: "node20",
    sourcemap: true,
    metafile: true,
    legalComments: "none",
    external: native,
    plugins: [undiciInParts],
    define: { "import.meta.url": "importMetaUrl" },
    // Its modules would be run when somebody asks for them, and their names have no value before.
    alias: { "@opentelemetry/api": join(process.cwd(), "node_modules/@opentelemetry/api/build/src/index.js") },
    logLevel: "warning"
  })
  await Promise.all(
    Object.entries(metafile.outputs).map(async ([file, { entryPoint, exports }]) => {
      if (file.endsWith(".map")) return withoutTheirTexts(file)
      const text = await readFile(file, "utf8")
      await writeFile(file, asCommonJs(file, text))
      if (entries.includes(entryPoint))
        await writeFile(file.replace(/\.cjs$/, ".js"), entrance(directory, file, text, exports))
    })
  )
  await copyFile("scripts/loader.cjs", join(directory, "loader.cjs"))
  await writeFile(join(directory, "THIRD-PARTY.txt"), await notices(Object.keys(metafile.inputs)))
}

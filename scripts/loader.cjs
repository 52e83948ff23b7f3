"use strict"
/**
 * Loads what `bundle.mjs` has made: CommonJS, the same whether Node reads it or this does. With the code that V8 had compiled when the program was
 * built (`code-cache.mjs`) a start compiles next to nothing. Where that code is not for this Node, or is not what was written then, Node reads the
 * files as any others. See docs/decisions/0069-compiled-when-it-is-built.md.
 */
const { readFileSync } = require("node:fs")
const { createRequire, wrap } = require("node:module")
const { join, posix } = require("node:path")
const { Script } = require("node:vm")
const { crc32 } = require("node:zlib")

/** Which Node the code is for. V8 itself looks at its version and its options alone. */
exports.here = `${process.version} ${process.platform} ${process.arch}`
/** Checked whole: V8 trusts all but the beginning of it, and of the text only knows how long it was. */
exports.sumOf = (text, code) => crc32(code, crc32(text))

/** `name`: of a file, from this folder. `code`: what V8 had compiled of it. All of the text is ASCII. */
exports.compile = (name, text, code) =>
  new Script(wrap(text.latin1Slice()), { filename: join(__dirname, name), cachedData: code })

/** Runs files as Node does, once each: `scriptOf(name)` is one compiled. */
exports.reader = (scriptOf) => {
  const modules = new Map()
  const read = (name) => {
    const known = modules.get(name)
    if (known !== undefined) return known.exports
    const module = { exports: {} }
    modules.set(name, module)
    const folder = posix.dirname(name)
    const others = createRequire(join(__dirname, name))
    const own = (wanted) =>
      /^\.\.?\/(?!loader).*\.cjs$/.test(wanted) ? read(posix.join(folder, wanted)) : others(wanted)
    own.resolve = others.resolve
    const run = scriptOf(name).runInThisContext()
    run.call(module.exports, module.exports, own, module, join(__dirname, name), join(__dirname, folder))
    return module.exports
  }
  return read
}

/** For the files: Node has to know who imports, and of what is compiled from kept code it does not. */
exports.importOfNode = (name) => import(name)

/** By file, what it and its code add up to; none: there is no code for this Node. */
const sums = () => {
  // Before 20.15: nothing could be checked. And maps of sources are for what Node reads itself.
  if (crc32 === undefined || process.sourceMapsEnabled !== false) return undefined
  try {
    const { files, made } = JSON.parse(readFileSync(join(__dirname, "code-cache.json"), "utf8"))
    return made === exports.here ? files : undefined
  } catch {
    return undefined
  }
}

const codeOf = (name, text, sum) => {
  if (sum === undefined) return undefined
  try {
    const code = readFileSync(join(__dirname, `${name}.cache`))
    return exports.sumOf(text, code) === sum ? code : undefined
  } catch {
    return undefined
  }
}

const chosen = () => {
  const known = sums()
  if (known === undefined) return (name) => require(join(__dirname, name))
  return exports.reader((name) => {
    const text = readFileSync(join(__dirname, name))
    return exports.compile(name, text, codeOf(name, text, known[name]))
  })
}

/** The program, and what plugins import, from the same files: whoever comes later gets the modules that are there. */
exports.load = chosen()

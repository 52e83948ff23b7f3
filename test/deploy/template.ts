/**
 * Enough of Helm's templates to render our chart, where no `helm` is at hand: text, `define`, `include`, `if` and `with` without `else`, fields,
 * and the functions below. Whatever else a template uses is an error here, and so is a value that values.yaml does not name; Helm would print
 * nothing for it.
 */
import { createHash } from "node:crypto"
import { stringify } from "yaml"

type Node =
  | { readonly _tag: "Text"; readonly text: string }
  | { readonly _tag: "Print"; readonly pipeline: string }
  | { readonly _tag: "Block"; readonly kind: string; readonly argument: string; readonly body: ReadonlyArray<Node> }

const blocks = ["define", "if", "with"]

/** `{{-` and `-}}` take the white space before and after along. */
const parse = (source: string): ReadonlyArray<Node> => {
  const parts = source
    .replace(/\s*\{\{-/g, "{{")
    .replace(/-\}\}\s*/g, "}}")
    .split(/\{\{(.*?)\}\}/s)
  let at = 0
  const nodes = (inside: boolean): ReadonlyArray<Node> => {
    const found: Array<Node> = []
    while (at < parts.length) {
      const text = parts[at] ?? ""
      if (text !== "") found.push({ _tag: "Text", text })
      const action = parts[at + 1]?.trim()
      at += 2
      if (action === undefined) break
      if (action === "end") {
        if (!inside) throw new Error("An end without a beginning.")
        return found
      }
      const [, kind = "", argument = ""] = /^(\S+)\s*(.*)$/s.exec(action) ?? []
      if (blocks.includes(kind)) found.push({ _tag: "Block", kind, argument, body: nodes(true) })
      else found.push({ _tag: "Print", pipeline: action })
    }
    if (inside) throw new Error("A beginning without an end.")
    return found
  }
  return nodes(false)
}

const field = (path: string, dot: unknown): unknown => {
  let value = dot
  for (const name of path.split(".").filter((part) => part !== "")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name))
      throw new Error(`There is no ${path}.`)
    value = Reflect.get(value, name)
  }
  return value
}

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === false ||
  value === 0 ||
  value === "" ||
  (typeof value === "object" && Object.keys(value).length === 0)

const toYaml = (value: unknown): string =>
  stringify(value, { indentSeq: false, sortMapEntries: true, lineWidth: 0 }).trimEnd()

const functions: Readonly<Record<string, (given: ReadonlyArray<unknown>) => unknown>> = {
  default: ([otherwise, value]) => (isEmpty(value) ? otherwise : value),
  nindent: ([width, text]) =>
    `\n${String(text)
      .split("\n")
      .map((line) => " ".repeat(Number(width)) + line)
      .join("\n")}`,
  quote: ([text]) => JSON.stringify(String(text)),
  sha256sum: ([text]) => createHash("sha256").update(String(text)).digest("hex"),
  toYaml: ([value]) => toYaml(value),
  trimSuffix: ([suffix, text]) =>
    String(text).endsWith(String(suffix)) ? String(text).slice(0, -String(suffix).length) : text,
  trunc: ([length, text]) => String(text).slice(0, Number(length))
}

/** A template of a chart and its helpers, with `dot` (`Values`, `Release`, `Chart`) as the root. */
export const render = (helpers: string, template: string, dot: unknown): string => {
  const defined = new Map<string, ReadonlyArray<Node>>()
  const valueOf = (word: string, here: unknown): unknown => {
    if (word.startsWith(".")) return field(word, here)
    return JSON.parse(word)
  }
  const call = (command: string, here: unknown, piped: ReadonlyArray<unknown>): unknown => {
    const [name = "", ...words] = command.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? []
    if (/^["\d.]/.test(name)) return valueOf(name, here)
    const given = [...words.map((word) => valueOf(word, here)), ...piped]
    if (name === "include")
      return print(defined.get(String(given[0])) ?? missing(`template ${String(given[0])}`), given[1])
    return (functions[name] ?? missing(`function ${name}`))(given)
  }
  const evaluate = (pipeline: string, here: unknown): unknown =>
    pipeline.split("|").reduce<ReadonlyArray<unknown>>((piped, command) => [call(command.trim(), here, piped)], [])[0]
  const print = (nodes: ReadonlyArray<Node>, here: unknown): string =>
    nodes
      .map((node) => {
        if (node._tag === "Text") return node.text
        if (node._tag === "Print") return String(evaluate(node.pipeline, here))
        if (node.kind === "define") {
          defined.set(String(JSON.parse(node.argument)), node.body)
          return ""
        }
        const value = evaluate(node.argument, here)
        return isEmpty(value) ? "" : print(node.body, node.kind === "with" ? value : here)
      })
      .join("")
  print(parse(helpers), dot)
  return print(parse(template), dot)
}

const missing = (what: string): never => {
  throw new Error(`There is no ${what} here: Helm may have it, this test does not.`)
}

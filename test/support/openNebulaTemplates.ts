/**
 * An independent reader of templates, for tests: the rules of OpenNebula's own template lexer and grammar (and for XML,
 * of libxml2 as it is used there), written from them and not from our serializer. Throws on what OpenNebula would
 * refuse.
 */
import { SaxesParser } from "saxes"
import type { Attribute } from "../../src/opennebula/template/template.js"

/** Of several rules that match, the longest match wins, as in flex; of equals, the first rule. */
const longest = (input: string, at: number, rules: Readonly<Record<string, RegExp>>): Token => {
  let best = { rule: "", text: "" }
  for (const [rule, pattern] of Object.entries(rules)) {
    const sticky = new RegExp(pattern.source, "suy")
    sticky.lastIndex = at
    const text = sticky.exec(input)?.[0]
    if (text !== undefined && text.length > best.text.length) best = { rule, text }
  }
  if (best.text === "") throw new Error(`nothing matches at ${at}: ${JSON.stringify(input.slice(at, at + 20))}`)
  return best
}

const initial = {
  comment: /[ \t]*#[^\n]*\n/,
  blank: /[ \t\n]+/,
  variable: /[A-Za-z0-9_]+/,
  equal: /[ \t]*=[ \t]*/,
  equalEmpty: /[ \t]*=[ \t]*\n/,
  comma: /[ \t\n]*,[ \t\n]*/,
  close: /[ \t\n]*\][ \t\n]*/
}

/**
 * The end of the longest `"([^"]|\")*"` from `at` on, or -1: the last quote that is reached when `\"` may count as
 * either.
 */
const quotedEnd = (input: string, at: number): number => {
  if (input[at] !== '"') return -1
  let end = -1
  for (let index = at + 1; index < input.length; index += 1) {
    if (input[index] !== '"') continue
    end = index + 1
    if (input[index - 1] !== "\\" || index - 1 === at) break
  }
  return end
}

interface Token {
  readonly rule: string
  readonly text: string
}

const valueToken = (input: string, at: number): Token => {
  const end = quotedEnd(input, at)
  const quoted: Token = { rule: "quoted", text: end === -1 ? "" : input.slice(at, end) }
  const other = ((): Token => {
    try {
      return longest(input, at, {
        cdata: /[^\n]*\]\]>[^\n]*/,
        plain: /[^=#\t \n,[\]]+/,
        open: /[ \t]*\[[ \t\n]*/
      })
    } catch {
      return { rule: "", text: "" }
    }
  })()
  if (other.rule === "cdata" && other.text.length >= quoted.text.length) throw new Error("]]> is refused")
  if (quoted.text.length >= other.text.length && quoted.text !== "") return quoted
  if (other.text === "") throw new Error(`no value at ${at}`)
  return other
}

const tokens = (input: string): ReadonlyArray<Token> => {
  const found: Array<Token> = []
  let at = 0
  let inValue = false
  while (at < input.length) {
    const token: Token = inValue ? valueToken(input, at) : longest(input, at, initial)
    at += token.text.length
    inValue = token.rule === "equal"
    if (token.rule !== "blank" && token.rule !== "comment") found.push(token)
  }
  return found
}

const valueOf = ({ rule, text }: Token): string => {
  if (rule === "quoted") return text.slice(1, -1).replaceAll('\\"', '"')
  if (rule === "plain") return text
  throw new Error(`${rule} where a value should be`)
}

const parseText = (input: string): ReadonlyArray<Attribute> => {
  const left = [...tokens(input)]
  const next = (...rules: ReadonlyArray<string>): Token => {
    const token = left.shift()
    if (token === undefined || !rules.includes(token.rule))
      throw new Error(`${token?.rule ?? "end"} where ${rules.join()} should be`)
    return token
  }
  const found: Array<Attribute> = []
  while (left.length > 0) {
    const name = next("variable").text.toUpperCase()
    if (next("equal", "equalEmpty").rule === "equalEmpty") {
      found.push({ _tag: "Single", name, value: "" })
      continue
    }
    const first = next("quoted", "plain", "open")
    if (first.rule !== "open") {
      found.push({ _tag: "Single", name, value: valueOf(first) })
      continue
    }
    const values: Record<string, string> = {}
    while (left[0]?.rule !== "close") {
      const key = next("variable").text.toUpperCase()
      next("equal")
      const value = valueOf(next("quoted", "plain"))
      if (!(key in values)) values[key] = value
      if (left[0]?.rule !== "close") next("comma")
    }
    next("close")
    found.push({ _tag: "Vector", name, values })
  }
  return found
}

/**
 * An element is single if it has exactly one node below it, and that is text or CDATA; a vector's keys are read from
 * their first node.
 */
const parseXml = (input: string): ReadonlyArray<Attribute> => {
  interface Node {
    readonly name: string
    readonly texts: Array<string>
    readonly elements: Array<Node>
  }
  const open: Array<Node> = []
  let root: Node | undefined
  const parser = new SaxesParser()
  parser.on("opentag", ({ name }) => {
    const node: Node = { name, texts: [], elements: [] }
    open.at(-1)?.elements.push(node)
    root ??= node
    open.push(node)
  })
  parser.on("closetag", () => open.pop())
  parser.on("text", (text) => open.at(-1)?.texts.push(text))
  parser.on("cdata", (text) => open.at(-1)?.texts.push(text))
  parser.write(input).close()
  return (root?.elements ?? []).flatMap((node): ReadonlyArray<Attribute> => {
    const [only, ...more] = node.texts
    if (node.elements.length === 0 && only !== undefined && more.length === 0) {
      return [{ _tag: "Single", name: node.name, value: only }]
    }
    if (node.elements.length === 0) return []
    const keys = node.elements.flatMap(({ name, texts: [first] }) =>
      first === undefined ? [] : [[name, first] as const]
    )
    return [{ _tag: "Vector", name: node.name, values: Object.fromEntries(keys) }]
  })
}

/** As `parse_str_or_xml`: what begins with `<` is XML. */
export const parseTemplate = (input: string): ReadonlyArray<Attribute> =>
  input.startsWith("<") ? parseXml(input) : parseText(input)

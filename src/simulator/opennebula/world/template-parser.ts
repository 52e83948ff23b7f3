/**
 * Reads OpenNebula's template syntax (`NAME="v"`, `VECTOR=[A="1",B="2"]`, bare values to the end of the line, `\"`) and the same
 * as XML (`<TEMPLATE><VM><CPU>8</CPU></VM></TEMPLATE>`, recording 074), with the error sentences of the recordings.
 */
import { readXml, type XmlElement } from "../wire/xml-tree.js"
import { type Attribute, single, Template } from "./template.js"

export type Parsed =
  | { readonly _tag: "Template"; readonly template: Template }
  | { readonly _tag: "ParseError"; readonly message: string }

type TokenKind = "VARIABLE" | "EQUAL" | "EQUAL_EMPTY" | "OBRACKET" | "CBRACKET" | "COMMA" | "STRING" | "$end"

interface Token {
  readonly kind: TokenKind
  readonly text: string
  /** 1-based columns on the line; `until` is one past the end. */
  readonly from: number
  readonly until: number
}

class Unexpected {
  constructor(
    readonly token: Token,
    readonly expecting: string
  ) {}
}

/** Reads tokens on demand, since a value reads differently from a name. Characters that start no token are skipped (recording 365). */
class Scanner {
  private at = 0
  private lineStart = 0
  private last = { from: 1, until: 1 }

  constructor(private readonly text: string) {}

  private token(kind: TokenKind, length: number, text = ""): Token {
    const from = this.at - this.lineStart + 1
    this.at += length
    this.last = { from, until: from + length }
    return { kind, text, ...this.last }
  }

  private rest(): string {
    return this.text.slice(this.at)
  }

  private skipLines(): void {
    for (;;) {
      const skipped = /^(?:\s|#[^\n]*)/.exec(this.rest())?.[0]
      if (skipped === undefined) return
      const newline = skipped.indexOf("\n")
      if (newline >= 0) this.lineStart = this.at + newline + 1
      this.at += skipped.length
    }
  }

  /** A name, a sign or the end. */
  next(): Token {
    for (;;) {
      this.skipLines()
      const rest = this.rest()
      if (rest === "") return { kind: "$end", text: "", ...this.last }
      const name = /^[\p{L}\p{N}_\-./]+/u.exec(rest)?.[0]
      if (name !== undefined) return this.token("VARIABLE", name.length, name.toUpperCase())
      const empty = /^=[ \t]*(?=\r?\n)/.exec(rest)?.[0]
      if (empty !== undefined) return this.token("EQUAL_EMPTY", empty.length)
      if (rest.startsWith("=")) return this.token("EQUAL", 1)
      if (rest.startsWith("[")) return this.token("OBRACKET", 1)
      if (rest.startsWith("]")) return this.token("CBRACKET", 1)
      if (rest.startsWith(",")) return this.token("COMMA", 1)
      const quoted = this.quoted()
      if (quoted !== undefined) return quoted
      this.at += 1
    }
  }

  /** What stands after an equal sign: a quoted string, a bare value, or (outside a vector) an opening bracket. */
  value(inVector: boolean): Token {
    this.skipLines()
    const rest = this.rest()
    if (rest === "") return { kind: "$end", text: "", ...this.last }
    if (!inVector && rest.startsWith("[")) return this.token("OBRACKET", 1)
    const quoted = this.quoted()
    if (quoted !== undefined) return quoted
    const bare = (inVector ? /^[^,\]\n]+/ : /^[^\n]+/).exec(rest)?.[0]
    return bare === undefined ? this.next() : this.token("STRING", bare.length, bare.trim())
  }

  /** To the longest match; a backslash before anything but a quote is a backslash (source: template_parser.l; template_syntax.y, `unescape`). */
  private quoted(): Token | undefined {
    const found = /^"((?:\\"|[^"])*)"/.exec(this.rest())
    if (found === null) return undefined
    return this.token("STRING", found[0].length, (found[1] ?? "").replaceAll('\\"', '"'))
  }
}

/** Of an attribute; the names inside a vector stay as they are (source: Attribute.h). */
const attributeName = (given: string): string => (/^(?:XML|[^\p{L}_])/u.test(given) ? `ONE_${given}` : given)

const readVector = (scanner: Scanner, name: string): Attribute => {
  const values = new Map<string, string>()
  for (;;) {
    const key = scanner.next()
    if (key.kind === "CBRACKET") return { _tag: "Vector", name, values }
    if (key.kind !== "VARIABLE") throw new Unexpected(key, "CBRACKET or VARIABLE")
    const equal = scanner.next()
    if (equal.kind === "EQUAL_EMPTY") values.set(key.text, "")
    else if (equal.kind === "EQUAL") {
      const value = scanner.value(true)
      if (value.kind !== "STRING") throw new Unexpected(value, "STRING")
      values.set(key.text, value.text)
    } else throw new Unexpected(equal, "EQUAL or EQUAL_EMPTY")
    const after = scanner.next()
    if (after.kind === "CBRACKET") return { _tag: "Vector", name, values }
    if (after.kind !== "COMMA") throw new Unexpected(after, "COMMA or CBRACKET")
  }
}

const readAttributes = (text: string): Template => {
  const scanner = new Scanner(text)
  const template = new Template()
  for (;;) {
    const name = scanner.next()
    if (name.kind === "$end") return template
    if (name.kind !== "VARIABLE") throw new Unexpected(name, template.isEmpty ? "$end" : "$end or VARIABLE")
    const equal = scanner.next()
    if (equal.kind === "EQUAL_EMPTY") {
      template.add(single(attributeName(name.text), ""))
      continue
    }
    if (equal.kind !== "EQUAL") throw new Unexpected(equal, "EQUAL or EQUAL_EMPTY")
    const value = scanner.value(false)
    if (value.kind === "OBRACKET") template.add(readVector(scanner, attributeName(name.text)))
    else if (value.kind === "STRING") template.add(single(attributeName(name.text), value.text))
    else throw new Unexpected(value, "OBRACKET or STRING")
  }
}

const fromElement = (element: XmlElement): Attribute =>
  element.children.length === 0
    ? single(element.name.toUpperCase(), element.text)
    : {
        _tag: "Vector",
        name: element.name.toUpperCase(),
        values: new Map(element.children.map((child) => [child.name.toUpperCase(), child.text]))
      }

export const parseTemplate = (text: string): Parsed => {
  if (text.trimStart().startsWith("<")) {
    const tree = readXml(text.trimStart())
    return tree._tag === "Tree"
      ? { _tag: "Template", template: new Template(tree.root.children.map(fromElement)) }
      : { _tag: "ParseError", message: "Parse error: XML Template malformed." }
  }
  try {
    return { _tag: "Template", template: readAttributes(text) }
  } catch (thrown) {
    if (!(thrown instanceof Unexpected)) throw thrown
    const { expecting, token } = thrown
    // The real parser prints an uninitialised number as the line.
    return {
      _tag: "ParseError",
      message: `Parse error: syntax error, unexpected ${token.kind}, expecting ${expecting} at line 0, columns ${token.from}:${token.until}`
    }
  }
}

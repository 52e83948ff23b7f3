/**
 * A YAML file whose values know where they stand.
 *
 * Read as YAML 1.1, as the Python agent does: there `yes` and `off` are booleans, and `<<` merges. A key with nothing
 * behind it counts as not written.
 */
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
  type Scalar,
  visit,
  type YAMLMap
} from "yaml"
import { type Path, type Position, type Problem, pathText } from "./problem.js"

export interface TextAt {
  readonly path: Path
  readonly scalar: Scalar
  readonly text: string
}

export interface YamlFile {
  /** The first syntax error: with it there are no values to speak of, and the others mostly follow from it. */
  readonly broken: ReadonlyArray<Problem>
  /** Keys that stand twice in one mapping. */
  readonly duplicates: ReadonlyArray<Problem>
  /** All values that are text, for what has to be put into them. */
  readonly texts: ReadonlyArray<TextAt>
  /** All values, as they stand in the document now. */
  readonly values: () => { readonly value: unknown } | { readonly problem: Problem }
  /** Where a value stands, or its key; of what is missing, where the mapping stands that lacks it. */
  readonly position: (path: Path, part: "key" | "value") => Position
  readonly scalar: (path: Path) => Scalar | undefined
}

const keyText = (pair: Pair): string => (isScalar(pair.key) ? String(pair.key.value) : String(pair.key))

/** The words for syntax errors. The library's own may quote from the file, and so a secret. */
const syntaxErrors: Readonly<Record<string, string>> = {
  ALIAS_PROPS: "an alias cannot have an anchor or a tag",
  BAD_ALIAS: "the alias (*) refers to an anchor (&) that does not exist",
  BAD_DQ_ESCAPE:
    "there is a backslash sequence in double quotes that YAML does not know; write \\\\ for a backslash, or use single quotes",
  BAD_INDENT: "the indentation is wrong; what belongs together must begin in one column",
  BAD_SCALAR_START: "a value begins with a character that has a meaning of its own; put the value into quotes",
  BLOCK_AS_IMPLICIT_KEY: "there is a second colon in the line; put the value into quotes",
  MISSING_CHAR: "a closing quote, bracket or brace, a comma or a colon is missing",
  MULTILINE_IMPLICIT_KEY: "a key goes over several lines; a colon is missing behind it",
  MULTIPLE_DOCS: "there is more than one document in the file; remove the line with ---",
  TAB_AS_INDENT: "there is a tab in the indentation; use spaces",
  TAG_RESOLVE_FAILED: "there is a tag (!) that is not known here",
  UNEXPECTED_TOKEN: "something stands here that does not belong here; a quote or the indentation is wrong"
}

export const parseYaml = (text: string): YamlFile => {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    version: "1.1",
    uniqueKeys: false,
    prettyErrors: false,
    lineCounter: lines,
    // A value that looks like a date or a time of day is text.
    customTags: (tags) =>
      tags.filter((tag) => typeof tag === "string" || !/:(timestamp|binary|set|omap|pairs)$/.test(tag.tag))
  })
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const errors = [...document.errors, ...document.warnings].map((error) => ({ code: error.code, at: error.pos[0] }))
  const loose =
    errors.length > 0 ? [] : looseAliases(document).map((alias) => ({ code: "BAD_ALIAS", at: startOf(alias) }))
  const broken = [...errors, ...loose]
    .toSorted((a, b) => a.at - b.at)
    .slice(0, 1)
    .map((error) => ({
      path: "",
      position: at(error.at),
      what: `is not valid YAML: ${syntaxErrors[error.code] ?? "this cannot be read"}`
    }))
  return {
    broken,
    duplicates: broken.length > 0 ? [] : duplicatesIn(document, at),
    texts: textsIn(document.contents, []),
    values: () => valuesOf(document, at),
    position: (path, part) => at(offsetOf(document, path, part)),
    scalar: (path) => {
      const node = nodeAt(document, path)
      return isScalar(node) ? node : undefined
    }
  }
}

const valuesOf = (document: Document.Parsed, at: (offset: number) => Position): ReturnType<YamlFile["values"]> => {
  try {
    return { value: withoutNothing(document.toJS({ maxAliasCount: 100 })) }
  } catch {
    // Aliases of aliases of aliases.
    return { problem: { path: "", position: at(0), what: "has too many aliases (*)" } }
  }
}

const looseAliases = (document: Document.Parsed): ReadonlyArray<Alias> => {
  const found: Array<Alias> = []
  visit(document, {
    Alias: (_, alias) => {
      if (alias.resolve(document) === undefined) found.push(alias)
    }
  })
  return found
}

/** Mappings without the keys that have nothing behind them. */
const withoutNothing = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutNothing)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) =>
      inner === null || inner === undefined ? [] : [[key, withoutNothing(inner)]]
    )
  )
}

const textsIn = (node: unknown, path: Path): ReadonlyArray<TextAt> => {
  if (isScalar(node)) return typeof node.value === "string" ? [{ path, scalar: node, text: node.value }] : []
  if (isSeq(node)) return node.items.flatMap((item, index) => textsIn(item, [...path, index]))
  if (isMap(node)) return node.items.flatMap((pair) => textsIn(pair.value, [...path, keyText(pair)]))
  return []
}

const duplicatesIn = (document: Document.Parsed, at: (offset: number) => Position): ReadonlyArray<Problem> => {
  const search = (node: unknown, path: Path): ReadonlyArray<Problem> => {
    if (isSeq(node)) return node.items.flatMap((item, index) => search(item, [...path, index]))
    if (!isMap(node)) return []
    return node.items.flatMap((pair, index) => {
      const key = keyText(pair)
      const inside = search(pair.value, [...path, key])
      const first = node.items.findIndex((other) => keyText(other) === key)
      if (first === index || key === "<<") return inside
      const earlier = at(startOf(node.items[first]?.key))
      const again: Problem = {
        path: pathText([...path, key]),
        position: at(startOf(pair.key)),
        what: `is written twice: it stands on line ${earlier.line} already`,
        hint: "Remove one of the two."
      }
      return [again, ...inside]
    })
  }
  return search(document.contents, [])
}

const startOf = (node: unknown): number =>
  isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? (node.range?.[0] ?? 0) : 0

const resolved = (document: Document.Parsed, node: unknown): unknown => (isAlias(node) ? node.resolve(document) : node)

/** The pair of a key, also if it comes from a merge (`<<`). */
const pairOf = (document: Document.Parsed, map: YAMLMap, key: string): Pair | undefined => {
  const own = map.items.findLast((pair) => keyText(pair) === key)
  if (own !== undefined) return own
  const merged = map.items.filter((pair) => keyText(pair) === "<<").map((pair) => resolved(document, pair.value))
  for (const source of merged.flatMap((node) => (isSeq(node) ? node.items : [node]))) {
    const map = resolved(document, source)
    const found = isMap(map) ? pairOf(document, map, key) : undefined
    if (found !== undefined) return found
  }
  return undefined
}

interface Step {
  readonly key: unknown
  readonly value: unknown
}

/** The nodes on the way to a path, as far as they exist. */
const wayTo = (document: Document.Parsed, path: Path): ReadonlyArray<Step> => {
  const steps: Array<Step> = [{ key: document.contents, value: document.contents }]
  for (const part of path) {
    const here = steps.at(-1)?.value
    const pair = isMap(here) ? pairOf(document, here, String(part)) : undefined
    const item = isSeq(here) && typeof part === "number" ? here.items[part] : undefined
    if (pair !== undefined) steps.push({ key: pair.key, value: resolved(document, pair.value) })
    else if (item !== undefined) steps.push({ key: item, value: resolved(document, item) })
    else return steps
  }
  return steps
}

const nodeAt = (document: Document.Parsed, path: Path): unknown => {
  const steps = wayTo(document, path)
  return steps.length === path.length + 1 ? steps.at(-1)?.value : undefined
}

const offsetOf = (document: Document.Parsed, path: Path, part: "key" | "value"): number => {
  const steps = wayTo(document, path)
  const last = steps.at(-1)
  const exists = steps.length === path.length + 1
  return startOf(exists && part === "value" && isScalar(last?.value) ? last.value : last?.key)
}

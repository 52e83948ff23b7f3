/**
 * What a schema has against a value, in our own words.
 *
 * The schema's own messages quote the value, which may be a secret; so the tree of issues is walked here, and a value
 * is only shown where nothing says that it is secret.
 */
import { Option, ParseResult, Predicate, SchemaAST } from "effect"
import type { Path } from "./problem.js"

export type Finding =
  | { readonly _tag: "Missing"; readonly path: Path }
  | { readonly _tag: "Unknown"; readonly path: Path; readonly known: ReadonlyArray<string> }
  | {
      readonly _tag: "Wrong"
      readonly path: Path
      /** "a number", "text": any of these would do. */
      readonly expected: ReadonlyArray<string>
      /** The schema author's own sentence. May quote the value. */
      readonly own: Option.Option<string>
      readonly actual: unknown
      /** The schema says that this is a secret. */
      readonly secret: boolean
      /** The type was right, and only what it may hold was not. */
      readonly near: boolean
    }

interface Surroundings {
  readonly path: Path
  readonly secret: boolean
}

/** All findings of a failed decoding, one for each path. */
export const findingsOf = (issue: ParseResult.ParseIssue): ReadonlyArray<Finding> =>
  merged(walk(issue, { path: [], secret: false }))

const walk = (issue: ParseResult.ParseIssue, around: Surroundings): ReadonlyArray<Finding> => {
  switch (issue._tag) {
    case "Pointer": {
      const found = walk(issue.issue, { ...around, path: [...around.path, ...keys(issue.path)] })
      // A rule for a whole mapping that names one of its keys comes with the mapping for the value.
      const ofWhole = issue.issue._tag === "Type" && issue.issue.actual === issue.actual
      return ofWhole ? found.map((finding) => withValue(finding, valueAt(issue.actual, keys(issue.path)))) : found
    }
    case "Missing":
      return [{ _tag: "Missing", path: around.path }]
    case "Unexpected":
      return [{ _tag: "Unknown", path: around.path, known: [] }]
    case "Forbidden":
      return []
    case "Type":
      return [wrong(issue.ast, issue, around, false)]
    case "Composite":
      return composite(issue, around)
    case "Refinement":
      if (issue.kind === "From") return walk(issue.issue, around)
      return issue.issue._tag === "Type" ? [wrong(issue.ast, issue.issue, around, true)] : walk(issue.issue, around)
    case "Transformation": {
      const inside = { ...around, secret: around.secret || isRedacted(issue.ast.to) }
      if (issue.kind !== "Transformation") return walk(issue.issue, inside)
      return issue.issue._tag === "Type" ? [wrong(issue.ast.to, issue.issue, inside, true)] : walk(issue.issue, inside)
    }
  }
}

const withValue = (finding: Finding, actual: unknown): Finding =>
  finding._tag === "Wrong" ? { ...finding, actual } : finding

const valueAt = (whole: unknown, path: Path): unknown =>
  path.reduce<unknown>((inside, key) => (Predicate.hasProperty(inside, key) ? inside[key] : undefined), whole)

const composite = (issue: ParseResult.Composite, around: Surroundings): ReadonlyArray<Finding> => {
  const found = asList(issue.issues).flatMap((one) => walk(one, around))
  if (SchemaAST.isUnion(issue.ast)) return ofUnion(found, around)
  const known = keysOf(issue.ast)
  return found.map((finding) =>
    finding._tag === "Unknown" && finding.known.length === 0 && finding.path.length === around.path.length + 1
      ? { ...finding, known }
      : finding
  )
}

const asList = <A>(items: A | ReadonlyArray<A>): ReadonlyArray<A> => (isList(items) ? items : [items])
const isList = <A>(items: A | ReadonlyArray<A>): items is ReadonlyArray<A> => Array.isArray(items)

/** Where one member got further than the others, it is the one that was meant. */
const ofUnion = (found: ReadonlyArray<Finding>, around: Surroundings): ReadonlyArray<Finding> => {
  const deeper = found.filter((finding) => finding.path.length > around.path.length)
  if (deeper.length > 0) return deeper
  const near = found.filter((finding) => finding._tag === "Wrong" && finding.near)
  return near.length > 0 ? near : found
}

const wrong = (ast: SchemaAST.AST, issue: ParseResult.Type, around: Surroundings, near: boolean): Finding => {
  // Effect's own transformations have a message too ("Unable to decode ..."), which is not one for people.
  const authored = Option.isSome(SchemaAST.getMessageAnnotation(ast)) || /^Expected /.test(issue.message ?? "")
  const own = authored
    ? Option.fromNullable(ParseResult.ArrayFormatter.formatIssueSync(issue)[0]?.message)
    : Option.none()
  const secret = around.secret || isRedacted(ast)
  return { _tag: "Wrong", path: around.path, expected: expectation(ast), own, actual: issue.actual, secret, near }
}

const keys = (path: ParseResult.Path): Path =>
  asList(path).map((part) => (typeof part === "number" ? part : String(part)))

const isRedacted = (ast: SchemaAST.AST): boolean =>
  Option.exists(SchemaAST.getTypeConstructorAnnotation(ast), (made) => made._tag === "effect/Redacted") ||
  (SchemaAST.isTransformation(ast) && isRedacted(ast.to))

const keysOf = (ast: SchemaAST.AST): ReadonlyArray<string> => {
  if (SchemaAST.isTypeLiteral(ast)) return ast.propertySignatures.map((signature) => String(signature.name))
  if (SchemaAST.isTransformation(ast)) return keysOf(ast.from)
  return SchemaAST.isRefinement(ast) ? keysOf(ast.from) : []
}

/** What a schema wants, in words. */
const expectation = (ast: SchemaAST.AST): ReadonlyArray<string> => {
  switch (ast._tag) {
    case "StringKeyword":
    case "TemplateLiteral":
      return ["text"]
    case "NumberKeyword":
      return ["a number"]
    case "BooleanKeyword":
      return ["true or false"]
    case "Literal":
      return [JSON.stringify(ast.literal) ?? String(ast.literal)]
    case "TypeLiteral":
      return ["a mapping"]
    case "TupleType":
      return ["a list"]
    case "Union":
      return ast.types.flatMap(expectation)
    case "UndefinedKeyword":
    case "NeverKeyword":
      return []
    case "Transformation":
      return described(ast) ?? expectation(ast.from)
    case "Refinement":
      return described(ast) ?? expectation(ast.from)
    case "Suspend":
      return expectation(ast.f())
    default:
      return described(ast) ?? ["something else"]
  }
}

const described = (ast: SchemaAST.Annotated): ReadonlyArray<string> | undefined =>
  Option.getOrUndefined(Option.map(SchemaAST.getDescriptionAnnotation(ast), (text) => [text]))

const merged = (findings: ReadonlyArray<Finding>): ReadonlyArray<Finding> => {
  const byPath = new Map<string, Finding>()
  for (const finding of findings) {
    const key = JSON.stringify([finding._tag, finding.path])
    const earlier = byPath.get(key)
    byPath.set(key, earlier === undefined ? finding : both(earlier, finding))
  }
  return [...byPath.values()]
}

const both = (a: Finding, b: Finding): Finding => {
  if (a._tag === "Wrong" && b._tag === "Wrong") {
    return {
      ...a,
      expected: [...new Set([...a.expected, ...b.expected])],
      own: Option.orElse(a.own, () => b.own),
      secret: a.secret || b.secret
    }
  }
  if (a._tag === "Unknown" && b._tag === "Unknown") return { ...a, known: [...new Set([...a.known, ...b.known])] }
  return a
}

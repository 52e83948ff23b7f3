/** Values of the file, decoded by a schema; what does not fit becomes problems with their place in the file. */
import { Either, Option, Schema } from "effect"
import { isScalar, parseDocument, type Scalar } from "yaml"
import { printable } from "../../core/components.js"
import { meant } from "./closest.js"
import { type Finding, findingsOf } from "./findings.js"
import type { Outside } from "./outside.js"
import { type Path, type Problem, pathText } from "./problem.js"
import type { YamlFile } from "./yaml-file.js"

/** A configuration file on its way to a configuration. */
export interface Source {
  readonly file: YamlFile
  readonly outside: Outside
}

export interface Read<A> {
  readonly decoded: A
  /** What was decoded: as in the file, with numbers and booleans in the place of text that means them. */
  readonly encoded: unknown
}

/** Decodes the value at `at`. Every problem at once, and keys that are not known are problems. */
export const read = <A, I>(
  source: Source,
  schema: Schema.Schema<A, I>,
  value: unknown,
  at: Path
): Either.Either<Read<A>, ReadonlyArray<Problem>> => {
  const decode = (encoded: unknown) =>
    Schema.decodeUnknownEither(schema)(encoded, { errors: "all", onExcessProperty: "error" }).pipe(
      Either.map((decoded) => ({ decoded, encoded })),
      Either.mapLeft((error) => findingsOf(error.issue))
    )
  return decode(value).pipe(
    Either.orElse((findings) =>
      Either.mapLeft(decode(otherwise(source, value, at, findings)), (left) => inFirstWords(findings, left))
    ),
    Either.mapLeft((findings) => findings.flatMap((finding) => problemsOf(source, at, finding)))
  )
}

/**
 * What is still wrong after the second reading, in the words of the first, which speak of what stands in the file,
 * unless it got further.
 */
const inFirstWords = (first: ReadonlyArray<Finding>, left: ReadonlyArray<Finding>): ReadonlyArray<Finding> =>
  left.map((finding) => {
    const earlier = first.find((other) => other._tag === finding._tag && same(other.path, finding.path))
    const further = finding._tag === "Wrong" && finding.near && earlier?._tag === "Wrong" && !earlier.near
    return further ? finding : (earlier ?? finding)
  })

const same = (a: Path, b: Path): boolean => a.length === b.length && a.every((part, index) => part === b[index])

/**
 * The value with text that means a number or a boolean taken for one, and numbers taken for text, where the schema
 * wants it so: a port from an environment variable, `verify_ssl: "no"`, a uuid or token of digits alone. The Python
 * agent does the former too.
 */
const otherwise = (source: Source, value: unknown, at: Path, findings: ReadonlyArray<Finding>): unknown =>
  findings.reduce((whole, finding) => {
    const scalar = finding._tag === "Wrong" ? source.file.scalar([...at, ...finding.path]) : undefined
    const other = scalar === undefined ? undefined : otherReading(scalar)
    return other === undefined ? whole : replaced(whole, finding.path, other)
  }, value)

const otherReading = (scalar: Scalar): unknown => {
  if (typeof scalar.value === "string") {
    const plain = parseDocument(scalar.value, { version: "1.1", prettyErrors: false })
    const meaning = plain.errors.length === 0 && isScalar(plain.contents) ? plain.contents.value : undefined
    return typeof meaning === "number" || typeof meaning === "boolean" ? meaning : undefined
  }
  return typeof scalar.value === "number" ? scalar.source : undefined
}

const replaced = (whole: unknown, path: Path, value: unknown): unknown => {
  const [part, ...rest] = path
  if (part === undefined) return value
  if (Array.isArray(whole)) return whole.map((item, index) => (index === part ? replaced(item, rest, value) : item))
  if (typeof whole !== "object" || whole === null) return whole
  return Object.fromEntries(
    Object.entries(whole).map(([key, inner]) => [key, key === String(part) ? replaced(inner, rest, value) : inner])
  )
}

const problemsOf = (source: Source, at: Path, finding: Finding): ReadonlyArray<Problem> => {
  const path = [...at, ...finding.path]
  const scalar = source.file.scalar(path)
  if (scalar !== undefined && source.outside.failed.has(scalar)) return []
  return [{ path: pathText(path), ...placeAndWords(source, path, finding) }]
}

const placeAndWords = (source: Source, path: Path, finding: Finding): Omit<Problem, "path"> => {
  switch (finding._tag) {
    case "Missing":
      return { position: source.file.position(path, "key"), what: "is missing" }
    case "Unknown":
      return {
        position: source.file.position(path, "key"),
        what: "is not a known key",
        hint: unknownKeyHint(String(path.at(-1)), finding.known)
      }
    case "Wrong":
      return { position: source.file.position(path, "value"), ...wrongWords(source, path, finding) }
  }
}

const unknownKeyHint = (key: string, known: ReadonlyArray<string>): string => {
  const secret = key.replace(/_file$/, "")
  return secret !== key && known.includes(secret)
    ? `To take it from a file, write ${secret}: \${file:/path}.`
    : meant(key, known, "Known here")
}

const wrongWords = (
  source: Source,
  path: Path,
  finding: Extract<Finding, { readonly _tag: "Wrong" }>
): Pick<Problem, "what" | "hint"> => {
  const secret = finding.secret || isSecret(source, path)
  const fromFile = isMapping(finding.actual) && typeof finding.actual.file === "string"
  const hint = fromFile ? { hint: `To take it from a file, write \${file:/path}.` } : {}
  if (finding.actual === "") return { what: "is empty" }
  const own = Option.filter(finding.own, (text) => !secret || !quotes(text, finding.actual))
  const wanted = Option.match(own, {
    onNone: () => anyOf(finding.expected),
    onSome: (text) => text.replace(/^Expected /, "").replace(/\.$/, "")
  })
  // A secret that is text, and not the right one: all that is left to say is what the right one would be.
  if (secret && typeof finding.actual === "string") {
    return { what: Option.isNone(own) && wanted === "text" ? "is not valid" : `must be ${wanted}` }
  }
  // An address with a user in it may have a password in it.
  const hidden = typeof finding.actual === "string" && finding.actual.includes("@")
  const actual = hidden ? "" : `, but is ${secret ? kindOf(finding.actual) : shown(finding.actual)}`
  return { what: `must be ${wanted}${actual}`, ...hint }
}

/** Does a sentence have a piece of the value in it? */
const quotes = (text: string, value: unknown): boolean => {
  if (typeof value !== "string") return false
  const size = Math.min(6, value.length)
  return Array.from({ length: value.length - size + 1 }, (_, at) => value.slice(at, at + size)).some((piece) =>
    text.includes(piece)
  )
}

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Names of what is secret, whatever a schema says. */
const secretName = /pass|secret|token|credential|dsn|private|api_?key/i

const isSecret = (source: Source, path: Path): boolean => {
  const scalar = source.file.scalar(path)
  if (scalar !== undefined && source.outside.filled.has(scalar)) return true
  return path.some((part) => typeof part === "string" && secretName.test(part) && !/_(url|file|uuid)$/.test(part))
}

const anyOf = (words: ReadonlyArray<string>): string =>
  words.length < 2 ? (words[0] ?? "something else") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`

const kindOf = (value: unknown): string => {
  if (typeof value === "string") return "text"
  if (typeof value === "number") return "a number"
  if (typeof value === "boolean") return "true or false"
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list"
  return isMapping(value) ? "a mapping" : "nothing"
}

const shown = (value: unknown): string => {
  if (typeof value === "number" || typeof value === "boolean") return String(value)
  return typeof value === "string" ? JSON.stringify(printable(value)) : kindOf(value)
}

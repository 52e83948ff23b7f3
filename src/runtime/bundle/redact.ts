/** The configuration for other people's eyes. */
import { parse, stringify } from "yaml"
import { OfferingKeys, RootKeys } from "../config/keys.js"

const redacted = "<redacted>"

const mayHoldSecret = /passw|secret|token|credential|proxy|dsn|key|auth|header|cert|^database$/i

/** What a key is called in the file, and need not be hidden: the schema's own names. What is none of them may be a misspelt token. */
const known: ReadonlySet<string> = new Set([...Object.keys(RootKeys.fields), ...Object.keys(OfferingKeys.fields)])

/** `${WALDUR_TOKEN}` and `${file:/path}` say where a secret is, and not what it is; a default does. */
const asReference = (text: string): string | undefined => {
  const [, name] = /^\s*\$\{([^}:]+|file:[^}]+)(?::-[^}]*)?\}\s*$/.exec(text) ?? []
  return name === undefined ? undefined : `\${${name}}`
}

const withoutUser = (text: string): string => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url !== undefined && (url.username !== "" || url.password !== "") ? redacted : text
}

export interface Redacted {
  readonly text: string
  /** What was taken out: to be struck out of everything else. */
  readonly secrets: ReadonlyArray<string>
}

/** Comments are left out: they may hold what was tried before. */
export const redactYaml = (file: string): Redacted => {
  const secrets = new Set<string>()
  const taken = (text: string): string => {
    secrets.add(text)
    // "user:password" comes in parts as well.
    if (/^[^:/]+:./.test(text)) secrets.add(text.slice(text.indexOf(":") + 1))
    return redacted
  }
  const walk = (value: unknown, hidden: boolean, depth: number): unknown => {
    if (Array.isArray(value)) return value.map((item) => walk(item, hidden, depth + 1))
    if (typeof value === "object" && value !== null) {
      // The file's own level, and an offering's (in the list of offerings): there the schema knows every key.
      const strict = depth === 0 || depth === 2
      return Object.fromEntries(
        Object.entries(value).map(([key, inner]) => {
          const unknown = strict && !known.has(key)
          return [key, walk(inner, hidden || mayHoldSecret.test(key) || unknown, depth + 1)]
        })
      )
    }
    if (typeof value !== "string" && typeof value !== "number") return value
    const text = String(value)
    const reference = asReference(text)
    if (hidden)
      return text === ""
        ? ""
        : reference === text.trim()
          ? reference
          : `${taken(text)}${reference === undefined ? "" : ` (${reference})`}`
    const shown = withoutUser(text)
    return shown === text ? value : taken(text)
  }
  try {
    return { text: stringify(walk(parse(file), false, 0)), secrets: [...secrets] }
  } catch {
    return { text: "# The file is not YAML, so it is left out.\n", secrets: [] }
  }
}

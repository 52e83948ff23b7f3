/** The recordings of two real Waldur servers: one exchange a file, in the order in which they were made. */
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { Schema } from "effect"
import type { Generation } from "../../src/simulator/waldur/index.js"

export type Value = string | number | boolean | null | ReadonlyArray<Value> | { readonly [key: string]: Value }

const Value: Schema.Schema<Value> = Schema.suspend(() =>
  Schema.Union(
    Schema.String,
    Schema.Number,
    Schema.Boolean,
    Schema.Null,
    Schema.Array(Value),
    Schema.Record({ key: Schema.String, value: Value })
  )
)

const Headers = Schema.Record({ key: Schema.String, value: Schema.String })

const Exchange = Schema.Struct({
  name: Schema.String,
  /** The role that asked. */
  as: Schema.String,
  request: Schema.Struct({
    method: Schema.String,
    /** The address after redirects: its query is what was sent, its path may not be. */
    url: Schema.String,
    path: Schema.String,
    headers: Headers,
    body: Schema.NullOr(Value)
  }),
  response: Schema.Struct({
    status: Schema.Number,
    headers: Headers,
    json: Schema.NullOr(Value),
    text: Schema.NullOr(Schema.String)
  })
})

export interface Recording extends Schema.Schema.Type<typeof Exchange> {
  /** `waldur-2024/052-approve-by-provider`. */
  readonly id: string
}

const directories: { readonly [generation in Generation]: string } = {
  "2024": "waldur-2024",
  current: "waldur-current"
}

export const recordingsOf = (generation: Generation): ReadonlyArray<Recording> => {
  const directory = directories[generation]
  const root = fileURLToPath(new URL(`../fixtures/${directory}/`, import.meta.url))
  const decode = Schema.decodeUnknownSync(Schema.parseJson(Exchange))
  return readdirSync(root)
    .filter((file) => file.endsWith(".json"))
    .sort()
    .map((file) => ({ ...decode(readFileSync(`${root}${file}`, "utf8")), id: `${directory}/${file.slice(0, -5)}` }))
}

export const isRecord = (value: Value | undefined): value is { readonly [key: string]: Value } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

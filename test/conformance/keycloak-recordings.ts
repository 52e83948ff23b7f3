/** The recordings of a real Keycloak 26.7.3: one exchange a file, in order; a few are eight requests at once. */
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { Schema } from "effect"

const Headers = Schema.Record({ key: Schema.String, value: Schema.String })

const Exchange = Schema.Struct({
  request: Schema.Struct({
    method: Schema.String,
    path: Schema.String,
    query: Schema.NullOr(Schema.String),
    headers: Headers,
    body: Schema.NullOr(Schema.String)
  }),
  response: Schema.Struct({ status: Schema.Number, headers: Headers, body: Schema.String })
})
const Race = Schema.Struct({
  request: Schema.Struct({ method: Schema.String, path: Schema.String, body: Schema.NullOr(Schema.Unknown) }),
  responses: Schema.Array(
    Schema.Struct({ status: Schema.Number, body: Schema.String, location: Schema.NullOr(Schema.String) })
  )
})

export type Exchange = typeof Exchange.Type
export type Race = typeof Race.Type
export interface Recording {
  readonly number: number
  /** `078-group-create-parent` */
  readonly id: string
  readonly exchange: Exchange | Race
}

export const isRace = (exchange: Exchange | Race): exchange is Race => "responses" in exchange

export const recordings = (): ReadonlyArray<Recording> => {
  const root = fileURLToPath(new URL("../fixtures/keycloak/", import.meta.url))
  const decode = Schema.decodeUnknownSync(Schema.parseJson(Schema.Union(Exchange, Race)))
  return readdirSync(root)
    .filter((file) => file.endsWith(".json"))
    .sort()
    .map((file) => ({
      number: Number(file.slice(0, 3)),
      id: file.slice(0, -5),
      exchange: decode(readFileSync(`${root}${file}`, "utf8"))
    }))
}

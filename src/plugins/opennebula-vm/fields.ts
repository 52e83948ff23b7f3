/** Fields of an order's attributes, as Waldur's forms send them: null or an empty text for what was not filled in, numbers as text. */
import { Schema } from "effect"

/** `expected`: for the sentence that a customer gets. */
export const field = <A, I>(schema: Schema.Schema<A, I>, expected: string) =>
  Schema.optionalWith(
    Schema.Union(Schema.Literal(""), schema).annotations({
      message: () => ({ message: `Expected ${expected}`, override: true })
    }),
    { nullable: true }
  )

/** A text, also where a form sends a number or a tick for it. */
export const textOf = Schema.transform(Schema.Union(Schema.String, Schema.Finite, Schema.Boolean), Schema.String, {
  strict: true,
  decode: (value) => (typeof value === "boolean" ? (value ? "YES" : "NO") : String(value).trim()),
  encode: (text) => text
})

/** YES or NO, as OpenNebula's appliances read it. */
export const flag = field(
  textOf.pipe(
    Schema.filter((text) => /^(yes|no|true|false)$/i.test(text)),
    Schema.transform(Schema.String, {
      strict: true,
      decode: (text) => (/^(yes|true)$/i.test(text) ? "YES" : "NO"),
      encode: (text) => text
    })
  ),
  "YES or NO"
)

/** What was filled in; undefined for nothing. */
export const given = (text: string | undefined): string | undefined => {
  const trimmed = text?.trim() ?? ""
  return trimmed === "" ? undefined : trimmed
}

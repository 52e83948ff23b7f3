/**
 * Requests: the `xmlrpc` package serialises, behind a guard that lets nothing through that OpenNebula 7.4 answers with a fault, or
 * that would arrive as something else.
 */
import { Effect } from "effect"
import CustomType from "xmlrpc/lib/customtype.js"
import { serializeMethodCall } from "xmlrpc/lib/serializer.js"
import { type CallContext, UnsendableNumber, UnsendableText } from "../errors.js"
import type { Param } from "./answer.js"

/**
 * The package writes a string with `<` or `&` as CDATA, where a carriage return is lost and a second `]]>` ends the section early.
 * As a custom type it is escaped text in every case.
 */
class EscapedString extends CustomType {
  override tagName = "string"
}

/** Everything that XML 1.0 cannot carry, in any spelling; with the `u` flag a lone surrogate is one code point. */
const unsendable = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u

const isInt32 = (value: number): boolean => (value | 0) === value

/** Position given to the session string and to the method's name in errors: they are no parameters of the caller's. */
const notAParameter = -1

/** What is wrong with a value, if anything is. */
type Guarded = Effect.Effect<never, UnsendableText> | undefined

const guardText = (call: CallContext, text: string, parameter: number): Guarded => {
  const found = unsendable.exec(text)
  if (found === null) return undefined
  const code = (text.codePointAt(found.index) ?? 0).toString(16).toUpperCase().padStart(4, "0")
  return Effect.fail(new UnsendableText({ ...call, parameter, character: `U+${code}` }))
}

const guardNumbers = (call: CallContext, values: ReadonlyArray<number>, parameter: number): Guarded => {
  const wrong = values.find((value) => !isInt32(value))
  return wrong === undefined
    ? undefined
    : Effect.die(new UnsendableNumber({ ...call, parameter, value: String(wrong) }))
}

const guard = (call: CallContext, param: Param, parameter: number): Guarded => {
  switch (typeof param) {
    case "string":
      return guardText(call, param, parameter)
    case "number":
      return guardNumbers(call, [param], parameter)
    case "boolean":
      return undefined
    case "object":
      if (Array.isArray(param)) return guardNumbers(call, param, parameter)
  }
  // Only untyped code comes here, with undefined or null: the package would write an empty <param/> or <nil/>.
  return Effect.die(new UnsendableNumber({ ...call, parameter, value: String(param) }))
}

const asValue = (param: Param): unknown => (typeof param === "string" ? new EscapedString(param) : param)

/**
 * The body of one call, with the session as its first parameter: strings escaped, numbers as `<int>`.
 *
 * Fails with `UnsendableText` (it may be the customer's text); dies with `UnsendableNumber` (it is our bug).
 */
export const encodeRequest = (
  call: CallContext,
  session: string,
  params: ReadonlyArray<Param>
): Effect.Effect<Buffer, UnsendableText> =>
  Effect.suspend(() => {
    const wrong = [
      guardText(call, call.method, notAParameter),
      guardText(call, session, notAParameter),
      ...params.map((param, index) => guard(call, param, index))
    ].find((guarded) => guarded !== undefined)
    return (
      wrong ??
      Effect.sync(() => Buffer.from(serializeMethodCall(call.method, [session, ...params].map(asValue)), "utf8"))
    )
  })

import { describe, expect, it } from "@effect/vitest"
import { Arbitrary, Effect, Either, FastCheck, identity, Option, ParseResult, Schema, SchemaAST } from "effect"
import { decodeQuickly } from "./quickly.js"

const Inner = Schema.Struct({
  id: Schema.NumberFromString.pipe(Schema.int(), Schema.between(0, 100)),
  note: Schema.optional(Schema.String),
  kind: Schema.Literal("a", "b"),
  flag: Schema.transform(Schema.String, Schema.Boolean, { strict: true, decode: (it) => it === "1", encode: String })
})
const Whole = Schema.Struct({
  name: Schema.String.annotations({ arbitrary: () => (fc) => fc.string({ maxLength: 5 }) }),
  count: Schema.Number,
  inner: Schema.Array(Inner),
  maybe: Schema.NullOr(Schema.Number),
  free: Schema.Record({ key: Schema.String, value: Schema.Number }),
  pair: Schema.Tuple(Schema.String, Schema.Boolean),
  defaulted: Schema.optionalWith(Schema.Number, { default: () => 7 }),
  some: Schema.OptionFromSelf(Schema.Number),
  renamed: Schema.optionalWith(
    Schema.transform(Schema.Unknown, Schema.String, { strict: true, decode: String, encode: (text) => text }),
    { default: () => "none" }
  ).pipe(Schema.fromKey("by_another_name")),
  listed: Schema.optionalWith(Schema.Array(Inner), { default: () => [], nullable: true }),
  composed: Schema.compose(Schema.Trim, Schema.NumberFromString),
  mended: Schema.Number.annotations({ decodingFallback: () => Either.right(-1) }),
  refusing: Schema.transformOrFail(Schema.String, Schema.String, {
    strict: true,
    decode: (value, _, ast) =>
      value === "no" ? ParseResult.fail(new ParseResult.Type(ast, value, "never")) : ParseResult.succeed(value),
    encode: ParseResult.succeed
  })
})

const given = {
  name: "n",
  count: 1,
  inner: [{ id: "7", kind: "a", flag: "1" }],
  maybe: null,
  free: { a: 1 },
  pair: ["x", true],
  some: Option.some(1),
  by_another_name: 8,
  listed: null,
  composed: " 9 ",
  mended: 1,
  refusing: "yes",
  excess: 1
} as const

/** What each of the two makes of it, refusals in words. */
const both = <A, I>(schema: Schema.Schema<A, I>, input: unknown) => {
  const outcome = Either.mapLeft<ParseResult.ParseError, string>(({ message }) => message)
  return [outcome(decodeQuickly(schema)(input)), outcome(Schema.decodeUnknownEither(schema)(input))] as const
}

describe("decoding quickly", () => {
  it("gives what Schema gives, or refuses in the same words", () => {
    const broken = FastCheck.tuple(FastCheck.constantFrom(...Object.keys(given)), FastCheck.anything()).map(
      ([key, value]) => ({ ...given, [key]: value })
    )
    const innerBroken = FastCheck.tuple(FastCheck.constantFrom("id", "kind", "flag", "note"), FastCheck.anything()).map(
      ([key, value]) => ({ ...given, inner: [given.inner[0], { ...given.inner[0], [key]: value }] })
    )
    const lacking = FastCheck.constantFrom(...Object.keys(given)).map((key) =>
      Object.fromEntries(Object.entries(given).filter(([name]) => name !== key))
    )
    const inputs = FastCheck.oneof(
      Arbitrary.make(Schema.encodedSchema(Whole)),
      broken,
      innerBroken,
      lacking,
      FastCheck.anything()
    )
    return FastCheck.assert(
      FastCheck.property(inputs, (input) => {
        const [quickly, slowly] = both(Whole, input)
        expect(quickly).toEqual(slowly)
      }),
      { numRuns: 250 }
    )
  })

  it("takes what fits, and leaves out what is not asked for", () => {
    const [quickly, slowly] = both(Whole, given)
    expect(quickly).toEqual(slowly)
    expect(Either.getOrThrow(quickly)).toMatchObject({ inner: [{ id: 7, kind: "a", flag: true }], defaulted: 7 })
    expect(Either.getOrThrow(quickly)).toMatchObject({ renamed: "8", listed: [], composed: 9 })
    expect(Either.getOrThrow(quickly)).not.toHaveProperty("excess")
  })

  it("leaves fields that change places to Schema", () => {
    const Swapped = Schema.make<{ a: string; b: string }, { a: string; b: string }>(
      new SchemaAST.Transformation(
        Schema.Struct({ a: Schema.String, b: Schema.String }).ast,
        Schema.Struct({ a: Schema.optional(Schema.String), b: Schema.String }).ast,
        new SchemaAST.TypeLiteralTransformation([
          new SchemaAST.PropertySignatureTransformation("a", "b", identity, identity),
          new SchemaAST.PropertySignatureTransformation("b", "a", identity, identity)
        ])
      )
    )
    const [quickly, slowly] = both(Swapped, { a: "1", b: "2" })
    expect(quickly).toEqual(slowly)
  })

  it("goes through a schema once, however often it is asked for", () => {
    let looks = 0
    const field = Schema.declare([], {
      decode: () => {
        looks += 1
        return ParseResult.succeed
      },
      encode: () => ParseResult.succeed
    })
    const schema = Schema.Struct({ field })
    for (const input of [1, 2, 3])
      expect(decodeQuickly(schema)({ field: input })).toEqual(Either.right({ field: input }))
    expect(looks).toBe(1)
  })

  it("leaves what is done with effects to Schema, which refuses it here", () => {
    const later = Schema.transformOrFail(Schema.String, Schema.String, {
      strict: true,
      decode: (value) => Effect.delay(Effect.succeed(`${value}!`), 0),
      encode: ParseResult.succeed
    })
    const [quickly, slowly] = both(later, "a")
    expect(Either.isLeft(quickly)).toBe(true)
    expect(quickly).toEqual(slowly)
  })
})

/**
 * Decoding by a schema what comes by the ten thousand, as the machines of a pool do. `Schema.decode` makes an Either and an Option of
 * every field at every layer of its schema, so that it can say what is wrong: 40 µs for a machine, as much as to read its XML. This goes through the
 * same schema, with the schema's own functions, and says nothing: where something does not fit, or a kind of schema is not known here, the
 * schema itself is asked, and its answer is the answer.
 */
import { type Effect, Either, Option, ParseResult, Predicate, Schema, SchemaAST } from "effect"

/** What a decoder gives that has no value to give: it does not fit, or it cannot be told here. */
const unsure: unique symbol = Symbol("unsure")

type Decoder = (input: unknown) => unknown

const options = SchemaAST.defaultParseOption

const settled = (result: Effect.Effect<unknown, ParseResult.ParseIssue, unknown>): unknown =>
  Either.isEither(result) && Either.isRight(result) ? result.right : unsure

/** Asks Effect, for a part of a schema. */
const byEffect = (ast: SchemaAST.AST): Decoder => {
  const decode = ParseResult.decodeUnknownEither(Schema.make<unknown, unknown>(ast))
  return (input) => Either.getOrElse(decode(input), () => unsure)
}

const fields = (ast: SchemaAST.TypeLiteral): Decoder => {
  const properties = ast.propertySignatures.map(({ name, isOptional, type }) => ({
    name,
    isOptional,
    decode: decoderOf(type)
  }))
  return (input) => {
    if (!Predicate.isRecord(input)) return unsure
    const output: Record<PropertyKey, unknown> = {}
    for (const { name, isOptional, decode } of properties) {
      if (!Object.hasOwn(input, name)) {
        if (isOptional) continue
        return unsure
      }
      const value = decode(input[name])
      if (value === unsure) return unsure
      output[name] = value
    }
    return output
  }
}

const items = (ast: SchemaAST.AST): Decoder => {
  const decode = decoderOf(ast)
  return (input) => {
    if (!Array.isArray(input)) return unsure
    const output: Array<unknown> = []
    for (const item of input) {
      const value = decode(item)
      if (value === unsure) return unsure
      output.push(value)
    }
    return output
  }
}

const hasItsOwnWay = ({ annotations }: SchemaAST.AST): boolean =>
  SchemaAST.ParseOptionsAnnotationId in annotations || SchemaAST.DecodingFallbackAnnotationId in annotations

const decoderOf = (ast: SchemaAST.AST): Decoder => {
  if (hasItsOwnWay(ast)) return byEffect(ast)
  switch (ast._tag) {
    case "StringKeyword":
      return (input) => (typeof input === "string" ? input : unsure)
    case "NumberKeyword":
      return (input) => (typeof input === "number" ? input : unsure)
    case "BooleanKeyword":
      return (input) => (typeof input === "boolean" ? input : unsure)
    case "TypeLiteral":
      return ast.indexSignatures.length === 0 && ast.propertySignatures.length > 0 ? fields(ast) : byEffect(ast)
    case "TupleType": {
      const [item, ...more] = ast.rest
      return item !== undefined && more.length === 0 && ast.elements.length === 0 ? items(item.type) : byEffect(ast)
    }
    case "Declaration": {
      const decode = ast.decodeUnknown(...ast.typeParameters)
      return (input) => settled(decode(input, options, ast))
    }
    case "Refinement": {
      const from = decoderOf(ast.from)
      return (input) => {
        const value = from(input)
        return value === unsure || Option.isSome(ast.filter(value, options, ast)) ? unsure : value
      }
    }
    case "Transformation": {
      const { transformation } = ast
      if (transformation._tag !== "FinalTransformation") return byEffect(ast)
      const from = decoderOf(ast.from)
      const to = decoderOf(ast.to)
      return (input) => {
        const encoded = from(input)
        if (encoded === unsure) return unsure
        const value = settled(transformation.decode(encoded, options, ast, input))
        return value === unsure ? unsure : to(value)
      }
    }
    default:
      return byEffect(ast)
  }
}

/**
 * The same as `Schema.decodeUnknownEither`. A schema's functions are asked a second time where something does not fit, so they should be no more than
 * functions.
 */
export const decodeQuickly = <A, I>(
  schema: Schema.Schema<A, I>
): ((input: unknown) => Either.Either<A, ParseResult.ParseError>) => {
  const quick = decoderOf(schema.ast)
  const slow = Schema.decodeUnknownEither(schema)
  const isDecoded = (value: unknown): value is A => value !== unsure
  return (input) => {
    const value = quick(input)
    return isDecoded(value) ? Either.right(value) : slow(input)
  }
}

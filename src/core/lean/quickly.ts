/**
 * Decoding by a schema what comes by the ten thousand, as the machines of a pool do, or with each call, as the marketplace's answers. `Schema.decode`
 * makes an Either and an Option of every field at every layer of its schema, so that it can say what is wrong: 40 µs for a machine, as much as to
 * read its XML. This goes through the same schema, with the schema's own functions, and says nothing: where something does not fit, or a kind of
 * schema is not known here, the schema itself is asked, and its answer is the answer.
 *
 * What is made of a schema is kept with it: it is made once, by whoever asks first, and then found.
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

const composed =
  (from: Decoder, to: Decoder): Decoder =>
  (input) => {
    const value = from(input)
    return value === unsure ? unsure : to(value)
  }

/** Renames fields, and fills in what is not there. */
const renamed = (from: Decoder, changes: ReadonlyArray<SchemaAST.PropertySignatureTransformation>, to: Decoder) => {
  const changed = new Set(changes.map((change) => change.from))
  return composed(
    composed(from, (encoded) => {
      if (!Predicate.isRecord(encoded)) return unsure
      const output: Record<PropertyKey, unknown> = {}
      for (const key of Reflect.ownKeys(encoded)) if (!changed.has(key)) output[key] = encoded[key]
      for (const change of changes) {
        const value = change.decode(
          Object.hasOwn(encoded, change.from) ? Option.some(encoded[change.from]) : Option.none()
        )
        if (Option.isSome(value)) output[change.to] = value.value
      }
      return output
    }),
    to
  )
}

/** Does none of them take what another one has put there? */
const areApart = (changes: ReadonlyArray<SchemaAST.PropertySignatureTransformation>): boolean =>
  changes.every((one) => changes.every((other) => one === other || (one.to !== other.from && one.from !== other.from)))

const hasItsOwnWay = ({ annotations }: SchemaAST.AST): boolean =>
  SchemaAST.ParseOptionsAnnotationId in annotations || SchemaAST.DecodingFallbackAnnotationId in annotations

const isNothing = (ast: SchemaAST.AST): boolean =>
  ast._tag === "UndefinedKeyword" || (ast._tag === "Literal" && ast.literal === null)

const made = new WeakMap<SchemaAST.AST, Decoder>()

const decoderOf = (ast: SchemaAST.AST): Decoder => {
  const found = made.get(ast) ?? make(ast)
  made.set(ast, found)
  return found
}

const make = (ast: SchemaAST.AST): Decoder => {
  if (hasItsOwnWay(ast)) return byEffect(ast)
  switch (ast._tag) {
    case "UnknownKeyword":
      return (input) => input
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
    case "Union": {
      const [one, ...others] = ast.types.filter((type) => !isNothing(type))
      if (one === undefined || others.length > 0) return byEffect(ast)
      const [decode, nothing] = [decoderOf(one), byEffect(ast)]
      return (input) => (input === null || input === undefined ? nothing(input) : decode(input))
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
      const [from, to] = [decoderOf(ast.from), decoderOf(ast.to)]
      if (transformation._tag === "ComposeTransformation") return composed(from, to)
      if (transformation._tag === "TypeLiteralTransformation") {
        const changes = transformation.propertySignatureTransformations
        return areApart(changes) ? renamed(from, changes, to) : byEffect(ast)
      }
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
  const isDecoded = (value: unknown): value is A => value !== unsure
  return (input) => {
    const value = quick(input)
    return isDecoded(value) ? Either.right(value) : Schema.decodeUnknownEither(schema)(input)
  }
}

/** A table of a schema's keys: what each may hold, what it is by default, what it is for. */
import { Option, Redacted, Schema, SchemaAST } from "effect"

/** What a value may be, in words; a schema's own description comes first. */
const kindOf = (ast: SchemaAST.AST): string => {
  const described = SchemaAST.getDescriptionAnnotation(ast)
  if (Option.isSome(described) && ast._tag === "Refinement") return described.value
  switch (ast._tag) {
    case "Refinement":
    case "Suspend":
      return kindOf(ast._tag === "Refinement" ? ast.from : ast.f())
    case "Transformation":
      return kindOf(ast.from)
    case "StringKeyword":
      return "text"
    case "NumberKeyword":
      return "number"
    case "BooleanKeyword":
      return "`true` or `false`"
    case "Literal":
      return `\`${String(ast.literal)}\``
    case "Union": {
      const kinds = ast.types.filter(({ _tag }) => _tag !== "UndefinedKeyword").map(kindOf)
      return [...new Set(kinds)].join(" or ")
    }
    case "TupleType":
      return `list of: ${[...new Set(ast.rest.map(({ type }) => kindOf(type)))].join(", ")}`
    case "TypeLiteral":
      return ast.propertySignatures.length === 0
        ? "a mapping"
        : `{ ${ast.propertySignatures.map(({ name }) => String(name)).join(", ")} }`
    default:
      return "any value"
  }
}

const isSecret = (ast: SchemaAST.AST): boolean =>
  ast._tag === "Declaration"
    ? Option.exists(SchemaAST.getDescriptionAnnotation(ast), (text) => text.startsWith("Redacted"))
    : ast._tag === "Transformation"
      ? isSecret(ast.to)
      : ast._tag === "Union"
        ? ast.types.some(isSecret)
        : false

const shown = (value: unknown): string =>
  value === undefined || value === "" || Redacted.isRedacted(value) ? "" : `\`${JSON.stringify(value)}\``

const cell = (text: string): string => text.replaceAll("|", "\\|").replace(/\s+/g, " ").trim()

export interface Keys<A, I> {
  readonly schema: Schema.Schema<A, I>
  readonly comments: ReadonlyMap<string, string>
  /** What must be there, so that the defaults of the rest can be read. */
  readonly required: I
  /** Left out of the table. */
  readonly hidden?: ReadonlySet<string>
}

export const tableOf = <A extends object, I>({ schema, comments, required, hidden }: Keys<A, I>): string => {
  const defaults = new Map<string, unknown>(Object.entries(Schema.decodeSync(schema)(required)))
  const fields = SchemaAST.getPropertySignatures(SchemaAST.encodedBoundAST(schema.ast))
  const decoded = new Map(
    SchemaAST.getPropertySignatures(SchemaAST.typeAST(schema.ast)).map((field) => [field.name, field])
  )
  const given = new Set(Object.keys(Object(required)))
  const rows = fields
    .map((field) => ({ ...field, name: String(field.name) }))
    .filter(({ name }) => hidden?.has(name) !== true)
    .map(({ name, type }) => {
      const secret = isSecret(decoded.get(name)?.type ?? type)
      const comment = comments.get(name) ?? ""
      if (comment === "") throw new Error(`the key ${name} has no comment that says what it is for`)
      const byDefault = given.has(name) ? "**required**" : shown(defaults.get(name))
      return `| \`${name}\` | ${cell(kindOf(type))}${secret ? ", secret" : ""} | ${byDefault} | ${cell(comment)} |`
    })
  return ["| key | holds | default | what it is for |", "|---|---|---|---|", ...rows].join("\n")
}

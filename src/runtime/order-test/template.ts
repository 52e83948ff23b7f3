/** The order that is tried: a YAML file with places for values, `{{name}}`. */
import * as FileSystem from "@effect/platform/FileSystem"
import { Data, Effect, Either, ParseResult, Schema } from "effect"
import { parse, YAMLParseError } from "yaml"
import { printable } from "../../core/index.js"
import type { OfferingConfig } from "../config/index.js"
import { reasonOf } from "../config/outside.js"

const Amounts = Schema.Record({ key: Schema.String, value: Schema.Number })

export const TestOrder = Schema.Struct({
  /** The resource's name, as the customer writes it. */
  name: Schema.NonEmptyString,
  /** What a customer fills in: `subnet_cidr`, `ssh_public_key`, `template_id`, ... */
  attributes: Schema.optionalWith(Schema.Record({ key: Schema.String, value: Schema.Unknown }), {
    default: () => ({})
  }),
  /** How much of each component, in the offering's units: as limits, or, of components that are billed `fixed`, as the plan's. */
  amounts: Amounts,
  /** What it is changed to, by a second order. None: it is not changed. */
  change: Schema.optional(Amounts)
})
export type TestOrder = typeof TestOrder.Type

export class TemplateRefused extends Data.TaggedError("TemplateRefused")<{
  readonly file: string
  readonly reason: string
}> {
  override get message(): string {
    return `The order in ${this.file} cannot be used: ${this.reason}`
  }
}

/** Every `{{name}}` with its value. Values are put in as YAML text of their own, so that none can add keys. */
export const render = (text: string, values: ReadonlyMap<string, string>): Either.Either<string, string> => {
  const missing = new Set<string>()
  const rendered = text.replace(/"?\{\{\s*([\w-]+)\s*\}\}"?/g, (_, name: string) => {
    const value = values.get(name)
    if (value === undefined) missing.add(name)
    return /^-?\d+(\.\d+)?$/.test(value ?? "") ? (value ?? "") : JSON.stringify(value ?? "")
  })
  return missing.size === 0
    ? Either.right(rendered)
    : Either.left(`it has places without a value: give ${[...missing].map((name) => `--set ${name}=...`).join(" ")}`)
}

const keys = Object.keys(TestOrder.fields)

/** What stands in the file is not printed where it is no order: whoever names the wrong file may have named one with secrets. */
const isMapping = Schema.is(Schema.Record({ key: Schema.String, value: Schema.Unknown }))

/** Once what an order has, then what this one has not, or has beyond that. */
const unfit = (given: unknown, error: ParseResult.ParseError): string => {
  const needed = "An order has name and amounts, and may have attributes and change: see examples/order-vdc.yaml."
  if (!isMapping(given)) return `it is no order. ${needed}`
  const issues = ParseResult.ArrayFormatter.formatErrorSync(error)
  const unknown = Object.keys(given).filter((key) => !keys.includes(key))
  const missing = issues.filter(({ _tag }) => _tag === "Missing").map(({ path }) => path.join("."))
  const wrong = issues
    .filter(({ _tag }) => _tag !== "Missing" && _tag !== "Unexpected")
    .map(({ message, path }) => `${path.join(".")}: ${message}`)
  const faults = [
    ...(missing.length === 0 ? [] : [`it lacks ${missing.join(" and ")}`]),
    ...(unknown.length === 0 ? [] : [`it has what no order has: ${unknown.map(printable).join(", ")}`]),
    ...wrong
  ].join("; ")
  return missing.length + unknown.length === 0 ? faults : `${faults}. ${needed}`
}

export const readOrder = (file: string, values: ReadonlyMap<string, string>) =>
  Effect.gen(function* () {
    const refused = (reason: string) => new TemplateRefused({ file, reason })
    const text = yield* (yield* FileSystem.FileSystem)
      .readFileString(file)
      .pipe(Effect.mapError((error) => refused(`it cannot be read: ${reasonOf(error)}.`)))
    const rendered = yield* Effect.mapError(render(text, values), refused)
    const given = yield* Effect.try({
      try: (): unknown => parse(rendered),
      catch: (error) =>
        refused(`it is not valid YAML${error instanceof YAMLParseError ? `, at line ${error.linePos?.[0].line}` : ""}.`)
    })
    return yield* Schema.decodeUnknown(TestOrder, { onExcessProperty: "error", errors: "all" })(given).pipe(
      Effect.mapError((error) => refused(unfit(given, error)))
    )
  })

/** An order for another offering than this. Only what Waldur knows is not known here: what the file has no word of is left to the opening. */
export const assertOrderable = (
  file: string,
  { amounts, change }: TestOrder,
  { components, name, plugin }: Pick<OfferingConfig, "components" | "name" | "plugin">
): Effect.Effect<void, TemplateRefused> => {
  const ordered = plugin.quantities?.filter((quantity) => quantity.ordered).map((quantity) => quantity.name)
  const known = [...Object.keys(components), ...(ordered ?? [])]
  const strange =
    ordered === undefined ? [] : Object.keys({ ...amounts, ...change }).filter((type) => !known.includes(type))
  return strange.length === 0
    ? Effect.void
    : new TemplateRefused({
        file,
        reason: `it names ${strange.map(printable).join(", ")}, and orders for ${JSON.stringify(printable(name))} (${plugin.type}) can name ${[...new Set(known)].join(", ")}. Correct them, or name the offering that it is for by --offering.`
      })
}

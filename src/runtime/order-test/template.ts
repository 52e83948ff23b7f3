/** The order that is tried: a YAML file with places for values, `{{name}}`. */
import * as FileSystem from "@effect/platform/FileSystem"
import { Data, Effect, Either, ParseResult, Schema } from "effect"
import { parse } from "yaml"

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

export const readOrder = (file: string, values: ReadonlyMap<string, string>) =>
  Effect.gen(function* () {
    const refused = (reason: string) => new TemplateRefused({ file, reason })
    const text = yield* (yield* FileSystem.FileSystem)
      .readFileString(file)
      .pipe(Effect.mapError(() => refused("it cannot be read.")))
    const rendered = yield* Effect.mapError(render(text, values), refused)
    const given = yield* Effect.try({
      try: (): unknown => parse(rendered),
      catch: () => refused("it is not valid YAML.")
    })
    return yield* Schema.decodeUnknown(TestOrder, { onExcessProperty: "error", errors: "all" })(given).pipe(
      Effect.mapError((error) =>
        refused(
          ParseResult.ArrayFormatter.formatErrorSync(error)
            .map(({ path, message }) => `${path.map(String).join(".")}: ${message}`)
            .join("; ")
        )
      )
    )
  })

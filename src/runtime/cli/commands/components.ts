/** `site-actors components`: what an offering sells, as the file, Waldur and the backend have it; and how to make them agree. */
import { Command, Options } from "@effect/cli"
import { Array, Console, Effect, Either, Option } from "effect"
import { asYaml, compared, load } from "../../components/index.js"
import { components as joined, loadConfig, type OfferingConfig } from "../../config/index.js"
import { connectWaldur } from "../../offerings/open.js"
import { plugins } from "../../plugins.js"
import { table } from "../../terminal/table.js"
import * as choose from "../choose.js"
import { described } from "../help.js"
import { NotPossible } from "../open-journal.js"
import * as options from "../options.js"

const loading = Options.boolean("load").pipe(
  Options.withDescription("Make the components in Waldur what backend_components says. None is removed.")
)
const yaml = Options.boolean("yaml").pipe(
  Options.withDescription("Print Waldur's components as backend_components, for the configuration.")
)

export const components = Command.make(
  "components",
  {
    config: options.config,
    dataDir: options.unusedDataDir,
    offering: choose.offering,
    load: loading,
    yaml,
    json: options.json
  },
  (given) =>
    Effect.gen(function* () {
      yield* options.onlyOne({ "--load": given.load, "--yaml": given.yaml })
      const wanted = yield* choose.chosen(yield* loadConfig(given.config, plugins), given.offering)
      const results = yield* Effect.forEach(wanted, (offering) =>
        looked(offering, given.load).pipe(
          Effect.tap((seen) => (given.json ? Effect.void : Console.log(given.yaml ? inYaml(seen) : told(seen)))),
          Effect.scoped,
          Effect.asSome,
          Effect.catchAll((error) => Effect.as(Console.error(`${offering.name}: ${error.message}`), Option.none()))
        )
      )
      if (given.json) yield* Console.log(JSON.stringify(Array.getSomes(results).map(asJson), null, 2))
      const fine = results.every((one) => Option.isSome(one) && (given.yaml || isFine(one.value)))
      if (results.some(Option.isNone)) {
        return yield* new NotPossible({ reason: "Not all components could be looked at: see above what to change." })
      }
      if (!fine) {
        return yield* new NotPossible({ reason: "The components do not fit: see above what to change." })
      }
    })
).pipe(
  Command.withDescription(
    described(
      "Shows an offering's components in the configuration, in Waldur and in the backend, and what does not fit. Loads them into Waldur, or prints Waldur's for the file.",
      "site-actors components -c config.yaml",
      "site-actors components -c config.yaml --offering 'Virtual machines' --load"
    )
  )
)

/** What there is on the three sides, after `load` has made Waldur's what the file says. */
const looked = (offering: OfferingConfig, loads: boolean) =>
  Effect.gen(function* () {
    const waldur = yield* connectWaldur(offering)
    const before = yield* waldur.offering(offering.id)
    const loaded = loads ? yield* load(waldur, offering, before.components) : undefined
    const { components: now } = loads ? yield* waldur.offering(offering.id) : before
    const faults = Either.match(joined(offering, now), { onLeft: (all) => all, onRight: () => [] })
    return { offering, now, loaded, rows: compared(offering, now), faults: faults.map(({ message }) => message) }
  })
type Looked = Effect.Effect.Success<ReturnType<typeof looked>>

const isFine = ({ faults, loaded = [] }: Looked): boolean =>
  faults.length === 0 && loaded.every(({ outcome }) => outcome !== "failed")

const asJson = ({ offering, loaded, rows, faults }: Looked) => ({
  offering: offering.id,
  name: offering.name,
  components: rows,
  ...(loaded === undefined ? {} : { loaded }),
  faults
})

const inYaml = ({ now, offering }: Looked): string => `# ${offering.name}\n${asYaml(now)}`

const told = ({ faults, loaded, offering, rows }: Looked): string =>
  [
    `${offering.name} (${offering.plugin.type})`,
    ...(loaded === undefined
      ? []
      : loaded.length === 0
        ? ["Nothing to load: the offering has no backend_components in the file."]
        : [
            table(
              [{ title: "component" }, { title: "" }, { title: "what" }],
              loaded.map(({ type, outcome, detail }) => [type, outcome, detail])
            ),
            ""
          ]),
    table(
      [{ title: "component" }, { title: "in the file" }, { title: "in Waldur" }, { title: "in the backend" }],
      rows.map((row) => [row.type, row.file, row.waldur, row.backend])
    ),
    faults.length === 0 ? "They fit.\n" : `${faults.join("\n")}\n`
  ].join("\n")

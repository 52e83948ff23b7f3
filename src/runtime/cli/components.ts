/** `site-actors components`: what an offering sells, as the file, Waldur and the backend have it; and how to make them agree. */
import { Command, Options } from "@effect/cli"
import { Console, Effect, Either } from "effect"
import { asYaml, compared, load } from "../components/index.js"
import { components as joined, loadConfig, type OfferingConfig } from "../config/index.js"
import { connectWaldur } from "../offerings/open.js"
import { plugins } from "../plugins.js"
import * as choose from "./choose.js"
import { NotPossible } from "./open-journal.js"
import * as options from "./options.js"
import { table } from "./table.js"

const loading = Options.boolean("load").pipe(
  Options.withDescription("Make the components in Waldur what backend_components says. None is removed.")
)
const yaml = Options.boolean("yaml").pipe(
  Options.withDescription("Print Waldur's components as backend_components, for the configuration.")
)

export const components = Command.make(
  "components",
  { config: options.config, offering: choose.offering, load: loading, yaml },
  (given) =>
    Effect.gen(function* () {
      const wanted = yield* choose.chosen(yield* loadConfig(given.config, plugins), given.offering)
      const results = yield* Effect.forEach(wanted, (offering) =>
        shown(offering, given).pipe(
          Effect.scoped,
          Effect.catchAll((error) => Effect.as(Console.error(`${offering.name}: ${error.message}`), false))
        )
      )
      if (results.includes(false)) {
        return yield* new NotPossible({ reason: "The components do not fit: see above what to change." })
      }
    })
).pipe(
  Command.withDescription(
    "Shows an offering's components in the configuration, in Waldur and in the backend, and what does not fit. Loads them into Waldur, or prints Waldur's for the file."
  )
)

/** Whether all is well. */
const shown = (offering: OfferingConfig, given: { readonly load: boolean; readonly yaml: boolean }) =>
  Effect.gen(function* () {
    const waldur = yield* connectWaldur(offering)
    const before = yield* waldur.offering(offering.id)
    if (given.yaml) {
      yield* Console.log(`# ${offering.name}\n${asYaml(before.components)}`)
      return true
    }
    yield* Console.log(`${offering.name} (${offering.plugin.type})`)
    const loaded = given.load ? yield* load(waldur, offering, before.components) : []
    if (given.load) {
      yield* Console.log(
        loaded.length === 0
          ? "Nothing to load: the offering has no backend_components in the file."
          : `${table(
              [{ title: "component" }, { title: "" }, { title: "what" }],
              loaded.map(({ type, outcome, detail }) => [type, outcome, detail])
            )}\n`
      )
    }
    const { components: now } = given.load ? yield* waldur.offering(offering.id) : before
    yield* Console.log(
      table(
        [{ title: "component" }, { title: "in the file" }, { title: "in Waldur" }, { title: "in the backend" }],
        compared(offering, now).map((row) => [row.type, row.file, row.waldur, row.backend])
      )
    )
    const faults = Either.match(joined(offering, now), { onLeft: (all) => all, onRight: () => [] })
    yield* Console.log(faults.length === 0 ? "They fit.\n" : `${faults.map(({ message }) => message).join("\n")}\n`)
    return faults.length === 0 && loaded.every(({ outcome }) => outcome !== "failed")
  })

/** `site-actors init`: asks a few questions, holds each answer against the servers, and writes a configuration file. */
import { Command, Options } from "@effect/cli"
import { Console, Effect } from "effect"
import { countOf } from "../../../core/index.js"
import { OpenNebulaConnections } from "../../../opennebula/index.js"
import { loadConfig } from "../../config/index.js"
import { credentialsVariable, fileOf, interview, tokenVariable } from "../../init/index.js"
import { mayBeWritten, writeNew } from "../../new-file.js"
import { plugins } from "../../plugins.js"
import { described } from "../help.js"
import * as options from "../options.js"

const said = (name: string, description: string) =>
  Options.text(name).pipe(Options.withDescription(description), Options.optional)

const secretFile = (name: string, description: string) =>
  options.path(name, "file").pipe(Options.withDescription(description), Options.optional)

const output = options
  .path("output", "file")
  .pipe(
    Options.withAlias("o"),
    Options.withDescription(
      "The file to write, config.yaml if it is not said. One that is there already is left alone."
    ),
    Options.withDefault("config.yaml")
  )

const offerings = Options.text("offering").pipe(
  Options.withDescription("An offering and its backend: --offering <uuid or name>=vdc, or =vm. May be given again."),
  Options.repeated
)

const given = {
  waldurUrl: said("waldur-url", "Waldur's address: https://waldur.example.com/api/"),
  waldurTokenFile: secretFile(
    "waldur-token-file",
    `A file with the token of the agent's user. Without it: the variable ${tokenVariable}. The configuration refers to either.`
  ),
  waldurCaFile: secretFile("waldur-ca-file", "The authority that signed Waldur's certificate (PEM)."),
  offerings,
  openNebulaUrl: said("opennebula-url", "OpenNebula's address: http://one.example.com:2633/RPC2"),
  openNebulaCredentialsFile: secretFile(
    "opennebula-credentials-file",
    `A file with user:password of an administrator. Without it: the variable ${credentialsVariable}.`
  ),
  openNebulaCaFile: secretFile("opennebula-ca-file", "The authority that signed OpenNebula's certificate (PEM)."),
  zone: said("zone", "The zone, by name or id; not needed if there is one."),
  clusters: said("clusters", "The clusters, by names or ids with commas between; without it all of the zone."),
  externalNetwork: said("external-network", "For data centres: the network to the world, by name or id; or none."),
  routerTemplate: said("router-template", "For data centres: the template of routers, by name or id; or none."),
  template: said("template", "For machines: the VM template, by name or id."),
  dataDir: options.dataDir
}

/** Whether somebody can be asked. */
const terminal = Effect.sync(() => process.stdin.isTTY === true && process.stdout.isTTY === true)

export const init = Command.make("init", { output, ...given }, ({ output, ...given }) =>
  Effect.gen(function* () {
    yield* mayBeWritten(output)
    const answers = yield* interview(given, yield* terminal)
    yield* writeNew(output, new TextEncoder().encode(fileOf(answers)))
    // Read as `run` will read it.
    const config = yield* loadConfig(output, plugins)
    const typed = [answers.waldur.token, answers.openNebula.credentials].some(({ _tag }) => _tag === "Typed")
    yield* Console.log(
      [
        `Written: ${output}, for ${countOf(config.offerings.length, "offering")}, readable by its owner only.${typed ? " It holds the secrets that were typed in." : ""}`,
        "",
        "What to do next:",
        `  site-actors check -c ${output}     looks at everything that it names, and changes nothing`,
        `  site-actors run -c ${output}       does the work`
      ].join("\n")
    )
  }).pipe(Effect.scoped, Effect.provide(OpenNebulaConnections.live()))
).pipe(
  Command.withDescription(
    described(
      "Asks a few questions, holds each answer against Waldur and OpenNebula, and writes a configuration file with comments. What the options say is not asked.",
      "site-actors init -o config.yaml",
      "site-actors init --waldur-url https://waldur.example.com/api/ --offering 'Virtual machines=vm' --opennebula-url http://one.example.com:2633/RPC2 --template ubuntu"
    )
  )
)

/** The questions, in their order. Each answer is held against the servers before the next is asked for. */
import { Prompt } from "@effect/cli"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import { Config, Console, Data, Effect, Option, Redacted } from "effect"
import { countOf, printable } from "../../core/index.js"
import { type OpenNebulaService, osDisk } from "../../opennebula/index.js"
import type { Offering } from "../../waldur/index.js"
import { reasonOf } from "../config/outside.js"
import { uuidOf } from "../config/values.js"
import { type Answers, type Kind, kinds, type OfferingAnswers, type Secret } from "./answers.js"
import { AnswersMissing, answered } from "./asking.js"
import { pickOne, pickOneOrNone, pickSome } from "./picking.js"
import {
  componentsOf,
  frontEndAs,
  looksLikeMachines,
  openNebulaAt,
  providerAs,
  sellsDisks,
  waldurAt
} from "./servers.js"

/** What the command line says. Secrets are in files or in the environment: a command line is for everybody to read. */
export interface Given {
  readonly waldurUrl: Option.Option<string>
  readonly waldurTokenFile: Option.Option<string>
  readonly waldurCaFile: Option.Option<string>
  /** `<uuid or name>=<kind>` */
  readonly offerings: ReadonlyArray<string>
  readonly openNebulaUrl: Option.Option<string>
  readonly openNebulaCredentialsFile: Option.Option<string>
  readonly openNebulaCaFile: Option.Option<string>
  readonly zone: Option.Option<string>
  readonly clusters: Option.Option<string>
  readonly externalNetwork: Option.Option<string>
  readonly routerTemplate: Option.Option<string>
  readonly template: Option.Option<string>
  readonly dataDir: Option.Option<string>
}

export const tokenVariable = "WALDUR_API_TOKEN"
export const credentialsVariable = "OPENNEBULA_CREDENTIALS"

/** What is said is not what can be used. */
class NotUsable extends Data.TaggedError("NotUsable")<{ readonly reason: string }> {
  override get message(): string {
    return this.reason
  }
}

const told = (text: string) => Console.log(`  ${text}`)

/** A file that the configuration will refer to: what a pipe gives now nobody finds there again. */
const lasting = (flag: string, path: string) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const refused = (why: string) => new NotUsable({ reason: `${flag}: ${path} cannot be read: ${why}. Name another.` })
    const text = yield* Effect.mapError(files.readFileString(path), (error) => refused(reasonOf(error)))
    const { type } = yield* Effect.mapError(files.stat(path), (error) => refused(reasonOf(error)))
    if (type === "File") return text
    return yield* new NotUsable({
      reason: `${flag}: the configuration refers to this file, and ${path} is none that stays: name one that does.`
    })
  })

/** From a file, else from the environment. */
const secretOf = (flag: string, file: Option.Option<string>, variable: string) =>
  Effect.gen(function* () {
    if (Option.isSome(file)) {
      const path = (yield* Path.Path).resolve(file.value)
      const text = yield* lasting(flag, path)
      const value = Redacted.make(text.replace(/\r?\n$/, ""))
      return Option.some<Secret>({ _tag: "File", path, value })
    }
    const value = yield* Effect.orElseSucceed(Config.option(Config.redacted(variable)), () => Option.none())
    return Option.map(
      Option.filter(value, (one) => Redacted.value(one) !== ""),
      (one): Secret => ({ _tag: "Environment", name: variable, value: one })
    )
  })

/** The path of a certificate, wherever the agent is started later. */
const authority = (flag: string, file: Option.Option<string>) =>
  Effect.gen(function* () {
    if (Option.isNone(file)) return undefined
    const path = (yield* Path.Path).resolve(file.value)
    yield* lasting(flag, path)
    return path
  })

/** Where a secret that is refused came from. */
const sourceOf = (given: Option.Option<Secret>, flag: string): string =>
  Option.match(given, { onNone: () => flag, onSome: (one) => (one._tag === "Environment" ? one.name : flag) })

const typed = <E, R>(prompt: Effect.Effect<Redacted.Redacted, E, R>) =>
  Effect.map(prompt, (value): Secret => ({ _tag: "Typed", value: Redacted.make(Redacted.value(value).trim()) }))

const kindOf = (text: string): Kind | undefined => kinds.find((kind) => kind === text || kind === `opennebula-${text}`)

/** `OpenNebula VDC=vdc`: the offering by its uuid or its name, and its backend. */
const offeringNamed = (text: string, offerings: ReadonlyArray<Offering>) =>
  Effect.gen(function* () {
    const at = text.lastIndexOf("=")
    const kind = kindOf(text.slice(at + 1).trim())
    if (at < 1 || kind === undefined) {
      return yield* new NotUsable({
        reason: `${JSON.stringify(text)} must be <uuid or name>=vdc or <uuid or name>=vm.`
      })
    }
    const name = text.slice(0, at).trim()
    const uuid = uuidOf(name)
    const found = offerings.filter((one) => one.uuid === uuid || one.name === name)
    const [only, ...others] = found
    if (only === undefined || others.length > 0) {
      const list = (found.length > 0 ? found : offerings)
        .map((one) => `${one.uuid} (${printable(one.name)})`)
        .join(", ")
      return yield* new NotUsable({
        reason: `${only === undefined ? "the token sees no offering" : "several offerings are called"} ${JSON.stringify(printable(name))}. It sees ${list}.`
      })
    }
    return { offering: only, kind }
  })

/** The file that came of it would not be taken. */
const eachOnce = (chosen: ReadonlyArray<{ readonly offering: Offering; readonly kind: Kind }>) => {
  const again = chosen.find(({ offering }, at) => chosen.findIndex((one) => one.offering.uuid === offering.uuid) < at)
  return again === undefined
    ? Effect.succeed(chosen)
    : new NotUsable({ reason: `${JSON.stringify(printable(again.offering.name))} is named twice: name it once.` })
}

const askForOfferings = (offerings: ReadonlyArray<Offering>) =>
  Effect.gen(function* () {
    const chosen = yield* Prompt.multiSelect({
      message: "Which offerings shall the agent work for?",
      choices: offerings.map((one) => ({ title: printable(one.name), value: one.uuid })),
      min: 1
    })
    return yield* Effect.forEach(
      offerings.filter(({ uuid }) => chosen.includes(uuid)),
      (offering) => {
        const machines = { title: "virtual machines (opennebula-vm)", value: "opennebula-vm" as const }
        const centres = { title: "virtual data centres (opennebula-vdc)", value: "opennebula-vdc" as const }
        return Effect.map(
          Prompt.select<Kind>({
            message: `What does ${printable(offering.name)} sell?`,
            choices: looksLikeMachines(offering) ? [machines, centres] : [centres, machines]
          }),
          (kind) => `${offering.uuid}=${kind}`
        )
      }
    )
  })

/** What would have to be asked, of what can be known before the first question. */
const missing = (given: Given, token: boolean, credentials: boolean): ReadonlyArray<string> => {
  const sells = (kind: Kind) =>
    given.offerings.some((text) => kindOf(text.slice(text.lastIndexOf("=") + 1).trim()) === kind)
  const wanted: ReadonlyArray<readonly [boolean, string]> = [
    [Option.isSome(given.waldurUrl), "--waldur-url"],
    [token, `--waldur-token-file (or the variable ${tokenVariable})`],
    [given.offerings.length > 0, "--offering"],
    [Option.isSome(given.openNebulaUrl), "--opennebula-url"],
    [credentials, `--opennebula-credentials-file (or the variable ${credentialsVariable})`]
  ]
  const ofKinds: ReadonlyArray<readonly [boolean, string]> = [
    [!sells("opennebula-vdc") || Option.isSome(given.externalNetwork), "--external-network"],
    [
      !sells("opennebula-vdc") || Option.isSome(given.routerTemplate) || Option.contains(given.externalNetwork, "none"),
      "--router-template"
    ],
    [!sells("opennebula-vm") || Option.isSome(given.template), "--template"]
  ]
  return [...wanted, ...ofKinds].flatMap(([there, flag]) => (there ? [] : [flag]))
}

/** Asks for what `given` does not say. `interactive`: whether there is somebody to ask. */
export const interview = (given: Given, interactive: boolean) =>
  Effect.gen(function* () {
    const tokenGiven = yield* secretOf("--waldur-token-file", given.waldurTokenFile, tokenVariable)
    const credentialsGiven = yield* secretOf(
      "--opennebula-credentials-file",
      given.openNebulaCredentialsFile,
      credentialsVariable
    )
    const unsaid = interactive ? [] : missing(given, Option.isSome(tokenGiven), Option.isSome(credentialsGiven))
    if (unsaid.length > 0) return yield* new AnswersMissing({ flags: unsaid })

    const waldurCa = yield* authority("--waldur-ca-file", given.waldurCaFile)
    const openNebulaCa = yield* authority("--opennebula-ca-file", given.openNebulaCaFile)
    const apiUrl = yield* answered(interactive, {
      flag: "--waldur-url",
      given: given.waldurUrl,
      ask: Prompt.text({ message: "Waldur's address (https://waldur.example.com/api/)" }),
      check: (text) => waldurAt(text, waldurCa)
    })
    const waldur = { apiUrl, caFile: waldurCa }
    const { offerings, token, user } = yield* answered(interactive, {
      flag: sourceOf(tokenGiven, "--waldur-token-file"),
      given: tokenGiven,
      ask: typed(Prompt.password({ message: "The token of the agent's user in Waldur" })),
      check: (token) => Effect.map(providerAs(waldur, token.value), (provider) => ({ ...provider, token }))
    })
    yield* told(`Waldur knows it as ${printable(user.username)}, who sees ${countOf(offerings.length, "offering")}.`)
    const chosen = yield* answered(interactive, {
      flag: "--offering",
      given: Option.liftPredicate(given.offerings, (all) => all.length > 0),
      ask: askForOfferings(offerings),
      check: (texts: ReadonlyArray<string>) =>
        Effect.flatMap(
          Effect.forEach(texts, (text) => offeringNamed(text, offerings)),
          eachOnce
        )
    })

    const endpoint = yield* answered(interactive, {
      flag: "--opennebula-url",
      given: given.openNebulaUrl,
      ask: Prompt.text({ message: "OpenNebula's address (http://one.example.com:2633/RPC2)" }),
      check: (text) => openNebulaAt(text, openNebulaCa)
    })
    const cloud = { apiUrl: endpoint, caFile: openNebulaCa }
    const {
      credentials,
      one,
      user: administrator,
      version
    } = yield* answered(interactive, {
      flag: sourceOf(credentialsGiven, "--opennebula-credentials-file"),
      given: credentialsGiven,
      ask: typed(Prompt.password({ message: "user:password of an administrator in OpenNebula" })),
      check: (credentials) => Effect.map(frontEndAs(cloud, credentials.value), (found) => ({ ...found, credentials }))
    })
    yield* told(`OpenNebula ${printable(version)} knows it as ${printable(administrator)}, an administrator.`)
    const zone = yield* pickOne({
      interactive,
      flag: "--zone",
      given: given.zone,
      noun: "zone",
      message: "Which zone?",
      from: yield* one.zone.list()
    })
    const clusters = yield* pickSome({
      interactive,
      flag: "--clusters",
      given: given.clusters,
      noun: "cluster",
      message: "Which clusters? None: all of the zone.",
      from: yield* one.cluster.list()
    })
    const settled = yield* Effect.forEach(chosen, ({ kind, offering }) =>
      ofOffering(one, offering, kind, given, interactive)
    )
    const resolved = (yield* Path.Path).resolve(
      yield* answered(interactive, {
        flag: "--data-dir",
        given: Option.orElse(given.dataDir, () => (interactive ? Option.none() : Option.some("site-actors-data"))),
        ask: Prompt.text({ message: "Folder of the agent's journal", default: "site-actors-data" }),
        check: (text: string) =>
          text.trim() === "" ? new NotUsable({ reason: "must be a folder." }) : Effect.succeed(text.trim())
      })
    )
    return {
      waldur: { ...waldur, token },
      openNebula: { ...cloud, credentials, zone, clusters },
      offerings: settled,
      dataDir: resolved
    } satisfies Answers
  })

/** What this offering is made of in OpenNebula. */
const ofOffering = (one: OpenNebulaService, offering: Offering, kind: Kind, given: Given, interactive: boolean) =>
  Effect.gen(function* () {
    const about = { uuid: offering.uuid, name: offering.name, components: componentsOf(offering) }
    const name = printable(offering.name)
    const templates = yield* one.template.list()
    if (kind === "opennebula-vm") {
      const ofMachines = templates.filter(({ isVirtualRouter }) => !isVirtualRouter)
      const template = yield* pickOne({
        interactive,
        flag: "--template",
        given: given.template,
        noun: "VM template",
        message: `From which template are the machines of ${name} made?`,
        from: ofMachines,
        unfit: new Map(
          ofMachines
            .filter((one) => sellsDisks(offering) && Option.isNone(osDisk(one.template)))
            .map(({ id }) => [id, `it has no disk, and ${name} sells its size`])
        )
      })
      return { ...about, kind, template } satisfies OfferingAnswers
    }
    const external = yield* pickOneOrNone({
      interactive,
      flag: "--external-network",
      given: given.externalNetwork,
      noun: "network",
      message: `Which network connects the data centres of ${name} with the world?`,
      from: yield* one.network.list()
    })
    const routerTemplate = Option.isNone(external)
      ? Option.none()
      : yield* pickOneOrNone({
          interactive,
          flag: "--router-template",
          given: given.routerTemplate,
          noun: "router's template (VROUTER=YES)",
          message: `From which template are the routers of ${name} made?`,
          from: templates.filter(({ isVirtualRouter }) => isVirtualRouter)
        })
    const network = Option.getOrUndefined(Option.all({ external, routerTemplate }))
    return { ...about, kind, network } satisfies OfferingAnswers
  })

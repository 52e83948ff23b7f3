/** `site-actors reset-password`: a new password for a tenant's user, and an end to those that lie about in clear. */
import { Args, Command, Options } from "@effect/cli"
import { Console, Effect, Layer, Option, Redacted } from "effect"
import type { Accounts, KnownResource } from "../../../core/index.js"
import type { ProviderResource, WaldurService } from "../../../waldur/index.js"
import { loadConfig, type OfferingConfig } from "../../config/index.js"
import { known } from "../../members/compare.js"
import { plugins } from "../../plugins.js"
import { described } from "../help.js"
import { NotPossible } from "../open-journal.js"
import { openForCommand } from "../open-offering.js"
import * as options from "../options.js"

const resource = Args.text({ name: "resource" }).pipe(
  Args.withDescription("The resource's uuid in Waldur, the beginning of it, or its exact name."),
  Args.optional
)
const print = Options.boolean("print").pipe(
  Options.withDescription("Print the password once, instead of showing it in the resource's metadata in Waldur.")
)
const member = Options.text("member").pipe(
  Options.withDescription(
    "Of a member's account in this resource; printed once, as the metadata is for the whole team."
  ),
  Options.optional
)
const removeStored = Options.boolean("remove-stored").pipe(
  Options.withDescription(
    "Set no password, but remove those that the Python agent left in clear in OpenNebula: of this resource, or of all."
  )
)

export const resetPassword = Command.make(
  "reset-password",
  { config: options.config, dataDir: options.unusedDataDir, resource, print, member, removeStored, json: options.json },
  (given) =>
    Effect.gen(function* () {
      yield* options.onlyOne({ "--remove-stored": given.removeStored, "--print": given.print })
      yield* options.onlyOne({ "--remove-stored": given.removeStored, "--member": Option.isSome(given.member) })
      const loaded = yield* loadConfig(given.config, plugins)
      const memoMap = yield* Layer.makeMemoMap
      const places = (yield* Effect.forEach(loaded.offerings, (offering) => place(offering, memoMap))).flat()
      if (given.removeStored) return yield* forgetStored(places, given.resource, given.json)
      const chosen = yield* only(places, given.resource)
      yield* renew(chosen, Option.getOrUndefined(given.member), {
        print: given.print || Option.isSome(given.member),
        json: given.json
      })
    }).pipe(Effect.scoped)
).pipe(
  Command.withDescription(
    described(
      "Sets a new password for a data centre's user and hands it over once. The agent stores it nowhere.",
      "site-actors reset-password -c config.yaml 9f96e7fc",
      "site-actors reset-password -c config.yaml --remove-stored"
    )
  )
)

/** A resource that has accounts, and where it lives. */
interface Place {
  readonly waldur: WaldurService
  readonly accounts: Accounts
  readonly resource: KnownResource
  readonly found: ProviderResource
}

const place = (config: OfferingConfig, memoMap: Layer.MemoMap) =>
  Effect.gen(function* () {
    const { waldur, backend } = yield* openForCommand(config, memoMap)
    const { accounts } = backend
    if (accounts === undefined) return []
    const resources = yield* waldur.resources({ offering: config.id, states: ["OK", "Erred", "Updating"] })
    return resources.items.flatMap((found) =>
      known(found).map(({ known }): Place => ({ waldur, accounts, resource: known, found }))
    )
  })

const matching = (places: ReadonlyArray<Place>, asked: string): ReadonlyArray<Place> => {
  const uuid = asked.replaceAll("-", "").toLowerCase()
  const byUuid = uuid.length < 4 ? [] : places.filter(({ found }) => found.uuid.startsWith(uuid))
  return byUuid.length > 0 ? byUuid : places.filter(({ found }) => found.name === asked)
}

const only = (places: ReadonlyArray<Place>, asked: Option.Option<string>) =>
  Effect.gen(function* () {
    if (Option.isNone(asked)) {
      return yield* new NotPossible({
        reason: "Name the resource: `site-actors reset-password -c config.yaml <uuid>`."
      })
    }
    const [first, ...others] = matching(places, asked.value)
    const named = JSON.stringify(asked.value)
    if (first === undefined) {
      return yield* new NotPossible({
        reason: `No offering of this configuration has a resource ${named} with accounts.`
      })
    }
    if (others.length > 0) {
      return yield* new NotPossible({ reason: `Several resources are called ${named}: give the uuid of one.` })
    }
    return first
  })

const renew = (
  { waldur, accounts, resource, found }: Place,
  member: string | undefined,
  { json, print }: { readonly json: boolean; readonly print: boolean }
) =>
  Effect.gen(function* () {
    const { account, password } = yield* accounts.resetPassword(resource, member)
    if (print) {
      const shown = { account, password: Redacted.value(password) }
      return yield* Console.log(json ? JSON.stringify(shown, null, 2) : `${shown.account} ${shown.password}`)
    }
    const metadata = {
      ...found.backendMetadata,
      opennebula_username: account,
      opennebula_password: Redacted.value(password)
    }
    yield* waldur.setBackendMetadata(found.uuid, metadata).pipe(
      Effect.mapError(
        (error) =>
          new NotPossible({
            reason: `The password of ${account} was changed, but Waldur could not be told, so nobody knows it: run the command again. ${error.message}`
          })
      )
    )
    yield* Console.log(
      json
        ? JSON.stringify({ account, shownIn: found.uuid }, null, 2)
        : `${account} has a new password. It is shown in Waldur, with the resource ${found.name}.`
    )
  })

const forgetStored = (places: ReadonlyArray<Place>, asked: Option.Option<string>, json: boolean) =>
  Effect.gen(function* () {
    const chosen = Option.isNone(asked) ? places : [yield* only(places, asked)]
    const byBackend = new Map<Accounts, ReadonlyArray<Place>>()
    for (const one of chosen) byBackend.set(one.accounts, [...(byBackend.get(one.accounts) ?? []), one])
    const found = yield* Effect.forEach([...byBackend], ([accounts, own]) =>
      accounts.storedPasswords(own.map(({ resource }) => resource))
    )
    yield* Effect.forEach(found.flat(), ({ account, remove }) =>
      Effect.zipRight(
        remove,
        json ? Effect.void : Console.log(`The password of ${account} is in its template no more. It still holds.`)
      )
    )
    if (json)
      return yield* Console.log(JSON.stringify({ removed: found.flat().map(({ account }) => account) }, null, 2))
    if (found.flat().length === 0) yield* Console.log("No password lies in clear in OpenNebula.")
  })

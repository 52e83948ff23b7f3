/** What is asked of a backend beside the matrix: usage, observation, refusals, strangers' objects. Each answer is a check. */
import { Effect, Either, Redacted, Schedule } from "effect"
import {
  type Amounts,
  amountsFromWaldur,
  type Backend,
  type Component,
  differences,
  type Observation,
  ResourceId,
  type SiteError
} from "../core/index.js"
import { endless, type Ground, look, through } from "./ground.js"
import type { Check } from "./model.js"
import { added, named } from "./world.js"

const kept = (name: string, detail = ""): Check => ({ name, status: "kept", detail })
const broken = (name: string, detail: string): Check => ({ name, status: "broken", detail })
export const notTried = (name: string, detail: string): Check => ({ name, status: "not tried", detail })
/** Kept if nothing speaks against it. */
export const verdict = (name: string, against: ReadonlyArray<string>, detail = ""): Check =>
  against.length === 0 ? kept(name, detail) : broken(name, against.join("; "))

const known = (id: string, backendId: string) => ({ id: ResourceId.make(id), backendId })
const nobody = known("f".repeat(32), "999999")

/** What cannot be answered now is asked for again, as the agent does: a slow moment of the machine's breaks no promise. */
const patience = Schedule.intersect(Schedule.spaced("1 second"), Schedule.recurs(10))
const asked = <A, R>(question: Effect.Effect<A, SiteError, R>) =>
  Effect.either(Effect.retry(question, { while: ({ disposition }) => disposition === "retry", schedule: patience }))

/** What speaks against it being missing. */
const missingFrom = (observed: Either.Either<ReadonlyArray<Observation>, SiteError>): ReadonlyArray<string> => {
  if (observed._tag === "Left") return [observed.left.message]
  const tag = observed.right[0]?._tag ?? "not answered"
  return tag === "Missing" ? [] : [`it is ${tag}`]
}

const componentsOf = ({ orders }: Ground): ReadonlyArray<Component> =>
  orders.components.map(({ accountingType, measuredUnit, type, unitFactor }) => ({
    type,
    name: type,
    measuredUnit: measuredUnit ?? "",
    unitFactor: unitFactor ?? 1,
    accountingType: accountingType ?? "limit"
  }))

/** What orders say that a resource has, in the backend's units. */
const orderedAmounts = (ground: Ground, amounts: Readonly<Record<string, number>>) =>
  Effect.orDie(amountsFromWaldur(componentsOf(ground), amounts))

const differencesOf = (ground: Ground, opened: Backend<unknown>, name: string, amounts: Amounts) =>
  Effect.gen(function* () {
    const resource = ground.stage.resource(name)
    const sought = known(resource?.uuid ?? "", resource?.backendId ?? "")
    const [observation] = yield* opened.observe([sought])
    if (observation === undefined) return ["`observe` does not answer"]
    const expected = { ...sought, name, slug: resource?.slug ?? "", amounts, standing: "active" as const }
    return differences(expected, observation, componentsOf(ground)).map(({ sentence }) => sentence)
  })

/** Usage, observation and the offering's own looks, of a resource that stands. */
export const questions = (ground: Ground, name: string) =>
  Effect.gen(function* () {
    const opened = yield* ground.strikes.opened
    const { stage, orders } = ground
    const resource = stage.resource(name)
    const here = known(resource?.uuid ?? "", resource?.backendId ?? "")
    const usage = yield* asked(opened.usage([nobody, here], {}))
    const usageFaults: Array<string> = []
    if (usage._tag === "Left")
      usageFaults.push(`usage of one resource that is there and one that is not fails: ${usage.left.message}`)
    else {
      const [absent, present] = usage.right
      if (usage.right.length !== 2 || absent?.resource !== nobody.id || present?.resource !== here.id) {
        usageFaults.push("does not answer one for each resource in the order of the question")
      }
      if (present !== undefined && Object.keys(present.amounts).length === 0)
        usageFaults.push("measures nothing of a resource that stands")
      for (const [type, amount] of Object.entries(absent?.amounts ?? {})) {
        usageFaults.push(
          `says ${amount} ${type} of a resource that is not there: what cannot be read is left out, never a number`
        )
      }
    }
    const amounts = yield* orderedAmounts(ground, orders.create.amounts)
    const fresh = yield* asked(differencesOf(ground, opened, name, amounts))
    const missing = yield* asked(opened.observe([nobody]))
    const rows = yield* opened.check.pipe(
      Effect.filterOrFail(
        (all) => all.every(({ status }) => status !== "failed"),
        (all) => all
      ),
      Effect.retry(Schedule.intersect(Schedule.spaced("1 second"), Schedule.recurs(3))),
      Effect.merge
    )
    const failed = rows
      .filter(({ status }) => status === "failed")
      .map(({ detail, subject }) => `${subject}: ${detail}`)
    const pinged = yield* asked(opened.ping)
    return [
      verdict("usage: one answer for each, and no number for what is not there", usageFaults),
      verdict(
        "observe: a fresh resource is as it was ordered",
        fresh._tag === "Left" ? [fresh.left.message] : fresh.right
      ),
      verdict("observe: what is not there is missing", missingFrom(missing)),
      verdict("ping and check: the offering is well", [
        ...failed,
        ...(pinged._tag === "Left" ? [pinged.left.message] : [])
      ])
    ]
  })

/** Changed by an order it is as ordered; changed by somebody else it is not. */
export const afterUpdate = (ground: Ground, name: string) =>
  Effect.gen(function* () {
    const { backend, orders, stage, strikes } = ground
    const opened = yield* strikes.opened
    const amounts = yield* orderedAmounts(ground, { ...orders.create.amounts, ...orders.update?.amounts })
    const after = yield* asked(differencesOf(ground, opened, name, amounts))
    const updated = verdict(
      "observe: an updated resource is as it was ordered",
      after._tag === "Left" ? [after.left.message] : after.right
    )
    const title = "observe: a size that somebody else changed is found"
    if (backend.disturb === undefined) return [updated, notTried(title, "makeBackend gives no `disturb`")]
    yield* Effect.orDie(backend.disturb(stage.resource(name)?.backendId ?? ""))
    const found = yield* asked(differencesOf(ground, opened, name, amounts))
    const drift =
      found._tag === "Right" && found.right.length > 0 ? kept(title, found.right[0]) : broken(title, "no difference")
    return [updated, drift]
  })

/** What uses more than was ordered is kept to it, once. */
export const enforcementCheck = (ground: Ground, name: string) =>
  Effect.gen(function* () {
    const { backend, stage, strikes } = ground
    const { enforce, observe } = yield* strikes.opened
    const title = "enforce: what outgrows its limits is kept to them"
    if (enforce === undefined) return notTried(title, "this backend has no `enforce`")
    if (backend.outgrow === undefined) return notTried(title, "makeBackend gives no `outgrow`")
    const resource = stage.resource(name)
    const here = known(resource?.uuid ?? "", resource?.backendId ?? "")
    const toEnforce = Effect.map(observe([here]), ([one]) => (one?._tag === "Present" ? one.toEnforce : undefined))
    yield* Effect.orDie(backend.outgrow(here.backendId))
    const tried = Either.all([
      yield* asked(toEnforce),
      yield* asked(enforce(here)),
      yield* asked(toEnforce),
      yield* asked(enforce(here)),
      yield* asked(toEnforce)
    ])
    if (tried._tag === "Left") return broken(title, tried.left.message)
    const [before, , after, , again] = tried.right
    return verdict(
      title,
      [
        ...(before === undefined ? ["`observe` has nothing to enforce of what has outgrown its limits"] : []),
        ...(after === undefined ? [] : [`after \`enforce\` there is still something to enforce: ${after}`]),
        ...(again === undefined ? [] : [`a second \`enforce\` undoes the first: ${again}`])
      ],
      before
    )
  })

/** A renewed password is another each time, of the same account, and a secret from then on. */
export const passwordCheck = (ground: Ground, name: string) =>
  Effect.gen(function* () {
    const { stage, strikes } = ground
    const { accounts } = yield* strikes.opened
    const title = "accounts: each reset gives a new password, and none for what is not there"
    if (accounts === undefined) return notTried(title, "this backend makes no accounts")
    const resource = stage.resource(name)
    const reset = accounts.resetPassword(known(resource?.uuid ?? "", resource?.backendId ?? ""))
    const both = Either.all([yield* asked(reset), yield* asked(reset)])
    const absent = yield* asked(accounts.resetPassword(nobody))
    const faults = absent._tag === "Right" ? ["a resource that is not there gets a password"] : []
    if (both._tag === "Left") return verdict(title, [...faults, both.left.message])
    const [first, second] = both.right
    for (const { password } of both.right) strikes.issued.add(Redacted.value(password))
    if (first.account !== second.account) faults.push(`two accounts: ${first.account} and ${second.account}`)
    if (Redacted.value(first.password) === Redacted.value(second.password)) faults.push("the same password twice")
    if (Redacted.value(second.password).length < 12) faults.push("a password shorter than 12 characters")
    return verdict(title, faults, second.account)
  })

export const goneCheck = (ground: Ground, name: string, backendId: string) =>
  Effect.gen(function* () {
    const opened = yield* ground.strikes.opened
    const id = ground.stage.resource(name)?.uuid
    const title = "observe: a terminated resource is missing"
    if (id === undefined || backendId === "") return notTried(title, "it was never made")
    return verdict(title, missingFrom(yield* asked(opened.observe([known(id, backendId)]))))
  })

/** The backend itself says no: what was made is undone, and the customer reads why. */
export const refusalCheck = (ground: Ground) =>
  Effect.gen(function* () {
    const { backend, stage } = ground
    const title = "what the backend refuses is undone, and the customer is told"
    if (backend.refuse === undefined) return notTried(title, "makeBackend gives no `refuse`")
    const name = "kit-refused"
    const before = yield* look(ground)
    yield* Effect.orDie(backend.refuse)
    const end = yield* Effect.flatMap(Effect.orDie(stage.create(name)), stage.ended)
    const left = added(before, yield* look(ground))
    const sentence = end?.errorMessage ?? ""
    return verdict(
      title,
      [
        ...(end?.state === "erred" ? [] : [`the order is ${end?.state ?? "not ended"}, should be erred`]),
        ...(sentence === "" ? ["the customer gets no sentence"] : []),
        ...(left.length > 0 ? [`left: ${named(left)}`] : [])
      ],
      sentence
    )
  })

/** Somebody else's objects have the names: they are neither taken nor harmed, and the order ends one way or the other. */
export const foreignCheck = (ground: Ground) =>
  Effect.gen(function* () {
    const { backend, stage, strikes } = ground
    const title = "foreign objects of the same names are neither adopted nor touched"
    const { foreign } = backend
    if (foreign === undefined) return notTried(title, "makeBackend gives no `foreign`")
    const name = "kit-foreign"
    const before = yield* look(ground)
    let theirs: ReadonlyArray<string> = []
    const faults: Array<string> = []
    strikes.beforeCreate(name, (resource) =>
      foreign(resource).pipe(
        Effect.zipRight(backend.objects),
        Effect.map((objects) => added(before, objects).map((object) => JSON.stringify(object))),
        Effect.match({
          onFailure: (error) => void faults.push(`\`foreign\` fails: ${String(error)}`),
          onSuccess: (made) => {
            theirs = made
          }
        })
      )
    )
    const placed = yield* Effect.orDie(stage.create(name))
    const end = yield* stage.ended(placed)
    if (end === undefined) faults.push(yield* endless(stage, "create", placed))
    else if (end.state === "done") faults.push(...(yield* through(ground, "terminate", name)).map(({ text }) => text))
    else if (end.errorMessage === "") faults.push("the customer gets no sentence")
    const now = (yield* look(ground)).map((object) => JSON.stringify(object))
    if (theirs.length === 0) faults.push("`foreign` made nothing")
    faults.push(...theirs.filter((object) => !now.includes(object)).map((object) => `harmed: ${object}`))
    const ours = added(before, yield* look(ground)).filter((object) => !theirs.includes(JSON.stringify(object)))
    if (ours.length > 0) faults.push(`left: ${named(ours)}`)
    return verdict(
      title,
      faults,
      end === undefined ? "" : `the order is ${end.state}${end.errorMessage === "" ? "" : `: ${end.errorMessage}`}`
    )
  })

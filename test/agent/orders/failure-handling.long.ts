/** What the agent does about failures, and what an operator sees and does about them, with a backend that fails as it is told. */
import { Command } from "@effect/cli"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect } from "@effect/vitest"
import { type Console, Effect, Layer, Option, Ref, Schema } from "effect"
import { defineBackend, ensureDone, make, NotYet, OrderRefused } from "../../../src/core/index.js"
import { journal } from "../../../src/runtime/cli/commands/journal.js"
import { order, orders } from "../../../src/runtime/cli/commands/orders.js"
import { leftovers, quarantine, retry } from "../../../src/runtime/cli/commands/troubles.js"
import { makeSite, scenario } from "../../support/agent.js"

/** What the backend does next. */
interface Moods {
  readonly making: "fine" | "refuse" | "bug" | "not yet"
  readonly undoing: "fine" | "refuse"
}

const makeBackend = Effect.gen(function* () {
  const moods = yield* Ref.make<Moods>({ making: "fine", undoing: "fine" })
  const things = yield* Ref.make<ReadonlyArray<string>>([])
  const nothing = () => Effect.succeed({})
  const plugin = defineBackend({
    contract: 1,
    type: "things",
    settings: Schema.Struct({}),
    attributes: Schema.Unknown,
    shared: Layer.empty,
    open: () =>
      Effect.succeed({
        create: (request) =>
          Effect.gen(function* () {
            const id = request.resource.id
            yield* make("thing", {
              result: Schema.String,
              find: Effect.map(Ref.get(things), (all) => (all.includes(id) ? Option.some(id) : Option.none())),
              create: Effect.as(
                Ref.update(things, (all) => [...all, id]),
                id
              ),
              undo: () =>
                Effect.flatMap(Ref.get(moods), (mood) =>
                  mood.undoing === "refuse"
                    ? new OrderRefused({ customerMessage: "in use", detail: "the thing is in use" })
                    : Ref.update(things, (all) => all.filter((other) => other !== id))
                )
            })
            yield* ensureDone(
              "polish",
              Effect.flatMap(Ref.get(moods), ({ making }): Effect.Effect<void, OrderRefused | NotYet> => {
                if (making === "refuse") return new OrderRefused({ customerMessage: "It cannot be polished." })
                if (making === "not yet") return new NotYet({ reason: "the brush is wet" })
                return making === "bug" ? Effect.die(new Error("no such brush\nwith a second line")) : Effect.void
              })
            )
            return { backendId: id }
          }),
        update: nothing,
        terminate: nothing,
        usage: () => Effect.succeed([]),
        observe: () => Effect.succeed([]),
        ping: Effect.void,
        check: Effect.succeed([])
      })
  })
  return { plugin, things, mood: (change: Partial<Moods>) => Ref.update(moods, (now) => ({ ...now, ...change })) }
})

const siteWith = () =>
  Effect.gen(function* () {
    const backend = yield* makeBackend
    const site = yield* makeSite({
      plugins: [backend.plugin],
      vdcOffering: {
        backend_type: "things",
        order_processing_backend: "things",
        backend_settings: {}
      }
    })
    /** What the command prints, and its error. */
    const cli = (...args: ReadonlyArray<string>) =>
      Effect.gen(function* () {
        const printed = yield* Ref.make<ReadonlyArray<string>>([])
        const own = yield* Effect.console
        const quiet: Console.Console = {
          ...own,
          log: (...words) => Ref.update(printed, (all) => [...all, words.join(" ")])
        }
        const command = Command.make("site-actors").pipe(
          Command.withSubcommands([orders, order, leftovers, retry, quarantine, journal])
        )
        const run = Command.run(command, { name: "site-actors", version: "0" })
        const outcome = yield* run(["node", "site-actors", ...args, "--data-dir", site.dataDir]).pipe(
          Effect.withConsole(quiet),
          Effect.provide(NodeContext.layer),
          Effect.either
        )
        const error = outcome._tag === "Left" && outcome.left instanceof Error ? outcome.left.message : ""
        return { text: (yield* Ref.get(printed)).join("\n"), error }
      })
    const until = <E, R>(condition: Effect.Effect<boolean, E, R>) =>
      Effect.repeat(Effect.delay(condition, "50 millis"), { until: (is: boolean) => is })
    return { ...backend, site, cli, until }
  })

describe("what an undo could not remove", () => {
  scenario("is listed with its reason, tried again when asked for, and off the list when it is gone", () =>
    Effect.gen(function* () {
      const { site, cli, mood, things } = yield* siteWith()
      yield* site.start()
      yield* mood({ making: "refuse", undoing: "refuse" })
      const erred = yield* site.order.vdc("one")
      expect(erred.errorMessage).toBe("It cannot be polished.")
      const listed = yield* cli("leftovers")
      expect(listed.text).toContain(erred.uuid)
      expect(listed.text).toContain("the thing is in use")

      const inVain = yield* cli("leftovers", "--retry")
      expect(inVain.error).toContain("Not all could be undone")
      expect((yield* cli("retry", erred.uuid)).error).toContain("Something of its first attempt is left over")

      yield* mood({ undoing: "fine" })
      expect((yield* cli("leftovers", "--retry")).text).toBe(
        `Undone: order ${erred.uuid}: gone.\nNothing is left over.`
      )
      expect(yield* Ref.get(things)).toEqual([])
    })
  )
})

describe("an erred order", () => {
  scenario("is taken up again by retry, and done when what was wrong is mended", () =>
    Effect.gen(function* () {
      const { site, cli, mood, things } = yield* siteWith()
      yield* site.start()
      yield* mood({ making: "refuse" })
      const erred = yield* site.order.vdc("one")
      expect(erred.state).toBe("erred")
      yield* mood({ making: "fine" })
      const answer = yield* cli("retry", erred.uuid.slice(0, 12))
      expect(answer).toEqual({ text: expect.stringContaining("executing again"), error: "" })
      yield* Effect.repeat(
        Effect.delay(
          Effect.sync(() => erred.state),
          "20 millis"
        ),
        { until: (state) => state === "done" }
      )
      expect((yield* Ref.get(things)).length).toBe(1)
      expect((yield* cli("retry", erred.uuid)).error).toBe("The order is done: there is nothing to retry.")
      expect((yield* cli("retry", "ffffffff")).error).toContain("The journal knows no order")
      expect((yield* cli("retry", erred.uuid.slice(0, 3))).error).toContain("at least the first four characters")
    })
  )
})

describe("an order that rests after a failure", () => {
  scenario("is shown with the failure, and woken by retry", () =>
    Effect.gen(function* () {
      const { site, cli, mood, until } = yield* siteWith()
      yield* site.start()
      yield* mood({ making: "not yet" })
      const uuid = yield* site.place.vdc("one")
      // By then it rests for seconds.
      yield* until(Effect.map(cli("journal", "export"), ({ text }) => text.split('"interrupted"').length > 4))
      expect((yield* cli("orders")).text).toMatch(/Create +one +waits .* polish interrupted: the brush is wet/)
      yield* mood({ making: "fine" })
      expect((yield* cli("retry", uuid)).text).toBe("Woken: it is tried again now.")
      expect((yield* site.marketplace.awaitOrderEnd(uuid)).state).toBe("done")
      const told = yield* cli("order", uuid)
      expect(told.text).toMatch(/thing +\d+ ms +finished/)
      expect(told.text).toMatch(/polish +\d+ ms +interrupted +the brush is wet/)
    })
  )
})

describe("an order that met a bug", () => {
  scenario("is in quarantine also for those who look from outside, until it is released", () =>
    Effect.gen(function* () {
      const { site, cli, mood, until } = yield* siteWith()
      const agent = yield* site.start()
      yield* mood({ making: "bug" })
      const uuid = yield* site.place.vdc("one")
      yield* until(Effect.map(cli("quarantine"), ({ text }) => text.includes(uuid)))
      const listed = yield* cli("quarantine")
      expect(listed.text).toContain("Error: no such brush")
      expect(listed.text).not.toContain("second line")
      expect((yield* cli("quarantine", "--release", "abcdef")).error).toContain("Nothing in quarantine begins with")
      yield* mood({ making: "fine" })
      expect((yield* cli("quarantine", "--release", uuid)).text).toContain("Released")
      expect((yield* site.marketplace.awaitOrderEnd(uuid)).state).toBe("done")
      expect((yield* cli("quarantine")).text).toBe("Nothing is in quarantine.")
      yield* agent.stop
      expect((yield* cli("orders", "--all", "--json")).text).toContain('"state": "done"')
    })
  )
})

describe("a cloud that is away", () => {
  scenario("gets a few calls and then one probe at a time, and the orders go on when it answers", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      yield* site.start()
      const names = ["one", "two"]
      const probed = (methods: ReadonlyArray<string>) =>
        methods.filter((method) => method === "one.system.version").length
      // Each of the two offerings has looked at the cloud once, before its first order.
      yield* Effect.repeat(
        Effect.delay(
          Effect.sync(() => probed(site.cloud.calls.map(({ method }) => method))),
          "20 millis"
        ),
        { until: (looks) => looks >= 2 }
      )
      let refused: ReadonlyArray<string> = []
      site.cloud.intercept(({ method }) => {
        refused = [...refused, method]
        return { _tag: "HttpError", when: "before", status: 503 }
      })
      const placed = yield* Effect.forEach(names, (name) => site.place.vdc(name))
      // 1 s and 2 s after it went away, give or take a fifth.
      yield* Effect.repeat(
        Effect.delay(
          Effect.sync(() => probed(refused)),
          "20 millis"
        ),
        { until: (probes) => probes >= 2 }
      )
      const calls = refused.filter((method) => method !== "one.system.version")
      // Each failure that counts ends an attempt, which asks four things at once; nothing but probes afterwards.
      expect(calls.length).toBeLessThanOrEqual((5 + names.length) * 4)
      expect(new Set(refused.slice(calls.length))).toEqual(new Set(["one.system.version"]))
      site.cloud.intercept(undefined)
      const ended = yield* Effect.forEach(placed, (uuid) => site.marketplace.awaitOrderEnd(uuid))
      expect(ended.map((one) => one.state)).toEqual(names.map(() => "done"))
      expect(site.logged.filter((line) => line.includes("is away: 5 failures in a row")).length).toBe(1)
    })
  )
})

describe("the commands", () => {
  scenario("work on the journal of an agent that does not run, and leave their request for its next start", () =>
    Effect.gen(function* () {
      const { site, cli, mood, until } = yield* siteWith()
      const agent = yield* site.start()
      yield* mood({ making: "refuse", undoing: "refuse" })
      const erred = yield* site.order.vdc("two\u001b[2J\nlines")
      yield* agent.stop
      const shown = (yield* cli("orders")).text
      expect(shown).toContain("It cannot be polished.")
      expect(shown).not.toContain("\u001b")
      expect(shown).toContain("The agent does not run")
      const exported = (yield* cli("journal", "export", "--order", erred.uuid)).text.split("\n")
      expect(
        exported.map(
          (line) => Schema.decodeUnknownSync(Schema.parseJson(Schema.Struct({ event: Schema.String })))(line).event
        )
      ).toContain("undo-failed")
      expect((yield* cli("journal", "check")).text).toBe("The journal is sound.")

      expect((yield* cli("leftovers", "--retry")).text).toContain(
        "The agent does not run now. It is done when it starts."
      )
      yield* mood({ undoing: "fine" })
      yield* site.start()
      yield* until(Effect.map(cli("leftovers"), ({ text }) => text === "Nothing is left over."))
    })
  )
})

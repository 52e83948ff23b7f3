import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { expect, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { later } from "../../../../test/support/clock.js"
import { OrderId, ResourceId, wholeOrder } from "../../../core/index.js"
import * as Database from "../../journal/database.js"
import * as JournalLayer from "../../journal/journal.js"
import { Journal } from "../../journal/journal.js"
import { showing } from "../../terminal/progress.js"
import { follow } from "./follow.js"

const id = (letter: string) => letter.repeat(32)
const accepted = { offering: "o", request: { _tag: "Create", resource: { name: "acme" } } }

it.scopedLive(
  "order --follow tells each step when it has ended, and shows the one in work against how long it usually takes",
  () =>
    Effect.gen(function* () {
      const dataDir = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped({ prefix: "site-actors-follow-" })
      const services = yield* Layer.build(Layer.provideMerge(JournalLayer.layer, Database.layer(dataDir)))
      yield* Effect.gen(function* () {
        const journal = yield* Journal
        const open = (letter: string) =>
          Effect.flatMap(journal.lease(ResourceId.make(id(letter)), "me"), (lease) =>
            journal.order(OrderId.make(id(letter)), lease)
          )
        const before = yield* open("a")
        yield* before.append("vm runs", "started").pipe(later(-60_000))
        yield* before.append("vm runs", "finished").pipe(later(-40_000))

        const own = yield* open("b")
        yield* own.append(wholeOrder, "accepted", accepted)
        yield* own.append("vm", "started")
        yield* own.append("vm", "finished", 7)
        yield* own.append("vm runs", "started").pipe(later(-5_000))
        const written: Array<string> = []
        const lines: Array<string> = []
        const console = yield* Effect.console
        const printing = { ...console, log: (text: string) => Effect.sync(() => void lines.push(text)) }
        const screen = { isTTY: true, columns: 80, write: (text: string) => written.push(text) }
        const followed = yield* Effect.fork(
          follow(id("b"), false).pipe(showing(false, screen, {}), Effect.withConsole(printing))
        )
        yield* Effect.repeat(Effect.sleep("10 millis"), { until: () => written.join("").includes("vm runs") })
        expect(written.join("")).toMatch(/vm runs {2}\[#{6}-{18}\] {2}5 of 20 {2}5\.\d s {2}s, usually/)
        yield* own.append("vm runs", "finished", "10.0.0.7")
        yield* own.append(wholeOrder, "done")
        yield* Fiber.join(followed)
        const [first = "", ...others] = lines.map((line) => line.slice("2026-01-01 00:00:00  ".length))
        expect([first, others.length, others.at(-1)]).toEqual(["order  accepted", 3, "order  done"])
        expect(others[0]).toMatch(/^vm {2}\d+ ms {2}finished {2}7$/)
        expect(others[1]).toMatch(/^vm runs {2}5\.\d s {2}finished {2}10\.0\.0\.7$/)

        // For programs: the journal's entries, and nothing else.
        lines.length = 0
        yield* follow(id("b"), true).pipe(Effect.withConsole(printing))
        expect(lines.map((line) => JSON.parse(line).event)).toEqual([
          ...["accepted", "started", "finished", "started", "finished", "done"]
        ])
      }).pipe(Effect.provide(services))
    }).pipe(Effect.provide(NodeContext.layer))
)

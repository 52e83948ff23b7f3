import { expect, it } from "@effect/vitest"
import { Console, Deferred, Effect } from "effect"
import { Activities, publish } from "../activity.js"
import { printLive } from "./live.js"

const call = (outcome: string) =>
  publish({
    _tag: "Call",
    system: "waldur",
    call: "GET marketplace-provider-resources/",
    about: "",
    outcome,
    milliseconds: 1
  })

it.live(
  "what is shown of an agent ends before the agent does: no call that its end has broken off comes after the last word",
  () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const printed = yield* Deferred.make<void>()
      const own = yield* Effect.console
      const agent = Effect.zipRight(call("ok"), Effect.never).pipe(
        Effect.ensuring(Effect.zipRight(call("Interrupted"), Effect.sleep("20 millis")))
      )
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* printLive(agent, { colours: false })
          yield* Deferred.await(printed)
          yield* Console.log("Left over: nothing")
        })
      ).pipe(
        Effect.withConsole({
          ...own,
          log: (text) =>
            Effect.zipRight(
              Effect.sync(() => lines.push(String(text))),
              Effect.asVoid(Deferred.succeed(printed, undefined))
            )
        })
      )
      expect(lines).toHaveLength(2)
      expect(lines[1]).toBe("Left over: nothing")
    }).pipe(Effect.provide(Activities.layer))
)

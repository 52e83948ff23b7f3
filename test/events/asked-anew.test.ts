/** What a consumer asks Waldur for anew, and when. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Ref } from "effect"
import { readOnly, serveBroker } from "../../src/simulator/stomp/index.js"
import { WaldurInvalid } from "../../src/waldur/index.js"
import { consume, isConnected, preparedBroker, queue, until, vhost } from "./support.js"

describe("A consumer asks Waldur anew where the broker", () => {
  it.scopedLive("refuses the login also after Waldur was asked anew: it is asked for another one", () =>
    Effect.gen(function* () {
      const { broker, port } = yield* serveBroker({ broker: preparedBroker() })
      broker.addUser("s", "another")
      const asked = yield* Ref.make(0)
      const given = yield* Ref.make<ReadonlyArray<string>>([])
      const renewed = (login: string) =>
        Effect.gen(function* () {
          yield* Ref.update(given, (all) => [...all, login])
          broker.addUser("t", "token")
          broker.permit("t", vhost, readOnly)
          return { ...queue, login: "t" }
        })
      const again = Effect.zipRight(
        Ref.update(asked, (n) => n + 1),
        Effect.succeed(queue)
      )
      const consumer = yield* consume(port, { queue: again, renewed })
      yield* until(consumer, isConnected)
      expect([yield* Ref.get(asked), yield* Ref.get(given)]).toEqual([2, ["s"]])
    })
  )

  it.scopedLive("cannot be reached by Waldur: Waldur has events all the same, and is asked again soon", () =>
    Effect.gen(function* () {
      const { port } = yield* serveBroker({ broker: preparedBroker() })
      const away = new WaldurInvalid({
        call: "POST marketplace-site-agent-identities/{uuid}/register_event_subscription/",
        messages: ["Failed to create RabbitMQ virtual host"],
        disposition: "fail-order"
      })
      const asked = yield* Ref.make(0)
      const registration = Effect.flatMap(
        Ref.updateAndGet(asked, (n) => n + 1),
        (n) => (n === 1 ? away : Effect.succeed(queue))
      )
      const consumer = yield* consume(port, { queue: registration }, { unsupportedPause: 3_600_000 })
      yield* until(consumer, isConnected)
      expect(yield* Ref.get(asked)).toBe(2)
    })
  )
})

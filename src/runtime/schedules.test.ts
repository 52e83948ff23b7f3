import { Chunk, Duration, Effect, Option, Schedule } from "effect"
import { describe, expect, it } from "vitest"
import { backendIdGuard } from "./schedules.js"

const delays = (puts: Option.Option<boolean>) =>
  Effect.runSync(
    Schedule.run(
      Schedule.delays(backendIdGuard(puts)),
      0,
      Array.from({ length: 9 }, () => undefined)
    )
  ).pipe(Chunk.toReadonlyArray, (all) => all.map(Duration.toMillis))

describe("a new backend id", () => {
  it("is looked at three times where the server may overwrite it, and once where it is known not to", () => {
    expect(delays(Option.none())).toEqual([1000, 2000, 4000, 0])
    expect(delays(Option.some(true))).toEqual([1000, 2000, 4000, 0])
    expect(delays(Option.some(false))).toEqual([4000, 0])
  })
})

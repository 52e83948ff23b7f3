/** A data directory that somebody removes or moves away under a running agent, which can still write into it, for nobody. */
import { renameSync, rmSync } from "node:fs"
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { long, newSite, withAgent } from "./harness.js"
import { pictureOfCloud } from "./picture.js"
import { closeDown } from "./trial.js"
import { ended, held, stopped, until } from "./waits.js"
import { watchForDoubles } from "./watch.js"

/** A data centre's order whose group is being made: the answer waits for `answered`. */
const atWorkOnGroup = Effect.gen(function* () {
  const site = yield* newSite()
  const atFirst = pictureOfCloud(site.cloud)
  const { made } = watchForDoubles(site.cloud)
  const agent = yield* site.start()
  const { answered, come } = yield* held(site, "one.group.allocate", "after")
  const order = yield* site.place.vdc()
  yield* come
  // It is looked for every 100 ms.
  yield* Effect.sleep("200 millis")
  return { agent, answered, atFirst, made, order, site }
})

withAgent("an agent whose data directory", (it) => {
  it.scoped(
    "is removed begins nothing that no later start would know of, says so, and a restart makes nothing for a second time",
    () =>
      Effect.gen(function* () {
        const { agent, answered, atFirst, made, order, site } = yield* atWorkOnGroup
        rmSync(site.dataDir, { recursive: true })
        yield* answered
        yield* until("its word on it", () => agent.output().includes("journal.db is not there any more"))
        const before = [...made]
        const later = yield* site.place.vdc("later")
        yield* Effect.sleep("2 seconds")
        expect([...made]).toEqual(before)
        expect(site.marketplace.orders.get(later)?.state).toBe("pending-provider")
        yield* stopped(agent)

        const next = yield* site.start()
        for (const one of [order, later]) expect((yield* ended(site, one)).state).toBe("done")
        for (const call of ["one.group.allocate", "one.vdc.allocate", "one.vn.allocate"])
          expect([call, made.get(call)]).toEqual([call, 2])
        yield* ended(site, yield* site.place.terminate("later"))
        expect(yield* closeDown(site, next, atFirst)).toEqual([])
      }),
    long
  )

  it.scoped(
    "is moved away waits, and goes on by itself when it is back",
    () =>
      Effect.gen(function* () {
        const { agent, answered, atFirst, made, order, site } = yield* atWorkOnGroup
        renameSync(site.dataDir, `${site.dataDir}.moved`)
        yield* answered
        yield* until("its word on it", () => agent.output().includes("journal.db is not there any more"))
        rmSync(site.dataDir, { recursive: true, force: true })
        renameSync(`${site.dataDir}.moved`, site.dataDir)
        expect((yield* ended(site, order)).state).toBe("done")
        expect(made.get("one.group.allocate")).toBe(1)
        expect(yield* closeDown(site, agent, atFirst)).toEqual([])
      }),
    long
  )
})

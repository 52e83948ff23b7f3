/** A backend of jobs keeps the contract too. */
import { Effect } from "effect"
import { type BackendUnderTest, renderReport, testBackend } from "site-actors/plugin/testing"
import { expect, test } from "vitest"
import { startFakeCloud } from "../src/fake-cloud.js"
import plugin from "../src/index.js"

const cloud = Effect.acquireRelease(
  Effect.promise(() => startFakeCloud()),
  ({ close }) => Effect.promise(close)
)

const makeBackend = Effect.map(
  cloud,
  ({ failBuilds, machines, url }): BackendUnderTest => ({
    settings: { url },
    objects: Effect.sync(() =>
      [...machines.values()].map(({ cores, id, state, tag }) => ({
        kind: "machine",
        id,
        owner: tag,
        detail: `${cores} cores, ${state}`
      }))
    ),
    refuse: Effect.sync(() => failBuilds(1)),
    foreign: ({ name }) =>
      Effect.sync(() => {
        machines.set("7", { id: "7", name, tag: "", cores: 2, state: "running", job: "" })
      }),
    disturb: (id) =>
      Effect.sync(() => {
        const machine = machines.get(id)
        if (machine !== undefined) machines.set(id, { ...machine, cores: 64 })
      })
  })
)
const orders = {
  components: [{ type: "cores", measuredUnit: "cores" }],
  create: { amounts: { cores: 2 } },
  update: { amounts: { cores: 4 } }
}

test("machines by jobs keep the plugin contract", { timeout: 120_000 }, async () => {
  const report = await Effect.runPromise(testBackend(plugin, { makeBackend, orders }))
  console.log(renderReport(report))
  expect(report.problems).toEqual([])
})

/**
 * A project that is deleted in Waldur in the middle of an order. Its customer may only where all its resources have ended, which no order in work can be of; that, and
 * the end of a project, leave orders and resources as they are. By its staff, or with its organization, all that is in it goes (source: waldur-mastermind,
 * structure/utils.py, `project_is_empty`; structure/models.py, `Project.delete`; marketplace/models.py).
 */
import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import { deleteProject } from "../../../src/simulator/waldur/deletion.js"
import { show } from "../../page/support.js"
import { doubled, expectNothingLeft, makeSite, type Site, scenario, untilSettled } from "../../support/agent.js"
import { typed } from "../../support/commands.js"

type Type = "create" | "update" | "terminate"

/** The project of all orders of a site, gone. */
const deleted = ({ marketplace, world }: Site) => deleteProject(marketplace.world, world.project)

const once = (deed: () => void) => {
  let done = false
  return (isIt: boolean) => {
    if (isIt && !done) {
      done = true
      deed()
    }
    return undefined
  }
}

const moments = {
  "before it is approved": (site: Site) => {
    const now = once(() => deleted(site))
    site.marketplace.intercept(({ path }) => now(path.endsWith("/approve_by_provider/")))
  },
  "while it is carried out": (site: Site, type: Type) => {
    const call = { create: "one.vdc.allocate", update: "one.group.quota", terminate: "one.vn.delete" }[type]
    const now = once(() => deleted(site))
    site.cloud.intercept(({ method }) => now(method === call))
  },
  "when it is told as done": (site: Site) => {
    const now = once(() => deleted(site))
    site.marketplace.intercept(({ path }) => now(path.endsWith("/set_state_done/")))
  }
} as const

describe("a project that is deleted with all that is in it", () => {
  for (const type of ["create", "update", "terminate"] as const)
    for (const [when, arrange] of Object.entries(moments))
      scenario(`has its order (${type}, ${when}) waited for or let go, and undone when that is cancelled`, () =>
        Effect.gen(function* () {
          const site = yield* makeSite()
          const agent = yield* site.start()
          const vdc = type === "create" ? undefined : (yield* site.order.vdc("centre")).resource
          yield* untilSettled(agent)
          const before = site.made()
          arrange(site, type)
          const uuid = yield* vdc === undefined
            ? site.place.vdc("centre")
            : type === "update"
              ? site.place.updateLimits(vdc.uuid, doubled)
              : site.place.terminate(vdc.uuid)
          if (when === "before it is approved")
            yield* site.awaitLogged((line) => line.includes("not in Waldur any more"))
          else {
            yield* site.awaitLogged((line) => line.includes("Waits: Waldur does not have"), 2)
            const { client } = yield* show(site, agent)
            const cancel = { kind: "cancel", order: uuid, reason: "" } as const
            expect(yield* client.actions.perform({ payload: cancel })).toMatchObject({ ok: true })
          }
          yield* untilSettled(agent)
          if (type === "create") yield* expectNothingLeft(site, agent, [])
          else if (type === "update") {
            expect(site.made()).toEqual(before)
            const { out } = yield* typed("orphans", "-c", site.file, "--data-dir", site.dataDir)
            expect(out).toMatch(/group:\d+/)
          }
          expect(site.marketplace.resources.size).toBe(0)
        }).pipe(Effect.timeout("120 seconds"))
      )
})

describe("a project that is over", () => {
  scenario("is deleted by Waldur with the end of its last resource, whose order is done", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const { resource } = yield* site.order.vdc("centre")
      site.world.project.endDate = "2020-01-01"
      expect((yield* site.order.terminate(resource.uuid)).state).toBe("done")
      expect(site.marketplace.world.projects.has(site.world.project.uuid)).toBe(false)
      yield* expectNothingLeft(site, agent, ["centre Terminated"])
    }).pipe(Effect.timeout("120 seconds"))
  )
})

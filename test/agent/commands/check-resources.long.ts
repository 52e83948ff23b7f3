/** `check`, where the file gives a backend the offering of another one. */
import * as FileSystem from "@effect/platform/FileSystem"
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { makeSite, scenario, untilSettled } from "../../support/agent.js"
import { typed } from "../../support/commands.js"

scenario("check says that a backend finds none of the resources of the offering that it was given", () =>
  Effect.gen(function* () {
    // In full: the file of the other begins where the first offering does.
    const site = yield* makeSite({ vmSettings: { cluster_ids: [0] } })
    // What tells a data centre's components from a machine's.
    const { components } = site.world.vdcOffering
    components.splice(
      components.findIndex(({ type }) => type === "floating_ip"),
      1
    )
    const agent = yield* site.start()
    expect((yield* site.order.vdc("centre", { limits: { cpu: 1, ram: 1024, storage: 1024 } })).state).toBe("done")
    yield* untilSettled(agent)
    const right = yield* typed("check", "-c", site.file)
    expect(right.out).not.toContain("finds none of them")
    const fs = yield* FileSystem.FileSystem
    const text = yield* fs.readFileString(site.file)
    const [before = ""] = text.split("  - waldur_api_url")
    const vm = text.slice(text.lastIndexOf("  - waldur_api_url"))
    const wrong = `${site.file}.wrong.yaml`
    yield* fs.writeFileString(wrong, before + vm.replace(site.world.vmOffering.uuid, site.world.vdcOffering.uuid))
    expect((yield* typed("check", "-c", wrong)).out).toContain("finds none of them")
  }).pipe(Effect.timeout("60 seconds"))
)

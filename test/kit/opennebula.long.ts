/** All cells of both matrices, printed. */
import { expect, it } from "@effect/vitest"
import { Console, Effect } from "effect"
import { renderReport } from "../../src/kit/index.js"
import { vdcKit, vmKit } from "./opennebula.js"

const kits = { "opennebula-vdc": vdcKit, "opennebula-vm": vmKit }
for (const [name, kit] of Object.entries(kits)) {
  it.live(
    `${name} keeps the plugin contract, in every cell`,
    () =>
      Effect.gen(function* () {
        const report = yield* kit()
        yield* Console.log(renderReport(report))
        expect(report.problems).toEqual([])
        expect(report.cells).toHaveLength(report.possibleCells)
      }),
    600_000
  )
}

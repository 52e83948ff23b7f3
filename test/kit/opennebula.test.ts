/** Both OpenNebula backends keep the contract: some cells of each matrix; `npm run test:long` has all of them. */
import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { renderReport } from "../../src/kit/index.js"
import { vdcKit, vmKit } from "./opennebula.js"

it.live("opennebula-vdc keeps the plugin contract", () =>
  Effect.map(vdcKit({ cells: 3 }), (report) => expect(report.problems, renderReport(report)).toEqual([]))
)

it.live("opennebula-vm keeps the plugin contract", () =>
  Effect.map(vmKit({ cells: 3 }), (report) => expect(report.problems, renderReport(report)).toEqual([]))
)

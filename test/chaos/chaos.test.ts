/**
 * The simulation within `npm test`: 200 seeds, the seeds that once found a bug, and one seed twice. In processes of their own, as
 * `npm run chaos` runs them: bundled, two at once, each with a memory of its own.
 */
import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { beforeAll, describe, expect, it } from "vitest"
import { plantedBugs } from "./planted.js"

/** Long, as nothing but a busy machine makes these slow: what hangs in virtual time is found by the simulation itself. */
const minutes = 30

/** What `npm run chaos` prints with these options, and how it ends. */
const chaos = (...options: ReadonlyArray<string>): Promise<{ readonly code: unknown; readonly output: string }> =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      ["scripts/chaos.mjs", ...options],
      { timeout: minutes * 60_000, maxBuffer: 1e8 },
      (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : (error.code ?? error.signal), output: stdout + stderr })
    )
  })

/** Each has found a bug, or a wrong assumption of the simulation's own. Its story is what it is as long as the simulation stays as it is. */
const found: ReadonlyArray<readonly [seed: number, sentence: string]> = [
  [17, "an update that is undone is content when somebody has deleted its machine"],
  [125, "a data centre that is ended may refuse because of a machine that was ordered into it in the meantime"],
  [144, "a router's machine that outlived its router does not block the end of its data centre"],
  [420, "an update whose machine does not boot is taken back by booting it again"],
  [988, "an order that is not finished here comes before the resource's next one, whichever is heard of first"],
  [1022, "an answer of more than 64 kB is read, although virtual time does not wait for the turns that it takes"],
  [1321, "what is put back later leaves the machine as it was: running"],
  [1569, "a process that wakes up late does not tell a machine again to end"],
  [1518, "a stranger's machine that still boots when the faults end goes away all the same"]
]

describe("the simulation", { timeout: minutes * 60_000 }, () => {
  let run: Awaited<ReturnType<typeof chaos>> = { code: undefined, output: "" }
  // All in one, as each process of it takes some seeds to get up to speed.
  beforeAll(async () => {
    const seeds = found.map(([seed]) => seed).join(",")
    run = await chaos("--seeds", "200", "--from", "1", "--list", seeds, "--twice", "3")
    console.log(run.output.trim())
  }, minutes * 60_000)

  it("passes 200 seeds", () => {
    const others = found.filter(([seed]) => seed > 200)
    expect(run.output).toContain(`${200 + others.length} of ${200 + others.length} seeds passed`)
    expect(run.code).toBe(0)
  })

  it("tells the same story when the same seed is run twice", () => {
    const [, one, other] = /^twice (\S+) (\S+)$/m.exec(run.output) ?? []
    expect(one).toMatch(/^[0-9a-f]{16}$/)
    expect(other).toBe(one)
  })

  describe("keeps what it has found mended:", () => {
    it.each(found)("seed %i: %s", (seed) => {
      expect(run.output.split("\n").find((line) => line.startsWith(`seed ${seed} `))).toMatch(/ passed: /)
    })
  })
})

describe("a planted bug", () => {
  it.each(plantedBugs)("still has its place: $name", ({ edits }) => {
    for (const { file, find } of edits) expect(readFileSync(file, "utf8").split(find)).toHaveLength(2)
  })
})

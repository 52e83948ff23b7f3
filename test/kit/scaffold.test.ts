/** `npm create site-actors-plugin`: what it refuses. `scaffold.long.ts` has what it writes. */
import { execFile } from "node:child_process"
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

const run = promisify(execFile)
const create = resolve("packages/create-site-actors-plugin/index.mjs")

let folder = ""
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "site-actors-scaffold-"))
})
afterAll(() => rm(folder, { recursive: true }))

const refusal = (...args: ReadonlyArray<string>) =>
  run(process.execPath, [create, ...args], { cwd: folder }).then(
    () => "",
    ({ stderr }: { readonly stderr: string }) => stderr
  )

describe("npm create site-actors-plugin", () => {
  it("says what is wrong with a name or a folder", async () => {
    expect(await refusal()).toContain("Usage: npm create site-actors-plugin <folder>")
    expect(await refusal("My Backend")).toContain('"My Backend" gives no name for a backend')
    await mkdir(join(folder, "full"))
    await writeFile(join(folder, "full", "a"), "")
    expect(await refusal("full")).toContain("full is not empty: name a new folder")
  })
})

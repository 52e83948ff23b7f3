/** The guide's own test, run as it stands there. `guide.long.ts` compiles it. */
import { rm } from "node:fs/promises"
import { resolve } from "node:path"
import { afterAll, expect, it } from "vitest"
import { folder, writeGuide } from "./guide.js"

const files = await writeGuide()
afterAll(() => rm(folder, { recursive: true }))

it("the guide has a plugin and its test", () => {
  expect(files.map((file) => file.slice(folder.length + 1))).toEqual([
    "src/cloud.ts",
    "src/handlers.ts",
    "src/index.ts",
    "test/contract.test.ts"
  ])
})

// Has a test of its own in it.
await import(resolve(folder, "test/contract.test.ts"))

/** An example that is packed is copied into a folder of its own: it imports what there is there, and nothing of this repository's. */
import { readdirSync, readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"

const importsOf = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .flatMap((name) => [...readFileSync(`${folder}/${name}`, "utf8").matchAll(/from "([^"]+)"/g)])
    .map(([, module = ""]) => module)

describe("an example that a plugin author copies", () => {
  it("needs what the scaffold has", () => {
    const { devDependencies } = JSON.parse(
      readFileSync("packages/create-site-actors-plugin/template/_package.json", "utf8")
    )
    const there = [...Object.keys(devDependencies), "site-actors/plugin", "site-actors/plugin/testing"]
    const found = importsOf("examples/machines-by-jobs").filter(
      (module) => !module.startsWith("node:") && !/^\.\.?\/(src\/)?[\w-]+\.js$/.test(module)
    )
    expect(found.length).toBeGreaterThan(3)
    expect(found.filter((module) => !there.includes(module))).toEqual([])
  })
})

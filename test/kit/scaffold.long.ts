/** `npm create site-actors-plugin`: what it writes is green at once, with the package as it is installed. */
import { execFile } from "node:child_process"
import { cp, mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

/** With all that it said, if it fails. */
const run = (file: string, args: ReadonlyArray<string>, options: { readonly cwd: string }) =>
  promisify(execFile)(file, args, options).catch(
    ({ stderr, stdout }: { readonly stderr: string; readonly stdout: string }) => {
      throw new Error(`${args.join(" ")} fails.\n${stdout}\n${stderr}`)
    }
  )
const create = resolve("packages/create-site-actors-plugin/index.mjs")

const tsc = resolve("node_modules/typescript/bin/tsc")

let folder = ""
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "site-actors-scaffold-"))
})
afterAll(() => rm(folder, { recursive: true }))

/** The package under its name, with a build of its own, and its libraries beside it. */
const install = async (plugin: string) => {
  const modules = join(plugin, "node_modules")
  const product = join(folder, "product")
  await mkdir(product)
  for (const name of ["src", "scripts", "package.json", "tsconfig.json", "tsconfig.types.json"])
    await cp(name, join(product, name), { recursive: true })
  await symlink(resolve("node_modules"), join(product, "node_modules"))
  await run(process.execPath, ["scripts/build.mjs", "--no-page"], { cwd: product })
  await run(process.execPath, [tsc, "-p", "tsconfig.types.json"], { cwd: product })
  await mkdir(modules)
  await symlink(product, join(modules, "site-actors"))
  for (const name of ["effect", "vitest", "typescript", "@types"])
    await symlink(resolve("node_modules", name), join(modules, name))
}

describe("npm create site-actors-plugin", () => {
  it("writes a plugin whose types fit and whose tests are green at once", async () => {
    const { stdout } = await run(process.execPath, [create, "site-actors-proxmox"], { cwd: folder })
    expect(stdout).toContain('the backend "proxmox"')
    const plugin = join(folder, "site-actors-proxmox")
    expect(await readFile(join(plugin, "src/index.ts"), "utf8")).toContain('type: "proxmox"')
    expect(JSON.parse(await readFile(join(plugin, "package.json"), "utf8"))).toMatchObject({
      name: "site-actors-proxmox"
    })
    await install(plugin)
    await run(process.execPath, [tsc], { cwd: plugin })
    const tested = await run(process.execPath, [resolve("node_modules/vitest/vitest.mjs"), "run"], { cwd: plugin })
    expect(tested.stdout).toContain("proxmox: the plugin contract is kept")
    expect(tested.stdout).toContain("1 passed")
    // A build, its types, and a whole kit: minutes, on a machine that others use.
  }, 900_000)
})

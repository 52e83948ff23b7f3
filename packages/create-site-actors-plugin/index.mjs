#!/usr/bin/env node
// Writes a plugin that works into a new folder: `npm create site-actors-plugin site-actors-proxmox`.
import { cp, mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises"
import { basename, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"

const usage = `Usage: npm create site-actors-plugin <folder>

The folder's name becomes the package's name, and what follows "site-actors-" in it the backend_type.
"site-actors-proxmox" gives the backend "proxmox".`

const fail = (message) => {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}

const [folder, ...rest] = process.argv.slice(2)
if (folder === "--help" || folder === "-h") {
  process.stdout.write(`${usage}\n`)
  process.exit(0)
}
if (folder === undefined || rest.length > 0) fail(usage)

const target = resolve(folder)
const name = basename(target)
const type = name.replace(/^site-actors-/, "")
if (!/^[a-z][a-z0-9-]{1,39}$/.test(type)) {
  fail(`"${name}" gives no name for a backend: write 2 to 40 lower case letters, digits and dashes, a letter first.`)
}
await mkdir(target, { recursive: true })
if ((await readdir(target)).length > 0) fail(`${target} is not empty: name a new folder.`)

await cp(fileURLToPath(new URL("template", import.meta.url)), target, { recursive: true })
// npm leaves a .gitignore out of a package, and takes a package.json inside of one for another package.
await rename(join(target, "_gitignore"), join(target, ".gitignore"))
await rename(join(target, "_package.json"), join(target, "package.json"))

const files = (await readdir(target, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
for (const entry of files) {
  const path = join(entry.parentPath ?? entry.path, entry.name)
  const text = await readFile(path, "utf8")
  await writeFile(path, text.replaceAll("example-buckets", type).replaceAll("example-package", name))
}

process.stdout.write(`Written to ${target}: the backend "${type}".

  cd ${folder}
  npm install
  npm test        # the contract kit, on a small fake cloud

README.md says where to begin.
`)

// Of all that the program is made of: its sources, how and by which Node they are put together, and the versions of the libraries.
import { createHash } from "node:crypto"
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"

const making = ["build.mjs", "bundle.mjs", "code-cache.mjs", "dashboard.mjs", "loader.cjs", "warm-up.mjs"]

export const fingerprint = async () => {
  const hash = createHash("sha256").update(process.version)
  const entries = await readdir("src", { recursive: true, withFileTypes: true })
  const own = entries
    .filter((entry) => entry.isFile())
    .map(({ name, parentPath, path }) => join(parentPath ?? path, name))
  for (const file of [
    ...own.toSorted(),
    ...making.map((name) => `scripts/${name}`),
    "package.json",
    "package-lock.json"
  ])
    hash.update(`${file}\0`).update(await readFile(file))
  return hash.digest("hex").slice(0, 16)
}

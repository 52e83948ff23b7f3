// Builds the web page: one script, one style sheet and its fonts, all from the agent's own address; each compressed once, here.
// `node scripts/dashboard.mjs <folder> [--if-changed]` builds it alone.
import { createHash } from "node:crypto"
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { brotliCompress, constants, gzip } from "node:zlib"
import { build } from "vite"

const brotli = (content) =>
  promisify(brotliCompress)(content, { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } })
const gzipped = (content) => promisify(gzip)(content, { level: 9 })

/** Beside each text of the folder, the same compressed, where that is less. Fonts are compressed already. */
export const compress = async (folder) => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const texts = entries.filter((entry) => entry.isFile() && /\.(html|js|css|svg)$/.test(entry.name))
  await Promise.all(
    texts.map(async ({ name, parentPath, path }) => {
      const file = join(parentPath ?? path, name)
      const content = await readFile(file)
      for (const [ending, packed] of [
        ["br", await brotli(content)],
        ["gz", await gzipped(content)]
      ]) {
        if (packed.length < content.length) await writeFile(`${file}.${ending}`, packed)
      }
    })
  )
}

const sources = fileURLToPath(new URL("../src/dashboard", import.meta.url))

/** Of all that the page is made of: its sources, this file and the versions of the libraries. */
const fingerprint = async () => {
  const hash = createHash("sha256")
  const entries = await readdir(sources, { recursive: true, withFileTypes: true })
  const own = entries
    .filter((entry) => entry.isFile())
    .map(({ name, parentPath, path }) => join(parentPath ?? path, name))
  const others = ["dashboard.mjs", "../package-lock.json"].map((name) => fileURLToPath(new URL(name, import.meta.url)))
  for (const file of [...own, ...others].toSorted()) hash.update(`${file}\0`).update(await readFile(file))
  return hash.digest("hex")
}

/** Builds, unless what is there was built from the same. For tests: they look at the page as it is, and rarely change it. */
export const buildIfChanged = async (outDir) => {
  const cache = fileURLToPath(new URL("../node_modules/.cache/site-actors-page", import.meta.url))
  const stamp = join(cache, createHash("sha256").update(outDir).digest("hex").slice(0, 16))
  const wanted = `${await fingerprint()} ${await contentsOf(outDir)}`
  if ((await readFile(stamp, "utf8").catch(() => "")) === wanted) return
  await buildDashboard(outDir)
  await mkdir(cache, { recursive: true })
  await writeFile(stamp, `${await fingerprint()} ${await contentsOf(outDir)}`)
}

/** Names and sizes: somebody else may have built there meanwhile, or emptied it. */
const contentsOf = async (folder) => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ name, parentPath, path }) => join(parentPath ?? path, name))
  return JSON.stringify(await Promise.all(files.toSorted().map(async (file) => [file, (await stat(file)).size])))
}

/** `outDir`: where to; emptied first. */
export const buildDashboard = async (outDir) => {
  await build({
    configFile: false,
    root: sources,
    // Relative, so that a reverse proxy may put the page under any path.
    base: "./",
    logLevel: "warn",
    esbuild: { jsx: "automatic", jsxImportSource: "preact", legalComments: "none" },
    build: {
      outDir,
      emptyOutDir: true,
      target: "es2022",
      // Nothing inline: the content security policy allows files of the agent's own alone.
      assetsInlineLimit: 0,
      modulePreload: false,
      reportCompressedSize: false
    }
  })
  await compress(outDir)
}

const [, self, folder, only] = process.argv
if (self === fileURLToPath(import.meta.url) && folder !== undefined) {
  await (only === "--if-changed" ? buildIfChanged : buildDashboard)(folder)
}

// Builds the web page: one script, one style sheet and its fonts, all from the agent's own address; each compressed once, here.
// `node scripts/dashboard.mjs <folder>` builds it alone.
import { readdir, readFile, writeFile } from "node:fs/promises"
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

/** `outDir`: where to; emptied first. */
export const buildDashboard = async (outDir) => {
  await build({
    configFile: false,
    root: fileURLToPath(new URL("../src/dashboard", import.meta.url)),
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

const folder = process.argv[2]
if (process.argv[1] === fileURLToPath(import.meta.url) && folder !== undefined) await buildDashboard(folder)

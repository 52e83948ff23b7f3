// Builds the web page: one script, one style sheet and its fonts, all from the agent's own address.
// `node scripts/dashboard.mjs <folder>` builds it alone.
import { fileURLToPath } from "node:url"
import { build } from "vite"

/** `outDir`: where to; emptied first. */
export const buildDashboard = (outDir) =>
  build({
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

const folder = process.argv[2]
if (process.argv[1] === fileURLToPath(import.meta.url) && folder !== undefined) await buildDashboard(folder)

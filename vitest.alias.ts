/** The package's exports as a plugin's author names them, without a build: for tests of examples and of the scaffold. */
import { fileURLToPath } from "node:url"

const from = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

export const alias = [
  { find: /^site-actors\/plugin$/, replacement: from("src/plugin/index.ts") },
  { find: /^site-actors\/plugin\/testing$/, replacement: from("src/kit/index.ts") }
]

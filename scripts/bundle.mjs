/**
 * The agent with its packages in a few files. Read file by file, the 1,500 modules that it needs took most of a start (docs/decisions/0045-the-packages-in-a-few-files.md).
 * What is imported only where it is needed has files of its own, so that nobody else reads it. Names stay as they are in the sources, for stack traces.
 */
import { readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { build } from "esbuild"

/** Native code, which stays where it is installed. */
const native = ["libsql", "msgpackr-extract", "pg-native"]

/** Maps of packages name their files; their texts, which would be most of what is installed, are left out. Ours have theirs. */
const withoutTheirTexts = async (file) => {
  const map = JSON.parse(await readFile(file, "utf8"))
  const sourcesContent = map.sources.map((source, at) =>
    packageOf(source) === undefined ? map.sourcesContent[at] : null
  )
  await writeFile(file, JSON.stringify({ ...map, sourcesContent }))
}

/** The folder of the package that a file belongs to; none: it is ours. */
const packageOf = (path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]

/** What is made of others' work says whose, and under which licence. */
const notices = async (inputs) => {
  const folders = [...new Set(inputs.map(packageOf).filter((folder) => folder !== undefined))]
  const told = await Promise.all(
    folders.map(async (folder) => {
      const { name, version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"))
      const file = (await readdir(folder)).find((name) => /^licen[cs]e/i.test(name))
      const text = file === undefined ? "The package has no text of it." : await readFile(join(folder, file), "utf8")
      return `${name} ${version} (${license})\n\n${text.trim()}\n`
    })
  )
  return told.toSorted().join(`\n${"-".repeat(80)}\n\n`)
}

/** Works in the repository's folder. `entries`: of `src`, each with its path there. `directory` gets them with the same paths, and in `chunks` what they share. */
export const bundle = async ({ directory, entries }) => {
  const { metafile } = await build({
    entryPoints: entries,
    outdir: directory,
    outbase: "src",
    // As deep as the entries: the package's own files are found from there.
    chunkNames: "chunks/[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    sourcemap: true,
    metafile: true,
    legalComments: "none",
    external: native,
    // For packages that are CommonJS.
    banner: {
      js: 'import { createRequire as requireFor } from "node:module"; const require = requireFor(import.meta.url)'
    },
    logLevel: "warning"
  })
  await Promise.all(
    Object.keys(metafile.outputs)
      .filter((file) => file.endsWith(".map"))
      .map((file) => withoutTheirTexts(file))
  )
  await writeFile(join(directory, "THIRD-PARTY.txt"), await notices(Object.keys(metafile.inputs)))
}

/** docs/write-a-backend.md as files: its TypeScript blocks are named by the file that they are a part of, and put together in their order. */
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"

/** Beside the tests, so that what it names is found as in them. Not kept. */
export const folder = "test/docs/written"

/** The paths of the files, in the order in which they begin. */
export const writeGuide = async (): Promise<ReadonlyArray<string>> => {
  const guide = await readFile("docs/write-a-backend.md", "utf8")
  const files = new Map<string, string>()
  for (const [, name = "", code = ""] of guide.matchAll(/^```ts (\S+)\n(.*?)^```$/gms)) {
    files.set(name, `${files.get(name) ?? ""}${code}\n`)
  }
  for (const [name, code] of files) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), code)
  }
  const unnamed = [...guide.matchAll(/^```(ts|typescript)\n/gm)].length
  if (unnamed > 0)
    throw new Error(`${unnamed} TypeScript blocks of docs/write-a-backend.md name no file: nobody would run them.`)
  return [...files.keys()].map((name) => join(folder, name))
}

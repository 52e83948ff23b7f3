/** The built page: what a browser has to fetch for it, and what it may not bring. */
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { gzipSync } from "node:zlib"

export interface BuiltFile {
  readonly name: string
  readonly content: Buffer
}

export const filesOf = async (folder: string): Promise<ReadonlyArray<BuiltFile>> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return Promise.all(
    entries
      // What the build has compressed is the same once more.
      .filter((entry) => entry.isFile() && !/\.(br|gz)$/.test(entry.name))
      .map(async ({ name, parentPath }) => ({ name, content: await readFile(join(parentPath, name)) }))
  )
}

/** Bytes, each file compressed by itself. */
export const weightOf = (files: ReadonlyArray<BuiltFile>): number =>
  files.reduce((sum, { content }) => sum + gzipSync(content).length, 0)

/** Addresses of other servers in what the browser reads. Names of XML's vocabularies are never asked for. */
export const addressesIn = (files: ReadonlyArray<BuiltFile>): ReadonlyArray<string> =>
  files
    .filter(({ name }) => /\.(html|js|css)$/.test(name))
    .flatMap(({ content }) => content.toString().match(/https?:\/\/[^\s"'`)]+/g) ?? [])
    .filter((address) => !address.startsWith("http://www.w3.org/"))

/** Scripts and styles that stand in the document itself, which the content security policy would refuse. */
export const inlineIn = (files: ReadonlyArray<BuiltFile>): ReadonlyArray<string> =>
  files
    .filter(({ name }) => name.endsWith(".html"))
    .flatMap(({ content }) => content.toString().match(/<script(?![^>]*\ssrc=)[^>]*>|<style|\s(style|on\w+)=/g) ?? [])

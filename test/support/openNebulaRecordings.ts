/** The recorded exchanges with a real OpenNebula 7.4, and two readers of theirs that share nothing with our decoder. */
import { readdirSync, readFileSync } from "node:fs"
import { Readable } from "node:stream"
import Deserializer from "xmlrpc/lib/deserializer.js"
import type { XmlElement } from "../../src/opennebula/wire/answer.js"

const folder = new URL("../fixtures/opennebula/", import.meta.url)

export interface Recording {
  /** `001-one.system.version` */
  readonly name: string
  readonly method: string
  readonly request: Buffer
  readonly response: Buffer
}

export const recordings: ReadonlyArray<Recording> = readdirSync(folder)
  .filter((file) => file.endsWith(".res.xml"))
  .sort()
  .map((file) => {
    const name = file.slice(0, -".res.xml".length)
    return {
      name,
      method: name.split("-")[1] ?? "",
      request: readFileSync(new URL(`${name}.req.xml`, folder)),
      response: readFileSync(new URL(file, folder))
    }
  })

export const recording = (number: string): Recording => {
  const found = recordings.find(({ name }) => name.startsWith(`${number}-`))
  if (found === undefined) throw new Error(`no recording ${number}`)
  return found
}

/** What the `xmlrpc` package makes of an answer: its value, or the fault's code and text. */
export const independentValue = (response: Buffer): Promise<{ value: unknown } | { fault: number; text: string }> =>
  new Promise((resolve, reject) => {
    new Deserializer().deserializeMethodResponse(Readable.from([response]), (error, value) => {
      if (error === null || error === undefined) resolve({ value })
      else if (typeof error.faultCode === "number") resolve({ fault: error.faultCode, text: error.faultString ?? "" })
      else reject(error)
    })
  })

/** What the `xmlrpc` package makes of a request. */
export const independentCall = (request: Buffer): Promise<{ method: string; params: ReadonlyArray<unknown> }> =>
  new Promise((resolve, reject) => {
    new Deserializer().deserializeMethodCall(Readable.from([request]), (error, method, params) => {
      if (error === null || error === undefined) resolve({ method, params })
      else reject(error)
    })
  })

const token = /<!\[CDATA\[([\s\S]*?)\]\]>|<(\/?)([\w.-]+)[^>]*?(\/?)>|<\?[\s\S]*?\?>|([^<]+)/g

const unescape = (text: string): string =>
  text
    .replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll("&amp;", "&")

interface Growing extends XmlElement {
  text: string
  readonly children: Array<Growing>
}

/** A document's tree, read the simplest way. Only for the well-formed documents of the recordings. */
export const independentTree = (document: string): XmlElement => {
  const top: Growing = { name: "", text: "", children: [] }
  const open = [top]
  for (const [, cdata, closing, name, selfClosing, text] of document.matchAll(token)) {
    const parent = open.at(-1) ?? top
    if (cdata !== undefined) parent.text += cdata
    else if (text !== undefined) parent.text += unescape(text)
    else if (name !== undefined && closing === "/") open.pop()
    else if (name !== undefined) {
      const element: Growing = { name, text: "", children: [] }
      parent.children.push(element)
      if (selfClosing !== "/") open.push(element)
    }
  }
  const [root] = top.children
  if (root === undefined || open.length !== 1) throw new Error("not a document")
  return root
}

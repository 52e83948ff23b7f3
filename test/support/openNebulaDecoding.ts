/** Short ways to have bytes decoded in tests. */
import { Effect, Option } from "effect"
import type { Answer, XmlElement } from "../../src/opennebula/wire/answer.js"
import { decodeAnswer } from "../../src/opennebula/wire/response.js"

export const call = { method: "one.test.info", endpoint: "http://front-end/RPC2" }

export const integer: Answer<number> = { _tag: "Integer", decode: Effect.succeed }
export const text: Answer<string> = { _tag: "Text", decode: Effect.succeed }
export const document: Answer<XmlElement> = { _tag: "Document", decode: Effect.succeed }
export const pool = (item: string): Answer<ReadonlyArray<unknown>> => ({
  _tag: "Pool",
  items: [item],
  gather: () => {
    const items: Array<XmlElement> = []
    return { add: (item) => Effect.sync(() => void items.push(item)), result: () => items }
  }
})

/** Decodes `bytes`, which arrive in pieces that end at `cuts`. */
export const decode = <A>(answer: Answer<A>, bytes: Uint8Array, cuts: ReadonlyArray<number> = [], limitBytes = 1e9) => {
  const ends = [...new Set([...cuts.map((cut) => cut % bytes.length), bytes.length])].sort((a, b) => a - b)
  let from = 0
  let at = 0
  const next = Effect.sync(() => {
    const end = ends[at]
    at += 1
    if (end === undefined) return Option.none<Uint8Array>()
    const piece = bytes.subarray(from, end)
    from = end
    return Option.some(piece)
  })
  return decodeAnswer(answer, next, { call, limitBytes, redact: (said) => said })
}

export const envelope = (value: string): Buffer =>
  Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?>\n<methodResponse>\n<params>\n<param><value><array><data>\n` +
      `<value><boolean>1</boolean></value>\n<value>${value}</value>\n<value><i4>0</i4></value>\n` +
      `</data></array></value></param>\n</params>\n</methodResponse>\n`
  )
export const escape = (plain: string): string =>
  plain.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
export const documentAnswer = (xml: string): Buffer => envelope(`<string>${escape(xml)}</string>`)

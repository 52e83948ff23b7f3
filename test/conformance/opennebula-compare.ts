/**
 * Compares two XML-RPC answers: value types, codes, messages, and in documents every element's name, order, way of writing (CDATA,
 * self-closing) and text. What can never be the same twice is replaced by a mark on both sides; that list is all that is forgiven.
 */
import { SaxesParser } from "saxes"

interface Node {
  readonly name: string
  readonly selfClosing: boolean
  readonly children: Array<Node>
  text: string
  cdata: boolean
}

const parse = (xml: string): Node => {
  const parser = new SaxesParser({})
  const root: Node = { name: "", selfClosing: false, children: [], text: "", cdata: false }
  const open = [root]
  parser.on("opentag", (tag) => {
    const node: Node = { name: tag.name, selfClosing: tag.isSelfClosing, children: [], text: "", cdata: false }
    open.at(-1)?.children.push(node)
    open.push(node)
  })
  parser.on("closetag", () => {
    open.pop()
  })
  parser.on("text", (text) => {
    const top = open.at(-1)
    if (top !== undefined) top.text += text
  })
  parser.on("cdata", (text) => {
    const top = open.at(-1)
    if (top !== undefined) Object.assign(top, { text: top.text + text, cdata: true })
  })
  parser.on("error", (error) => {
    throw error
  })
  parser.write(xml).close()
  return root
}

/** Times: zero or not is compared, the second is not. */
const times = new Set(
  `STIME ETIME PSTIME PETIME RSTIME RETIME ESTIME EETIME REGTIME MODTIME TIME TIMESTAMP EXPIRATION_TIME`.split(" ")
)
/** Passwords, random identifiers, and the request's number in the front-end. */
const random = new Set(["PASSWORD", "TOKEN_PASSWORD", "TOKEN", "UUID", "REQ_ID", "REQUEST_ID"])
/** Monitoring figures (only inside MONITORING), and hours that depend on the replay's pace. */
const figures = new Set(["FREE_CPU", "FREE_MEMORY", "USED_CPU", "USED_MEMORY", "NETRX", "NETTX", "FREE", "USED"])
const hours = new Set(["HOURS", "RHOURS"])

const datePrefix = /^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}: /

const normalText = (path: ReadonlyArray<string>, text: string): string => {
  const name = path.at(-1) ?? ""
  if (times.has(name)) return /^[1-9]\d*$/.test(text) ? "<time>" : text
  if (random.has(name)) return text === "" || text === "-1" ? text : "<random>"
  if (hours.has(name)) return "<hours>"
  if (figures.has(name) && path.includes("MONITORING")) return "<figure>"
  if (name === "ERROR" || name === "SCHED_MESSAGE") return text.replace(datePrefix, "<date>: ")
  return text
}

/** The real parser prints an uninitialised number as the line of a syntax error. */
const normalMessage = (text: string): string => text.replace(/ at line \d+, columns /, " at line <any>, columns ")

const isDocument = (text: string) => text.startsWith("<") && text.endsWith(">")

const loginToken = /^[0-9a-f]{64}$/

const flatten = (node: Node, path: ReadonlyArray<string>, inDocument: boolean): ReadonlyArray<string> => {
  const here = [...path, node.name]
  const kind = node.selfClosing ? "/" : node.cdata ? "!" : ""
  if (node.children.length > 0)
    return [`${here.join(".")} {`, ...node.children.flatMap((child) => flatten(child, here, inDocument)), "}"]
  if (!inDocument && node.name === "string" && isDocument(node.text))
    return [`${here.join(".")} {`, ...parse(node.text).children.flatMap((child) => flatten(child, ["doc"], true)), "}"]
  const text = inDocument
    ? normalText(here, node.text)
    : loginToken.test(node.text)
      ? "<random>"
      : normalMessage(node.text)
  return [`${here.join(".")}${kind} = ${text}`]
}

/** The first difference, or undefined when the answers are the same. */
export const difference = (expected: string, actual: string): string | undefined => {
  if (expected === actual) return undefined
  if (!expected.startsWith("<?xml") || !actual.startsWith("<?xml")) return `expected ${expected} but was ${actual}`
  const [left, right] = [expected, actual].map((xml) =>
    parse(xml).children.flatMap((child) => flatten(child, [], false))
  )
  if (left === undefined || right === undefined) return undefined
  for (let at = 0; at < Math.max(left.length, right.length); at++)
    if (left[at] !== right[at]) return `expected ${left[at] ?? "nothing more"} but was ${right[at] ?? "nothing more"}`
  return undefined
}

/** The server side of XML-RPC as xmlrpc-c 1.33.14 speaks it: strict reading with its faults, and its way of writing answers. */
import { type Answer, Fault } from "./refusals.js"
import { array, boolean, int, string, type Value } from "./values.js"
import { escapeXml } from "./xml.js"
import { childNamed, readXml, type XmlElement } from "./xml-tree.js"

export interface Request {
  readonly method: string
  readonly params: ReadonlyArray<Value>
}

const improper = (detail: string) =>
  new Fault({ code: -503, message: `Call XML not a proper XML-RPC call.  ${detail}` })
const invalidContent = (token: string, reason: string) =>
  improper(`Call is not valid XML.  Invalid XML "content".  Problem with token at '${token}...': ${reason}`)

/** xmlrpc-c quotes up to 40 bytes of what it stumbled over. */
const quotedLength = 40

const quoteBytes = (bytes: Uint8Array): string =>
  Array.from(bytes.slice(0, quotedLength), (byte) =>
    byte < 0x80 ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`
  ).join("")

/** Reads the bytes of a request as text: UTF-8, UTF-16 with a byte order mark, or the declared ISO-8859-1. Throws `Fault`. */
export const decodeBody = (bytes: Uint8Array): string => {
  const utf16 =
    bytes[0] === 0xff && bytes[1] === 0xfe
      ? "utf-16le"
      : bytes[0] === 0xfe && bytes[1] === 0xff
        ? "utf-16be"
        : undefined
  if (utf16 !== undefined) return new TextDecoder(utf16).decode(bytes)
  const latin1 = Buffer.from(bytes).toString("latin1")
  if (/^\s*<\?xml[^>]*encoding=["']iso-8859-1["']/i.test(latin1)) return latin1
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch {
    throw invalidContent(quoteBytes(bytes.slice(firstInvalidByte(bytes))), "Invalid token, starting 0 bytes in")
  }
}

/** The longest prefix that is UTF-8, found by halving. */
const firstInvalidByte = (bytes: Uint8Array): number => {
  const valid = (length: number) => {
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.slice(0, length), { stream: true })
      return true
    } catch {
      return false
    }
  }
  let low = 0
  let high = bytes.length
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (valid(middle)) low = middle
    else high = middle - 1
  }
  return low
}

const malformed = (text: string, position: number, unclosed: boolean): Fault => {
  const first = text.trimStart().charAt(0)
  if (first !== "<")
    return improper(`Call is not valid XML.  ${/[\p{L}_:]/u.test(first) ? "syntax error" : "not well-formed"}`)
  if (unclosed) return invalidContent("", "no element found")
  const reference = text.lastIndexOf("&#", position)
  if (reference >= 0 && position - reference < 12)
    return invalidContent(
      quoteBytes(new TextEncoder().encode(text.slice(reference))),
      "reference to invalid character number"
    )
  return invalidContent(quoteBytes(new TextEncoder().encode(text.slice(position))), "not well-formed (invalid token)")
}

/** Reads one request. Throws `Fault` -503 for everything that xmlrpc-c 1.33.14 would refuse. */
export const readRequest = (text: string): Request => {
  const tree = readXml(text)
  if (tree._tag === "Malformed") throw malformed(text, tree.position, tree.unclosed)
  const root = tree.root
  if (root.name !== "methodCall")
    throw improper(`XML-RPC call should be a <methodCall> element.  Instead, we have a <${root.name}> element.`)
  const methodName = childNamed(root, "methodName")
  if (methodName === undefined) throw improper("Expected <methodCall> to have child <methodName>")
  const params = childNamed(root, "params")?.children ?? []
  return { method: methodName.text, params: params.map(readParam) }
}

const readParam = (param: XmlElement): Value => {
  const value = param.children[0]
  if (param.name !== "param" || value === undefined || value.name !== "value")
    throw improper("Expected <param> to have child <value>")
  return readValue(value)
}

const readValue = (value: XmlElement): Value => {
  const typed = value.children[0]
  if (typed === undefined) return string(value.text)
  const text = typed.text.trim()
  switch (typed.name) {
    case "int":
    case "i4":
      return readInt(text)
    case "i8":
    case "ex:i8":
      if (!/^[+-]?\d+$/.test(text)) throw improper(`<i8> value '${text}' is not a valid integer`)
      return { _tag: "Long", value: BigInt(text) }
    case "boolean":
      if (text !== "0" && text !== "1")
        throw improper(
          `<boolean> XML element content must be either '0' or '1' according to XML-RPC.  This one has '${text}'`
        )
      return boolean(text === "1")
    case "double":
      return { _tag: "Double", value: Number(text) }
    case "string":
    case "dateTime.iso8601":
    case "base64":
      return string(typed.text)
    case "nil":
    case "ex:nil":
      return { _tag: "Nil" }
    case "array":
      return array((childNamed(typed, "data")?.children ?? []).map(readValue))
    case "struct":
      return { _tag: "Struct", members: typed.children.map(readMember) }
    default:
      throw improper(`Unknown value type -- XML element is named <${typed.name}>`)
  }
}

const readMember = (member: XmlElement): readonly [string, Value] => {
  const name = childNamed(member, "name")
  const value = childNamed(member, "value")
  if (name === undefined || value === undefined) throw improper("<member> must have a <name> and a <value>")
  return [name.text, readValue(value)]
}

const readInt = (text: string): Value => {
  if (!/^[+-]?\d+$/.test(text)) throw improper(`<int> value '${text}' is not a valid integer`)
  const value = Number(text)
  if (value > 2147483647)
    throw improper(`<int> value ${text} is above the range allowed by XML-RPC (maximum is 2147483647)`)
  if (value < -2147483648)
    throw improper(`<int> value ${text} is below the range allowed by XML-RPC (minimum is -2147483648)`)
  return int(value)
}

const escapeText = (text: string): string => {
  const escaped = escapeXml(text)
  return escaped.includes("\r") ? escaped.replace(/\r/g, "&#x0d;") : escaped
}

const writeValue = (value: Value): string => `<value>${writeInner(value)}</value>`

const writeInner = (value: Value): string => {
  switch (value._tag) {
    case "Int":
      return `<i4>${value.value}</i4>`
    case "Long":
      return `<i8>${value.value}</i8>`
    case "Boolean":
      return `<boolean>${value.value ? 1 : 0}</boolean>`
    case "Double":
      return `<double>${value.value}</double>`
    case "String":
      return `<string>${escapeText(value.value)}</string>`
    case "Nil":
      return "<nil/>"
    case "Array":
      return `<array><data>\r\n${value.items.map((item) => `${writeValue(item)}\r\n`).join("")}</data></array>`
    case "Struct":
      return `<struct>\r\n${value.members
        .map(([name, member]) => `<member><name>${escapeXml(name)}</name>\r\n${writeValue(member)}</member>\r\n`)
        .join("")}</struct>`
  }
}

const methodResponse = (inner: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\r\n<methodResponse>\r\n${inner}</methodResponse>\r\n`

/** The value that a call answers: `[true, value, 0]`, `[false, message, code, id, -1]`, or a bare value. */
export const answerValue = (answer: Exclude<Answer, { _tag: "Fault" }>): Value => {
  switch (answer._tag) {
    case "Ok":
      return array([boolean(true), answer.value, int(0)])
    case "Error":
      return array([
        boolean(false),
        string(answer.message),
        int(answer.code),
        int(answer.id),
        { _tag: "Long", value: -1n }
      ])
    case "Bare":
      return answer.value
  }
}

export const writeAnswer = (answer: Answer): string =>
  answer._tag === "Fault"
    ? methodResponse(
        `<fault>\r\n${writeValue({
          _tag: "Struct",
          members: [
            ["faultCode", int(answer.code)],
            ["faultString", string(answer.message)]
          ]
        })}\r\n</fault>\r\n`
      )
    : methodResponse(`<params>\r\n<param>${writeValue(answerValue(answer))}</param>\r\n</params>\r\n`)

/** The comparison itself: it must see what matters, or the conformance figure means nothing. */
import { describe, expect, it } from "@effect/vitest"
import { difference } from "./opennebula-compare.js"

const answer = (document: string) =>
  `<?xml version="1.0"?><methodResponse><params><param><value><array><data><value><boolean>1</boolean></value><value><string>${document
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")}</string></value></data></array></value></param></params></methodResponse>`

const recorded = "<VM><ID>7</ID><STATE>3</STATE><STIME>1795379414</STIME><NAME><![CDATA[a]]></NAME><LOCK/></VM>"

describe("comparing answers", () => {
  it.each([
    ["an id", recorded.replace("<ID>7", "<ID>8")],
    ["a state", recorded.replace("<STATE>3", "<STATE>8")],
    ["a missing element", recorded.replace("<STATE>3</STATE>", "")],
    ["another order", recorded.replace("<ID>7</ID><STATE>3</STATE>", "<STATE>3</STATE><ID>7</ID>")],
    ["text where there was CDATA", recorded.replace("<![CDATA[a]]>", "a")],
    ["an open element where it was self-closing", recorded.replace("<LOCK/>", "<LOCK></LOCK>")],
    ["no time where there was one", recorded.replace("1795379414", "0")]
  ])("sees %s", (_, changed) => {
    expect(changed).not.toBe(recorded)
    expect(difference(answer(recorded), answer(changed))).toBeDefined()
  })

  it("forgives another second", () => {
    expect(difference(answer(recorded), answer(recorded.replace("1795379414", "1795379499")))).toBeUndefined()
  })

  it("sees another value type", () => {
    const shown = answer("x").replace("<string>x</string>", "<i4>1</i4>")
    expect(difference(shown, shown.replaceAll("i4>", "i8>"))).toBeDefined()
  })
})

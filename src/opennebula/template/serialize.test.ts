import { describe, expect, it } from "@effect/vitest"
import { Either, FastCheck as fc } from "effect"
import { parseTemplate } from "../../../test/support/openNebulaTemplates.js"
import { serialize } from "./serialize.js"
import { type Attribute, single, type Template, vector } from "./template.js"

const text = (template: Template): string => Either.getOrThrow(serialize(template))

/** What hurts: everything that means something to the lexer, to XML, or to people who wrote escapers before. */
const spiteful = fc.constantFrom(
  '"',
  "\\",
  '\\"',
  "\\\\",
  "\n",
  "[",
  "]",
  ",",
  "=",
  "#",
  "<",
  ">",
  "&",
  "]]",
  "$USER[NAME]",
  " ",
  "\t",
  "'",
  "é",
  "✓",
  "🙂",
  "",
  "NAME=",
  "a",
  '"]\nNIC=[NETWORK_ID="0"',
  '\\"]\nCPU="64',
  "</A></TEMPLATE>",
  "<![CDATA[",
  "&quot;",
  "%22",
  "@^_^@"
)
const value = fc
  .array(fc.oneof(spiteful, fc.string({ unit: "grapheme" })), { maxLength: 8 })
  .map((parts) => parts.join(""))
  .filter((joined) => !joined.includes("]]>") && !/[^\t\n\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u.test(joined))
const name = fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,10}$/)
const attribute: fc.Arbitrary<Attribute> = fc.oneof(
  fc.tuple(name, value).map(([key, some]) => single(key, some)),
  fc.tuple(name, fc.dictionary(name, value, { minKeys: 1, maxKeys: 4 })).map(([key, values]) => vector(key, values))
)

describe("a template as text", () => {
  it("is read by OpenNebula's lexer as exactly what went in, whatever the values hold", () =>
    fc.assert(
      fc.property(fc.array(attribute, { maxLength: 6 }), (template) => {
        expect(parseTemplate(text(template))).toEqual(template)
      }),
      { numRuns: 3_000 }
    ))

  it("uses the syntax of the recordings wherever it can", () => {
    expect(text([single("NAME", "acme"), vector("VM", { CPU: 4, MEMORY: 8192 })])).toBe(
      'NAME="acme"\nVM=[CPU="4",MEMORY="8192"]'
    )
  })

  it("uses XML for a value that ends in a backslash, which has no quoted form", () => {
    const template = [single("A", "C:\\"), single("B", 'x"')]
    expect(text(template)).toMatch(/^<TEMPLATE>/)
    expect(parseTemplate(text(template))).toEqual(template)
    // What would have happened: the value runs on to the next quote.
    expect(() => parseTemplate('A="C:\\"\nB="x"')).toThrow()
  })

  it("sends the line ends of Windows and old Macs as newlines, which is what would come back", () => {
    expect(text([single("KEY", "ssh-ed25519 AAAA\r\nsecond\rthird")])).toBe('KEY="ssh-ed25519 AAAA\nsecond\nthird"')
  })

  it("is empty for no attributes", () => {
    expect(text([])).toBe("")
  })

  it("writes numbers and booleans as OpenNebula reads them", () => {
    expect(text([single("CPU", 0.5), single("HOLD", true), single("SIZE", 1e21)])).toBe(
      'CPU="0.5"\nHOLD="YES"\nSIZE="1000000000000000000000"'
    )
  })
})

describe("what OpenNebula cannot carry", () => {
  const refused = (template: Template) => {
    const result = serialize(template)
    return Either.isLeft(result) ? result.left : undefined
  }

  it.each([
    ["a control character", "a\u0001b"],
    ["NUL", "\u0000"],
    ["half a surrogate pair", "a\uD800b"],
    ["U+FFFF", "\uFFFF"],
    ["the end of a CDATA section", "a]]>b"]
  ])("is refused by the name of the attribute: %s", (_, bad) => {
    const error = refused([single("NAME", "fine"), vector("CONTEXT", { OK: "fine", START_SCRIPT: bad })])
    expect(error).toMatchObject({
      _tag: "TemplateUnencodable",
      attribute: "CONTEXT/START_SCRIPT",
      disposition: "fail-order"
    })
    expect(refused([single("DESCRIPTION", bad)])?.attribute).toBe("DESCRIPTION")
  })

  it.each(["", "A B", "A=", 'A"', "A]", "1A", "A\n", "É", "A-B"])("includes the name %j", (bad) => {
    expect(refused([single(bad, "x")])?._tag).toBe("TemplateUnencodable")
    expect(refused([vector("CONTEXT", { [bad]: "x" })])?._tag).toBe("TemplateUnencodable")
  })

  it("is told without the value, which may be a secret", () => {
    const error = refused([single("PASSWORD", "hunter2\u0001")])
    expect(JSON.stringify([error?.message, error?.customerMessage, error])).not.toContain("hunter2")
  })
})

/** The scanner of our own against saxes: whatever the document, and however it is cut, both give the same, or both refuse. */
import { describe, expect, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { escape } from "../../../test/support/openNebulaDecoding.js"
import type { Reads, XmlElement } from "./answer.js"
import { DocumentReader } from "./document.js"
import { QuickReader } from "./quick.js"
import { Tree } from "./tree.js"

/** What becomes of a document that arrives in pieces; "refused" if it is. */
const outcome = (reader: DocumentReader, bytes: Buffer, cuts: ReadonlyArray<number>) => {
  const items: Array<XmlElement> = []
  const ends = [...new Set([...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b)
  try {
    let from = 0
    for (const end of ends) {
      // As the wire does it: the bytes are overwritten as soon as they were written.
      const piece = Buffer.from(bytes.subarray(from, end))
      reader.write(piece)
      piece.fill(0x21)
      items.push(...reader.take())
      from = end
    }
    reader.end()
    return items
  } catch {
    return "refused"
  }
}

/** All that is read; of a pool of VMs some, in which names stand in other places, too. */
const partly: Reads = { A: true, B: { A: true, "c-1": { B: true } } }
const ways: ReadonlyArray<readonly [items: ReadonlyArray<string> | undefined, reads: Reads | true]> = [
  [undefined, true],
  [["VM"], true],
  [["VM", "B"], partly]
]

const agree = (bytes: Buffer, cuts: ReadonlyArray<number>) => {
  for (const [items, reads] of ways) {
    const general = outcome(new DocumentReader(items, reads, false), bytes, [])
    if (general === "refused" && /<[0-9]/.test(bytes.toString("latin1"))) continue
    expect(outcome(new DocumentReader(items, reads), bytes, cuts)).toEqual(general)
    expect(outcome(new DocumentReader(items, reads), bytes, [])).toEqual(general)
  }
}

const { array, constantFrom, nat, oneof, string, tuple } = FastCheck
const names = constantFrom("VM", "A", "B", "c-1", "_x:y.2", "constructor", "__proto__", "N".repeat(140), "Имя")
/** Pieces of text that are something, or nearly so, to one of the two. */
const pieces = oneof(
  string({ maxLength: 12 }).map(escape),
  string({ unit: "grapheme", maxLength: 4 }).map(escape),
  constantFrom(
    "]",
    "]]",
    "]]]",
    ">",
    "\r",
    "\n",
    "\r\n",
    " ",
    "é",
    "漢",
    "😀",
    "&amp;",
    "&lt;",
    "&#13;",
    "&#x1F600;",
    "&quot;&apos;"
  )
)
const sections = array(oneof(pieces, constantFrom("<", "&", "<A>", "]]&gt;")), { maxLength: 4 }).map(
  (inner) => `<![CDATA[${inner.join("").replaceAll("]]>", "]] >")}]]>`
)
/** What XML has and OpenNebula never writes, and what XML has not: some of it in some documents. */
const rare = constantFrom(
  ...["<!-- a comment -->", "<?pi x?>", '<A b="c"/>', "<A >x</A >", "<A/>\n", "<A\n/>", "<Имя/>"],
  ...[
    "]]>",
    "&nbsp;",
    "&",
    "&#0;",
    "&#xD800;",
    "&#00000000038;",
    "&;",
    "\u0001",
    "\uFFFE",
    "\uFFFF",
    "<",
    "</A>",
    "<A>",
    "<1/>",
    "</A>"
  ],
  ...["<![CDATA[", "<!DOCTYPE a>", "</>", "< A/>", "<-A/>", "<A/B>", "<:/>"]
)
const { document } = FastCheck.letrec<{ element: string; document: string }>((tie) => ({
  element: tuple(
    names,
    array(oneof({ maxDepth: 6 }, pieces, sections, tie("element")), { maxLength: 5 }),
    FastCheck.boolean()
  ).map(([name, inner, short]) =>
    inner.length === 0 && short ? `<${name}/>` : `<${name}>${inner.join("")}</${name}>`
  ),
  document: tie("element")
}))
const cuts = array(nat(400), { maxLength: 12 })

describe("a document reads the same as by saxes", () => {
  it("whatever is in it, wherever it is cut", () =>
    FastCheck.assert(
      FastCheck.property(document, cuts, (text, some) => agree(Buffer.from(text), some)),
      { numRuns: 200 }
    ))

  it("with something in it that OpenNebula does not write, or XML forbids", () =>
    FastCheck.assert(
      FastCheck.property(document, rare, nat(300), cuts, (text, odd, at, some) => {
        const place = at % (text.length + 1)
        agree(Buffer.from(text.slice(0, place) + odd + text.slice(place)), some)
      }),
      { numRuns: 400 }
    ))

  it("with bytes changed, left out or put twice", () =>
    FastCheck.assert(
      FastCheck.property(
        document,
        array(tuple(nat(300), nat(255)), { minLength: 1, maxLength: 3 }),
        nat(2),
        cuts,
        (text, changes, how, some) => {
          const bytes = [...Buffer.from(text)]
          for (const [at, byte] of changes)
            bytes.splice(at % (bytes.length + 1), how === 0 ? 1 : 0, ...(how === 1 ? [] : [byte]))
          agree(Buffer.from(bytes), some)
        }
      ),
      { numRuns: 400 }
    ))

  it("byte by byte", () => {
    const text = "<VM_POOL><VM><A>é]]&amp;\r\n😀</A><B/><![CDATA[]]]]><![CDATA[>\r\n\r]]></VM></VM_POOL>"
    agree(
      Buffer.from(text),
      Array.from({ length: 200 }, (_, at) => at)
    )
  })

  it("at the deepest that is allowed, and one deeper", () => {
    for (const depth of [64, 65]) agree(Buffer.from("<A>".repeat(depth) + "</A>".repeat(depth)), [100])
    expect(outcome(new DocumentReader(), Buffer.from("<A>".repeat(65) + "</A>".repeat(65)), [])).toBe("refused")
  })
})

describe("a name that begins with a digit", () => {
  it("is read, wherever it is cut: OpenNebula writes one if somebody gave it", () => {
    const bytes = Buffer.from("<VM_POOL><VM><A><1><![CDATA[x]]></1><2B/></A></VM></VM_POOL>")
    const named = (name: string, text: string) => ({ name, text, children: [] })
    const vm = {
      name: "VM",
      text: "",
      children: [{ name: "A", text: "", children: [named("1", "x"), named("2B", "")] }]
    }
    for (let cut = 0; cut <= bytes.length; cut++)
      expect(outcome(new DocumentReader(["VM"]), bytes, [cut]), `cut at ${cut}`).toEqual([vm])
  })

  it("is refused beside what only saxes reads, as any XML that is none", () => {
    for (const text of ["<A><1><!-- --></1></A>", "<A><!-- --><1/></A>"])
      expect(outcome(new DocumentReader(), Buffer.from(text), []), text).toBe("refused")
  })
})

describe("of an element", () => {
  it("only what is named is built, whatever others are called", () => {
    const reader = new DocumentReader(["VM"], { A: true })
    const text = "<VM_POOL><VM><constructor><A>1</A></constructor><toString/><A>2<B>3</B></A></VM><VM_POOL/></VM_POOL>"
    const b = { name: "B", text: "3", children: [] }
    expect(outcome(reader, Buffer.from(text), [])).toEqual([
      { name: "VM", text: "", children: [{ name: "A", text: "2", children: [b] }] }
    ])
  })
})

describe("the scanner", () => {
  /** Whether it needs no saxes for a text that arrives in two pieces. */
  const sure = (text: string, cut: number) => {
    const quick = new QuickReader(new Tree(undefined, true))
    const bytes = Buffer.from(text)
    const read = quick.read(bytes.subarray(0, cut))
    return read + quick.read(bytes.subarray(read)) === bytes.length && quick.isComplete
  }

  it("reads by itself all that OpenNebula writes, letters beyond ASCII and line ends in it, wherever it is cut", () => {
    const text = "<A><B/><C>1 > 0 &amp;&#x1F600; é]</C><D><![CDATA[a]] <b> &amp;\r\n漢]]></D>\n</A>"
    for (let cut = 0; cut <= Buffer.from(text).length; cut++) expect(sure(text, cut), `cut at ${cut}`).toBe(true)
  })

  it("leaves the rest to saxes", () => {
    for (const odd of ["<!-- -->", "<?a?>", '<B c="d"/>', "<B >", "]]>", "&nbsp;", "\u0001", "\uFFFE", "</B>", "<é/>"])
      expect(sure(`<A>${odd}</A>`, 0), odd).toBe(false)
  })
})

import { describe, expect, it } from "@effect/vitest"
import { Effect, FastCheck } from "effect"
import {
  call,
  decode,
  document,
  documentAnswer,
  envelope,
  escape,
  integer,
  pool,
  text
} from "../../../test/support/openNebulaDecoding.js"
import { recording } from "../../../test/support/openNebulaRecordings.js"
import { AnswerTooLarge, MalformedAnswer } from "../errors.js"
import type { Answer } from "./answer.js"

const failure = <A>(answer: Answer<A>, bytes: Buffer, cuts: ReadonlyArray<number> = []) =>
  Effect.flip(decode(answer, bytes, cuts))

/** Takes `piece` for `instead` in a good answer. */
const changed = (piece: string, instead: string): Buffer =>
  Buffer.from(documentAnswer("<VM><ID>1</ID></VM>").toString("utf8").replace(piece, instead))

const nested = (depth: number): string => "<A>".repeat(depth) + "</A>".repeat(depth)

describe("an answer that is cut off", () => {
  const cases = [
    ["001", text],
    ["003", pool("GROUP")],
    ["088", integer],
    ["107", integer],
    ["114", integer]
  ] as const
  it.effect.each(cases)("at any byte of recording %s is malformed, never empty", ([number, answer]) =>
    Effect.gen(function* () {
      const { response } = recording(number)
      const whole = response.toString("utf8").trimEnd().length
      for (let length = 0; length < whole; length++) {
        const error = yield* failure<unknown>(answer, response.subarray(0, length))
        expect(error, `after ${length} bytes`).toBeInstanceOf(MalformedAnswer)
      }
    })
  )

  it.effect("is malformed also when the document in it is complete", () =>
    Effect.gen(function* () {
      const bytes = documentAnswer("<VM><ID>1</ID></VM>")
      const end = bytes.indexOf("</string>")
      expect(yield* failure(document, bytes.subarray(0, end))).toBeInstanceOf(MalformedAnswer)
    })
  )
})

describe("an answer that was made to hurt", () => {
  const bomb = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
  const hostile: ReadonlyArray<readonly [string, Buffer]> = [
    ["a DOCTYPE before the envelope", changed("<methodResponse>", `${bomb}<methodResponse>`)],
    ["a DOCTYPE before the document", documentAnswer(`${bomb}<VM><ID>&b;</ID></VM>`)],
    ["an unknown entity in the document", documentAnswer("<VM><ID>&b;</ID></VM>")],
    ["an unknown entity in the envelope", changed("&lt;", "&b;")],
    ["an ampersand alone", changed("&lt;", "& ")],
    ["a character reference to NUL", changed("&lt;", "&#0;")],
    ["a character reference beyond Unicode", changed("&lt;", "&#x110000;")],
    ["a control character", changed("&lt;", "\u0001")],
    ["a document that is not escaped", envelope("<string><VM/></string>")],
    ["a comment inside the string", changed("&lt;", "<!-- x -->&lt;")],
    ["endless comments", changed("<params>", `<params><!--${"x".repeat(20_000)}-->`)],
    ["nesting beyond the limit", documentAnswer(nested(65))],
    ["nesting without end", documentAnswer("<A>".repeat(1_000_000))],
    ["nesting in the envelope", envelope("<array><data><value><i4>1</i4></value></data></array>")],
    ["two documents", documentAnswer("<VM/><VM/>")],
    ["text after the document", documentAnswer("<VM/>more")],
    ["elements after the end", Buffer.concat([documentAnswer("<VM/>"), Buffer.from("<methodResponse/>")])],
    ["text after the end", Buffer.concat([documentAnswer("<VM/>"), Buffer.from("more")])],
    ["a NUL after the end", Buffer.concat([documentAnswer("<VM/>"), Buffer.from([0])])],
    ["a second value array", changed("</params>", "<param><value><array><data/></array></value></param></params>")],
    ["no result code", changed("<value><i4>0</i4></value>", "")],
    ["a string for a result code", changed("<i4>0</i4>", "<string>0</string>")],
    ["a boolean that is a word", changed("<boolean>1", "<boolean>true")],
    ["no boolean", changed("<boolean>1</boolean>", "<i4>1</i4>")],
    ["a number where a document should be", envelope("<i4>7</i4>")],
    ["nothing where a document should be", envelope("<string></string>")],
    ["an empty element where a document should be", envelope("<string/>")],
    ["another encoding", changed("UTF-8", "UTF-16")],
    ["words", Buffer.from("Internal Server Error")],
    ["an HTML page", Buffer.from("<html><head><title>502</title></head></html>")],
    ["nothing", Buffer.alloc(0)]
  ]
  it.effect.each(hostile)("is refused: %s", ([, bytes]) =>
    Effect.gen(function* () {
      expect(yield* failure(document, bytes)).toBeInstanceOf(MalformedAnswer)
      const each = Array.from({ length: Math.min(bytes.length, 500) }, (_, index) => index)
      expect(yield* failure(document, bytes, each)).toBeInstanceOf(MalformedAnswer)
    })
  )

  it.effect("may nest as deep as the limit", () =>
    Effect.gen(function* () {
      expect((yield* decode(document, documentAnswer(nested(64)))).name).toBe("A")
    })
  )

  it.effect("is not read beyond the size that is allowed", () =>
    Effect.gen(function* () {
      const bytes = documentAnswer(`<VM>${"x".repeat(1000)}</VM>`)
      const cuts = [100, 200, 900]
      expect(yield* Effect.flip(decode(document, bytes, cuts, 500))).toStrictEqual(
        new AnswerTooLarge({ ...call, limitBytes: 500 })
      )
      expect((yield* decode(document, bytes, cuts, bytes.length)).name).toBe("VM")
    })
  )

  it.effect("is refused when its value is not what the call promises, and says which call", () =>
    Effect.gen(function* () {
      expect(yield* failure(integer, documentAnswer("<VM/>"))).toMatchObject({ _tag: "MalformedAnswer", ...call })
      expect(yield* failure(integer, envelope("<i4>x</i4>"))).toBeInstanceOf(MalformedAnswer)
      expect(yield* failure(text, envelope("<i4>7</i4>"))).toBeInstanceOf(MalformedAnswer)
    })
  )
})

describe("text comes out as it went in", () => {
  it.effect("wherever a line end in a CDATA section is cut", () =>
    Effect.gen(function* () {
      const bytes = envelope("<string><![CDATA[one\r\ntwo\rthree]]></string>")
      for (let first = 0; first < bytes.length; first++) {
        for (let length = 1; length < 6; length++) {
          expect(yield* decode(text, bytes, [first, first + length])).toBe("one\ntwo\nthree")
        }
      }
    })
  )

  const special = FastCheck.constantFrom(
    "&",
    "<",
    ">",
    "]]>",
    "&amp;",
    "&lt;",
    "\n",
    "\t",
    "\r",
    "\r\n",
    "é",
    "漢",
    "😀",
    '"'
  )
  const texts = FastCheck.array(FastCheck.oneof(special, FastCheck.string({ unit: "binary" })), { maxLength: 20 }).map(
    (parts) => parts.join("").replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, "")
  )
  const cuts = FastCheck.array(FastCheck.nat(5000), { maxLength: 30 })
  const run = <A>(effect: Effect.Effect<A, unknown>): Promise<A> => Effect.runPromise(Effect.orDie(effect))

  it("escaped, with line ends as references", () =>
    FastCheck.assert(
      FastCheck.asyncProperty(texts, cuts, async (plain, some) => {
        const bytes = envelope(`<string>${escape(plain).replaceAll("\r", "&#x0d;")}</string>`)
        expect(await run(decode(text, bytes, some))).toBe(plain)
      })
    ))

  it("escaped, with bare line ends made line feeds", () =>
    FastCheck.assert(
      FastCheck.asyncProperty(texts, cuts, async (plain, some) => {
        const bytes = envelope(`<string>${escape(plain)}</string>`)
        expect(await run(decode(text, bytes, some))).toBe(plain.replace(/\r\n?/g, "\n"))
      })
    ))

  it("in CDATA sections, as other servers write it", () =>
    FastCheck.assert(
      FastCheck.asyncProperty(texts, cuts, async (plain, some) => {
        const section = `<![CDATA[${plain.replaceAll("]]>", "]]]]><![CDATA[>")}]]>`
        const bytes = envelope(`<string>a${section}&amp;b</string>`)
        expect(await run(decode(text, bytes, some))).toBe(`a${plain.replace(/\r\n?/g, "\n")}&b`)
      })
    ))

  it.effect("with a byte that is no UTF-8 replaced, so that one bad name does not hide a pool", () =>
    Effect.gen(function* () {
      const bytes = documentAnswer("<VM><NAME>a~b</NAME></VM>")
      bytes[bytes.indexOf("~")] = 0xff
      expect((yield* decode(document, bytes)).children[0]?.text).toBe("a\uFFFDb")
    })
  )

  it.effect("with a control character replaced as well, which the front-end writes as it is", () =>
    Effect.gen(function* () {
      const bytes = documentAnswer("<VM><ERROR><![CDATA[a\u001b[31m\u0000b]]></ERROR><NAME>\u0001\tc</NAME></VM>")
      const each = Array.from({ length: bytes.length }, (_, index) => index)
      for (const cut of [[], each]) {
        const { children } = yield* decode(document, bytes, cut)
        expect(children.map(({ text }) => text)).toEqual(["a\u007f[31m\u007fb", "\u007f\tc"])
      }
    })
  )
})

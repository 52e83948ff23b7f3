import { describe, expect, it } from "@effect/vitest"
import { Cause, Effect, Exit, FastCheck } from "effect"
import { independentCall, recordings } from "../../../test/support/openNebulaRecordings.js"
import { UnsendableNumber } from "../errors.js"
import type { Param } from "./answer.js"
import { encodeRequest } from "./request.js"

const call = { method: "one.vm.info", endpoint: "http://front-end/RPC2" }
const encode = (session: string, params: ReadonlyArray<Param>, method = call.method) =>
  encodeRequest({ ...call, method }, session, params)

const isParam = (value: unknown): value is Param =>
  typeof value === "string" ||
  typeof value === "boolean" ||
  (typeof value === "number" && Number.isInteger(value)) ||
  (Array.isArray(value) && value.every((one) => Number.isInteger(one)))

/** Requests that a correct client sends: those that were made to provoke faults have other types, or are not XML. */
const ordinary = recordings.filter(
  ({ name, request }) =>
    Number(name.slice(0, 3)) < 500 &&
    request.includes("<methodCall>") &&
    !/<(double|i8|nil|struct)>/.test(String(request))
)

const markup = /<(?:[^<>]*)>/g
const types = (request: Buffer): ReadonlyArray<string> =>
  (String(request).match(markup) ?? [])
    .filter((tag) => /^<(int|i4|string|boolean|array)\b/.test(tag))
    .map((tag) => tag.replace("/", ""))

describe("requests", () => {
  it("were recorded in numbers", () => {
    expect(ordinary.length).toBeGreaterThan(400)
  })

  it.live.each(ordinary)("mean and are typed the same as recorded in $name", ({ request }) =>
    Effect.gen(function* () {
      const { method, params } = yield* Effect.promise(() => independentCall(request))
      const [session, ...rest] = params
      if (typeof session !== "string" || !rest.every(isParam)) return expect.fail("not a call with a session")
      const ours = yield* encode(session, rest, method)
      expect(yield* Effect.promise(() => independentCall(ours))).toEqual({ method, params })
      expect(types(ours)).toEqual(types(request))
    })
  )

  const characters = FastCheck.string({ unit: "binary" }).map((text) =>
    text.replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, "")
  )
  const pieces = FastCheck.constantFrom("]]>", "&amp;", "<", ">", "&", "\r\n", "\r", "<![CDATA[", "é", "😀", '"', " ")
  const sentence = FastCheck.array(FastCheck.oneof(pieces, characters), { maxLength: 8 }).map((parts) => parts.join(""))
  const number = FastCheck.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
  const params = FastCheck.array(FastCheck.oneof(sentence, number, FastCheck.boolean(), FastCheck.array(number)))

  it("carry every text and every 32-bit integer through another reader unchanged", () =>
    FastCheck.assert(
      FastCheck.asyncProperty(sentence, params, async (session, some) => {
        const sent = await independentCall(await Effect.runPromise(encode(session, some)))
        expect(sent).toEqual({
          method: call.method,
          params: [session, ...some.map((param) => (Object.is(param, -0) ? 0 : param))]
        })
      })
    ))

  it.effect.each([Number.NaN, Number.POSITIVE_INFINITY, 1.5, 2 ** 31, -(2 ** 31) - 1, 2 ** 53])(
    "do not carry the number %d: that is a bug",
    (value) =>
      Effect.gen(function* () {
        for (const param of [value, [1, value]]) {
          const exit = yield* Effect.exit(encode("a:b", ["x", param]))
          expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toBeInstanceOf(UnsendableNumber)
        }
      })
  )

  it.effect.each([
    ["\u0000", "U+0000"],
    ["\u0001", "U+0001"],
    ["\u000B", "U+000B"],
    ["\uFFFE", "U+FFFE"],
    ["\uD800", "U+D800"],
    ["x\uDC00\uD800", "U+DC00"]
  ])("do not carry %j: the order fails, and the customer reads why", ([text, character]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(encode("a:b", [7, `name${text}`]))
      expect(error).toMatchObject({ _tag: "UnsendableText", parameter: 1, character, disposition: "fail-order" })
      expect(error.customerMessage).toContain("control characters")
      expect((yield* Effect.flip(encode(`a:${text}`, []))).parameter).toBe(-1)
    })
  )
})

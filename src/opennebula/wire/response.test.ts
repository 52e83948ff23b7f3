import { describe, expect, it } from "@effect/vitest"
import { Cause, Effect, Exit, FastCheck } from "effect"
import { decode, document, integer, pool, text } from "../../../test/support/openNebulaDecoding.js"
import {
  independentTree,
  independentValue,
  type Recording,
  recording,
  recordings
} from "../../../test/support/openNebulaRecordings.js"
import { MalformedAnswer } from "../errors.js"

/** No answers of a `one.` method: what introspection gives, without a result code, and the pages of the HTTP server. */
const others = new Set(["525", "526", "527", "528", "529", "532", "537", "538", "539", "540"])
const isAnswer = ({ name }: Recording): boolean => !others.has(name.slice(0, 3))
const answers = recordings.filter(isAnswer)

/** What our error has to say of an independent reader's fault or refusal: the same words, but for the method before them. */
const faultOf = (fault: number, serverMessage: string) =>
  fault === -506 ? { _tag: "UnsupportedFrontEnd", serverMessage } : { _tag: "MisusedApi", code: fault, serverMessage }
const refusalOf = ([, message, code, objectId]: ReadonlyArray<unknown>) => ({
  serverMessage: String(message).replace(/^\[[^\]]*\] /, ""),
  ...(objectId === -1 ? {} : { objectId }),
  ...(code === 0x1000 ? { code } : {})
})

const failureOf = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<unknown> =>
  Effect.map(Effect.exit(effect), (exit) => (Exit.isFailure(exit) ? Cause.squash(exit.cause) : exit))

/** The independent reader is slow, and each answer is read five times. */
const independently = new Map<Buffer, ReturnType<typeof independentValue>>()
const readIndependently = (response: Buffer): ReturnType<typeof independentValue> => {
  const reading = independently.get(response) ?? independentValue(response)
  independently.set(response, reading)
  return reading
}

/** Reads an answer as whatever it is, and says what an independent reader makes of it. */
const bothReadings = (response: Buffer, cuts: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    const independent = yield* Effect.promise(() => readIndependently(response))
    if ("fault" in independent) {
      const ours = yield* failureOf(decode(text, response, cuts))
      return { ours, independent: faultOf(independent.fault, independent.text) }
    }
    const values: ReadonlyArray<unknown> = Array.isArray(independent.value) ? independent.value : [independent.value]
    const [ok, value] = values
    if (ok === false) return { ours: yield* failureOf(decode(integer, response, cuts)), independent: refusalOf(values) }
    if (typeof value === "number") {
      return { ours: { value: yield* decode(integer, response, cuts) }, independent: { value } }
    }
    if (typeof value === "string" && value.startsWith("<")) {
      return {
        ours: { value: yield* decode(document, response, cuts) },
        independent: cuts.length > 0 ? {} : { value: independentTree(value) }
      }
    }
    return { ours: { value: yield* decode(text, response, cuts) }, independent: { value } }
  })

describe("the recorded answers", () => {
  it("are all there", () => {
    expect(recordings.length).toBe(544)
    expect(answers.length).toBe(534)
  })

  // Live, as nothing here has to do with time: a clock of its own for each of a thousand tests takes more than the reading.
  it.live.each(recordings.filter((some) => !isAnswer(some)))("$name is no answer of the front-end", ({ response }) =>
    Effect.gen(function* () {
      expect(yield* Effect.flip(decode(document, response))).toBeInstanceOf(MalformedAnswer)
    })
  )

  it.live.each(answers)("$name reads as the xmlrpc package reads it", ({ response }) =>
    Effect.gen(function* () {
      const { ours, independent } = yield* bothReadings(response, [])
      expect(ours).toMatchObject(independent)
    })
  )

  it.live.each(answers.filter(({ response }) => response.length < 20_000))(
    "$name reads the same however its bytes are cut",
    ({ response }) =>
      Effect.gen(function* () {
        const whole = yield* bothReadings(response, [])
        const cuts = FastCheck.sample(FastCheck.array(FastCheck.nat(response.length - 1), { maxLength: 40 }), 3)
        for (const some of cuts) expect((yield* bothReadings(response, some)).ours).toEqual(whole.ours)
      })
  )

  it.effect("read the same byte by byte, with characters of several bytes and CDATA", () =>
    Effect.gen(function* () {
      const { response } = recording("212")
      const each = Array.from({ length: response.length }, (_, index) => index)
      expect(yield* decode(document, response, each)).toEqual(yield* decode(document, response))
    })
  )

  it.effect("of pools give each item once, and nothing else that lies beside the items", () =>
    Effect.gen(function* () {
      const { response } = recordings.find(({ name }) => name.includes("grouppool.info-full")) ?? recording("003")
      const root = yield* decode(document, response)
      const groups = root.children.filter(({ name }) => name === "GROUP")
      expect(groups.length).toBeGreaterThan(1)
      expect(root.children.length).toBeGreaterThan(groups.length)
      expect(yield* decode(pool("GROUP"), response)).toEqual(groups)
    })
  )
})

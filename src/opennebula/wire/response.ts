/**
 * Answers, decoded while they arrive: in one pass from the bytes of the envelope to the values of the caller, without ever holding
 * the text, or more of a pool than the item that is being read.
 */
import { StringDecoder } from "node:string_decoder"
import { Effect, Either, FiberRef, Option } from "effect"
import { AnswerTooLarge, type CallContext, MalformedAnswer, type OpenNebulaError } from "../errors.js"
import type { Answer, Gathering, XmlElement } from "./answer.js"
import { DocumentReader } from "./document.js"
import { Envelope } from "./envelope.js"
import type { TextSink } from "./escapedText.js"
import { refuse, refuseFault } from "./refusal.js"

/** Parsed at once before other fibers and sockets get their turn: 2 to 4 ms, with the caller's decoding of some 20 VMs. */
const sliceBytes = 65_536

/** Of a refusal's message only so much is kept: nobody reads more, and the answer's own limit is far higher. */
const longestMessage = 65_536

type Verdict =
  | { readonly _tag: "Success"; readonly value: string }
  | { readonly _tag: "Refusal"; readonly code: number; readonly objectId: number; readonly message: string }
  | { readonly _tag: "Fault"; readonly code: number; readonly message: string }

const malformed = (reason: string): MalformedAnswer => new MalformedAnswer({ reason })

const integer = (text: string): number => {
  if (!/^-?\d{1,15}$/.test(text)) throw malformed("a number that is none")
  return Number(text)
}

/** What a successful answer's value has to be, and who reads it. */
type Wanted = { readonly type: "int" } | { readonly type: "string"; readonly document?: DocumentReader }

/** Sees to it that the parts of an answer come in the order of an OpenNebula answer; throws `MalformedAnswer`. */
class AnswerReader {
  private readonly envelope: Envelope
  private ok: boolean | undefined
  private text = ""
  private readonly numbers: Array<number> = []
  private values = 0
  private faultCode: number | undefined

  /**
   * A reader in the middle of an answer, for ever: when the last object of a class is collected, V8 forgets what it has learnt about
   * the class, and in time no longer optimises (measured: 14 instead of 40 MB/s from the fourth full collection on).
   */
  static readonly keptAlive: AnswerReader = AnswerReader.begun()

  private static begun(): AnswerReader {
    const reader = new AnswerReader({ type: "string", document: new DocumentReader(["VM"]) })
    const values = "<value><boolean>1</boolean></value><value><string>&lt;VM_POOL&gt;&lt;VM&gt;&lt;ID&gt;1&lt;/ID&gt;"
    reader.write(Buffer.from(`<methodResponse><params><param><value><array><data>${values}`))
    return reader
  }

  constructor(private readonly wanted: Wanted) {
    this.envelope = new Envelope({
      string: (index) => this.sinkOf(index),
      value: (index, type, text) => this.onValue(index, type, text),
      faultCode: (code) => {
        this.faultCode = integer(code)
      }
    })
  }

  write(bytes: Buffer): void {
    this.envelope.write(bytes)
  }

  end(): Verdict {
    this.envelope.end()
    if (this.faultCode !== undefined) return { _tag: "Fault", code: this.faultCode, message: this.text }
    if (this.ok === undefined || this.values < 3) throw malformed("too few values")
    if (this.ok) {
      if (this.wanted.type === "string") this.wanted.document?.end()
      return { _tag: "Success", value: this.text }
    }
    const [code, objectId = -1] = this.numbers
    if (code === undefined) throw malformed("a refusal without a code")
    return { _tag: "Refusal", code, objectId, message: this.text }
  }

  private sinkOf(index: number): TextSink {
    if (index > 1 || index === 0) throw malformed("a string where none belongs")
    const { wanted } = this
    if (this.ok === true) {
      if (wanted.type === "int") throw malformed("a string where the call promises a number")
      const { document } = wanted
      // It is ended with the answer, as an answer without any string has a document to end, too.
      if (document !== undefined) return { write: (bytes) => document.write(bytes), end: () => undefined }
      return this.keeping(() => true)
    }
    return this.keeping(() => this.text.length < longestMessage)
  }

  /** What is no UTF-8 becomes U+FFFD. */
  private keeping(wanted: () => boolean): TextSink {
    const decoder = new StringDecoder("utf8")
    const keep = (text: string) => {
      if (wanted()) this.text += text
    }
    return { write: (bytes) => keep(decoder.write(bytes)), end: () => keep(decoder.end()) }
  }

  private onValue(index: number, type: string, text: string): void {
    this.values = index + 1
    if (index === 0) {
      if (type !== "boolean" || (text !== "0" && text !== "1")) throw malformed("it does not begin with a boolean")
      this.ok = text === "1"
    } else if (index === 1) {
      const expected = this.ok === true ? this.wanted.type : "string"
      if ((type === "string") !== (expected === "string") || type === "boolean") {
        throw malformed(`a value of type ${type} where the call promises ${expected}`)
      }
      if (type !== "string") this.text = String(integer(text))
    } else {
      if (type !== "i4" && type !== "int" && type !== "i8") throw malformed("a code that is no number")
      this.numbers.push(integer(text))
    }
  }
}

/**
 * Lets timers, sockets and other fibers have their turn; `Effect.yieldNow` alone may stay within the same one. A simulation whose time does not wait
 * for Node's puts its own in its place.
 */
export const nextTurn: FiberRef.FiberRef<Effect.Effect<void>> = FiberRef.unsafeMake<Effect.Effect<void>>(
  Effect.async((resume) => {
    const handle = setImmediate(() => resume(Effect.void))
    return Effect.sync(() => clearImmediate(handle))
  })
)

const attempt = <A>(parse: () => A): Effect.Effect<A, MalformedAnswer> =>
  Effect.try({
    try: parse,
    // saxes throws plain errors, whose text may quote the answer: it stays inside.
    catch: (cause) => (cause instanceof MalformedAnswer ? cause : malformed("it is not well-formed XML"))
  })

const wantedBy = <A>(answer: Answer<A>): Wanted => {
  switch (answer._tag) {
    case "Integer":
      return { type: "int" }
    case "Text":
      return { type: "string" }
    case "Document":
      return { type: "string", document: new DocumentReader() }
    case "Pool":
      return { type: "string", document: new DocumentReader(answer.items, answer.reads) }
  }
}

const finish = <A>(
  answer: Answer<A>,
  value: string,
  root: XmlElement | undefined,
  items: Gathering<A> | undefined
): Effect.Effect<A, MalformedAnswer> => {
  switch (answer._tag) {
    case "Integer":
      return answer.decode(Number(value))
    case "Text":
      return answer.decode(value)
    case "Document":
      return root === undefined ? malformed("no document") : answer.decode(root)
    case "Pool":
      return items === undefined ? malformed("no pool") : Effect.succeed(items.result())
  }
}

export interface DecodeOptions {
  readonly call: CallContext
  readonly limitBytes: number
  /** Cleans what the front-end said. */
  readonly redact: (text: string) => string
}

/**
 * Reads an answer to its end from `next`, which gives one chunk after the other and then none.
 *
 * Fails with what the front-end refused, `MalformedAnswer` or `AnswerTooLarge`; dies on faults that are our bugs (see `refusal.ts`).
 */
export const decodeAnswer = <A, E, R>(
  answer: Answer<A>,
  next: Effect.Effect<Option.Option<Uint8Array>, E, R>,
  { call, limitBytes, redact }: DecodeOptions
): Effect.Effect<A, E | OpenNebulaError, R> =>
  Effect.gen(function* () {
    const wanted = wantedBy(answer)
    const document = wanted.type === "string" ? wanted.document : undefined
    const reader = new AnswerReader(wanted)
    const items = answer._tag === "Pool" ? answer.gather() : undefined
    let root: XmlElement | undefined
    let bytes = 0
    let sinceTurn = 0
    const keep = (elements: ReadonlyArray<XmlElement>) =>
      Effect.gen(function* () {
        for (const element of elements) {
          if (items === undefined) root = element
          else {
            const added = items.add(element)
            // Nearly always there is nothing left to run, ten thousand times.
            if (!Either.isEither(added) || Either.isLeft(added)) yield* added
          }
        }
      })
    const takeComplete = Effect.suspend(() => {
      const elements = document?.take() ?? []
      return elements.length === 0 ? Effect.void : keep(elements)
    })
    for (let chunk = yield* next; Option.isSome(chunk); chunk = yield* next) {
      const buffer = Buffer.from(chunk.value.buffer, chunk.value.byteOffset, chunk.value.byteLength)
      bytes += buffer.length
      if (bytes > limitBytes) return yield* new AnswerTooLarge({ ...call, limitBytes })
      for (let at = 0; at < buffer.length; at += sliceBytes) {
        const slice = buffer.subarray(at, at + sliceBytes)
        yield* attempt(() => reader.write(slice))
        yield* takeComplete
        sinceTurn += slice.length
        if (sinceTurn < sliceBytes) continue
        sinceTurn = 0
        yield* yield* FiberRef.get(nextTurn)
      }
    }
    const verdict = yield* attempt(() => reader.end())
    yield* takeComplete
    if (verdict._tag === "Success") return yield* finish(answer, verdict.value, root, items)
    const fields = { ...call, serverMessage: redact(verdict.message) }
    if (verdict._tag === "Fault") return yield* refuseFault(fields, verdict.code)
    return yield* refuse(verdict.objectId === -1 ? fields : { ...fields, objectId: verdict.objectId }, verdict.code)
  }).pipe(
    Effect.mapError((error) =>
      error instanceof MalformedAnswer && error.method === undefined
        ? new MalformedAnswer({ ...call, reason: redact(error.reason) })
        : error
    )
  )

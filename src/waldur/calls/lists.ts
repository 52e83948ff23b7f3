/** Lists: read to their last page, each item once, and those that cannot be read left out and named. */
import { Effect, HashSet, Option, ParseResult, Ref, type Schema } from "effect"
import { decodeQuickly } from "../../core/lean/quickly.js"
import { uuidOf } from "../api/index.js"
import type { WaldurClient } from "../client.js"
import { isMissing, type WaldurError, WaldurMalformedAnswer } from "../errors.js"
import type { Answer } from "../http/answer.js"
import type { Listed, MalformedItem } from "../shapes.js"

export type Query = ReadonlyArray<readonly [string, string]>

/** More pages than any list here has: a server that ignores `page` would be read for ever. */
const mostPages = 2_000

/** Of one list, once its first page has said how many there are: the server writes one while another is on its way and is read. */
const pagesAtOnce = 3

/** Of all pages of a list together, in characters: 10,000 resources are some 40 MB. */
const longestList = 268_435_456

const isRecord = (u: unknown): u is Readonly<Record<string, unknown>> => typeof u === "object" && u !== null

/** Where it went wrong and why, without the value: an answer may hold what no log should. */
export const reasonOf = (error: ParseResult.ParseError): string => {
  const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error)
  if (issue === undefined) return "cannot be read"
  const field = issue.path.map(String).join(".")
  return `${field === "" ? "the item" : `field ${field}`} ${issue._tag === "Missing" ? "is missing" : "has an unexpected value"}`
}

interface Page {
  /** Items so far, and on this page. */
  readonly seen: number
  readonly size: number
  /** Whether there was anything on it that no page before had. */
  readonly isNew: boolean
  readonly pageSize: number
}

const namesNext = (link: string): boolean => /rel="?next"?/.test(link)

/**
 * Whether more pages follow: by `Link`, else by `X-Result-Count` (recordings 198 and 199), else by a full page. Some lists have no pages,
 * such as a team (recording 085): they answer with all, and again with all.
 */
const hasNext = (answer: Answer, { seen, size, isNew, pageSize }: Page): boolean =>
  Option.match(answer.header("link"), {
    onSome: namesNext,
    onNone: () =>
      Option.match(answer.header("x-result-count"), {
        onSome: (count) => size > 0 && seen < Number(count),
        onNone: () => size === pageSize && isNew
      })
  })

const saysNext = (answer: Answer): boolean => Option.exists(answer.header("link"), namesNext)

/** One page, read. */
interface Read<A> {
  readonly answer: Answer
  /** Items on it, also those that cannot be read. */
  readonly size: number
  readonly items: ReadonlyArray<A>
}

/** How many pages the first says that there are; 0 if it does not say, or gives no `Link` by which to see where the list ends. */
const pagesSaid = ({ answer, size }: Read<unknown>): number => {
  const count = Number(Option.getOrElse(answer.header("x-result-count"), () => ""))
  return saysNext(answer) && size > 0 && Number.isInteger(count) ? Math.min(Math.ceil(count / size), mostPages) : 0
}

/** All pages of a list. */
export const makeLists = (client: WaldurClient, pageSize: number) =>
  Effect.gen(function* () {
    const reported = yield* Ref.make(HashSet.empty<string>())

    /** Once for each, not at every poll. */
    const report = (path: string, item: MalformedItem) => {
      const key = `${path} ${Option.getOrElse(item.uuid, () => "")} ${item.reason}`
      return Effect.flatMap(
        Ref.modify(reported, (seen) =>
          HashSet.has(seen, key) || HashSet.size(seen) > 1_000 ? [false, seen] : [true, HashSet.add(seen, key)]
        ),
        (isNew) =>
          Effect.when(
            Effect.logWarning("Waldur listed something that cannot be read; it is skipped").pipe(
              Effect.annotateLogs({ path, uuid: Option.getOrElse(item.uuid, () => "unknown"), reason: item.reason })
            ),
            () => isNew
          )
      )
    }

    return <A extends { readonly uuid: string }, I>(
      call: { readonly path: `${string}/`; readonly uuid?: string; readonly query?: Query },
      schema: Schema.Schema<A, I>
    ): Effect.Effect<Listed<A>, WaldurError> => {
      const decode = decodeQuickly(schema)
      const items = new Map<string, A>()
      const malformed: Array<MalformedItem> = []
      const malformedAnswer = (reason: string) => new WaldurMalformedAnswer({ call: `GET ${call.path}`, reason })
      let length = 0

      const readItems = (raws: ReadonlyArray<unknown>): Effect.Effect<ReadonlyArray<A>> => {
        const read: Array<A> = []
        const unread: Array<MalformedItem> = []
        for (const raw of raws) {
          const decoded = decode(raw)
          if (decoded._tag === "Right") read.push(decoded.right)
          else {
            const uuid = isRecord(raw) && typeof raw.uuid === "string" ? uuidOf(raw.uuid) : Option.none<string>()
            unread.push({ uuid, reason: reasonOf(decoded.left) })
          }
        }
        for (const item of unread) malformed.push(item)
        return Effect.as(
          Effect.forEach(unread, (item) => report(call.path, item), { discard: true }),
          read
        )
      }

      /** None after the last: items left the list while it was read, and with them its last page (recording 200). */
      const read = (page: number): Effect.Effect<Option.Option<Read<A>>, WaldurError> =>
        Effect.gen(function* () {
          if (page > mostPages) return yield* malformedAnswer(`more than ${mostPages} pages`)
          const query: Query = [...(call.query ?? []), ["page_size", String(pageSize)], ["page", String(page)]]
          const answer = yield* client
            .call({ ...call, method: "GET", query })
            // Waldur says so in JSON. The page of a proxy before it, whose backend restarts, ends no list.
            .pipe(
              Effect.catchIf(
                (error) => page > 1 && isMissing(error),
                () => Effect.succeedNone
              )
            )
          if ("_tag" in answer) return Option.none()
          const { json } = answer
          if (!Array.isArray(json)) return yield* malformedAnswer("not a list")
          length += answer.length
          if (length > longestList) return yield* malformedAnswer(`a list of more than ${longestList} bytes`)
          return Option.some({ answer, size: json.length, items: yield* readItems(json) })
        })

      /**
       * Whether it had anything that no page before had. The same may stand on two pages if the list grew in between; what was read last is the
       * newest.
       */
      const keep = (read: Read<A>): boolean => {
        const before = items.size
        for (const item of read.items) items.set(item.uuid, item)
        return items.size > before
      }

      const from = (page: number, before: number): Effect.Effect<void, WaldurError> =>
        Effect.gen(function* () {
          const found = yield* read(page)
          if (Option.isNone(found)) return
          const { answer, size } = found.value
          const isNew = keep(found.value)
          const total = before + size
          if (!hasNext(answer, { seen: total, size, isNew, pageSize })) return
          const said = page === 1 ? pagesSaid(found.value) : 0
          if (said < 3) return yield* from(page + 1, total)
          const others = yield* together(said)
          const last = others.at(-1)
          const seen = others.reduce((sum, other) => sum + other.size, total)
          if (last !== undefined && others.length === said - 1 && saysNext(last.answer)) yield* from(said + 1, seen)
        })

      /** Pages 2 to `last`, some at once; fewer if the list ends before. */
      const together = (last: number): Effect.Effect<ReadonlyArray<Read<A>>, WaldurError> =>
        Effect.gen(function* () {
          let over = false
          const found = yield* Effect.forEach(
            Array.from({ length: last - 1 }, (_, index) => index + 2),
            (page) =>
              Effect.suspend(() => (over ? Effect.succeedNone : read(page))).pipe(
                Effect.tap((some) =>
                  Effect.sync(() => {
                    over ||= Option.isNone(some) || !saysNext(some.value.answer)
                  })
                )
              ),
            { concurrency: pagesAtOnce }
          )
          const others = found.flatMap(Option.toArray)
          for (const other of others) keep(other)
          return others
        })

      return Effect.map(from(1, 0), () => ({ items: [...items.values()], malformed }))
    }
  })

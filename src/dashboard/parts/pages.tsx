/** A list in pages: how much there is, and where in it one is. The place in the list is in the address. */
import { filterBy, place } from "../state/router.js"
import { number } from "./format.js"

/** `before`: cursors of the pages that were turned over, the first page's empty one included. */
export const usePages = () => {
  const { search } = place.value
  const cursor = search.get("page") ?? ""
  const before = (search.get("before") ?? "").split(" ").filter((one) => one !== "")
  const turned = before.length
  const write = (cursors: ReadonlyArray<string>) =>
    filterBy({ page: cursors.at(-1) ?? "", before: cursors.slice(0, -1).join(" ") })
  const all = cursor === "" ? [] : [...before, cursor]
  return {
    cursor,
    number: cursor === "" ? 1 : turned + 2,
    forward: (next: string) => write([...all, next]),
    back: () => write(all.slice(0, -1))
  }
}

export const Pages = ({
  page,
  next,
  total,
  shown,
  size,
  what
}: {
  readonly page: ReturnType<typeof usePages>
  readonly next: string | null
  readonly total: number
  readonly shown: number
  readonly size: number
  readonly what: string
}) => {
  const first = (page.number - 1) * size
  return (
    <nav class="pages" aria-label={`Pages of ${what}`}>
      <p class="muted" role="status">
        {total === 0 ? `No ${what}` : `${number(first + 1)} to ${number(first + shown)} of ${number(total)} ${what}`}
      </p>
      <div class="actions">
        <button type="button" class="button" disabled={page.number === 1} onClick={page.back}>
          Previous
        </button>
        <button
          type="button"
          class="button"
          disabled={next === null}
          onClick={() => {
            if (next !== null) page.forward(next)
          }}
        >
          Next
        </button>
      </div>
    </nav>
  )
}

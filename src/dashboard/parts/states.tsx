/** A view without its data: on its way, not to be had, or empty. Each says what to do. */
import type { ComponentChildren } from "preact"
import type { Asked } from "../state/asked.js"
import type { Failure } from "../state/client.js"
import { shapes } from "./icons.js"

/** `rows`: about as high as what will stand here, so that nothing jumps. */
export const Loading = ({ rows = 6, what }: { readonly rows?: number; readonly what: string }) => (
  <div class="loading" role="status">
    <span class="heard">Loading {what}</span>
    {Array.from({ length: rows }, (_, row) => (
      <span class="bone" key={row} />
    ))}
  </div>
)

export const Empty = ({ title, children }: { readonly title: string; readonly children?: ComponentChildren }) => (
  <div class="empty">
    {shapes.ok}
    <p class="empty-title">{title}</p>
    {children === undefined ? null : <p class="muted">{children}</p>}
  </div>
)

export const NotToBeHad = ({ failure, again }: { readonly failure: Failure; readonly again: () => void }) => (
  <div class="empty bad" role="alert">
    {shapes.bad}
    <p class="empty-title">{failure.message}</p>
    <p class="muted">
      {failure.tag === "Unknown" ? (
        "Look whether the address is right: a uuid has 32 digits. What ended long ago has been forgotten."
      ) : failure.tag === "offline" ? (
        "Is the agent running? This page goes on by itself when it answers."
      ) : (
        <button type="button" class="button" onClick={again}>
          Try again
        </button>
      )}
    </p>
  </div>
)

/** What was asked for, or why it is not there. An old answer stays while a new one cannot be had: the banner says that it is old. */
export function Shown<A>({
  asked,
  what,
  rows,
  children
}: {
  readonly asked: Asked<A>
  readonly what: string
  readonly rows?: number
  readonly children: (value: A) => ComponentChildren
}) {
  if (asked.value !== undefined) return <>{children(asked.value)}</>
  if (asked.failure !== undefined) return <NotToBeHad failure={asked.failure} again={asked.again} />
  return <Loading what={what} {...(rows === undefined ? {} : { rows })} />
}

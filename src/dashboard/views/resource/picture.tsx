/** What a resource is made of, as a picture: each thing a box, with what belongs to it in it or below. To read it is a list of lists. */
import type { ResourceDetail } from "../../../api/index.js"
import { count } from "../../parts/format.js"
import { shapes } from "../../parts/icons.js"
import { Empty } from "../../parts/states.js"
import { partLook, Status } from "../../parts/status.js"
import { KindIcon } from "./kinds.js"

type Part = ResourceDetail["parts"][number]

const Box = ({ part: { kind, id, name, state, healthy, detail, drift } }: { readonly part: Part }) => (
  <div class={`box${drift.length > 0 || healthy === false ? " drifts" : ""}`}>
    <p class="box-kind">
      <KindIcon kind={kind} />
      {kind}
      {id === "" ? null : <span class="mono muted">{id}</span>}
    </p>
    {name === "" ? null : <p class="box-name">{name}</p>}
    {detail === "" ? null : <p class="muted small">{detail}</p>}
    {state === "" && healthy === null ? null : <Status look={partLook(state, healthy)} quiet />}
    {drift.map((sentence) => (
      <p key={sentence} class="status waits small">
        {shapes.warn}
        {sentence}
      </p>
    ))}
  </div>
)

/** `picture`: the whole. `inner`: side by side, within what they belong to. `branch`: below it, on a line. */
type Arrangement = "picture" | "inner" | "branch"

interface Level {
  readonly parts: ReadonlyArray<Part>
  readonly parent: string | null
  readonly as: Arrangement
  /** Parts that name each other in a ring end at some depth, and not the browser. */
  readonly depth: number
}

const Parts = ({ parts, parent, as, depth }: Level) => {
  const own = parts.filter((part) => part.parent === parent)
  if (own.length === 0 || depth > 6) return null
  return (
    <ul class={as}>
      {own.map((part) => {
        const holds = as === "picture" && parts.filter((one) => one.parent === part.key).length > 2
        return (
          <li key={part.key} class={holds ? "whole" : ""}>
            <Box part={part} />
            <Parts parts={parts} parent={part.key} as={holds ? "inner" : "branch"} depth={depth + 1} />
          </li>
        )
      })}
    </ul>
  )
}

export const Picture = ({ parts }: { readonly parts: ReadonlyArray<Part> }) => {
  if (parts.length === 0) {
    return (
      <Empty title="Nothing is known of it in the cloud">
        It has not been made yet, or it has ended. Look now to ask the cloud.
      </Empty>
    )
  }
  const known = new Set(parts.map(({ key }) => key))
  // What belongs to something that is not there stands by itself: nothing may be missing from the picture.
  const placed = parts.map((part) =>
    part.parent !== null && !known.has(part.parent) ? { ...part, parent: null } : part
  )
  const wrong = parts.filter(({ healthy, drift }) => healthy === false || drift.length > 0).length
  return (
    <>
      <p class="heard">
        {count(parts.length, "part")}, {wrong === 0 ? "none of which differs" : `${wrong} not as they should be`}
      </p>
      <Parts parts={placed} parent={null} as="picture" depth={0} />
    </>
  )
}

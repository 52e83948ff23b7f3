/** What a resource is made of, as a picture: each thing a box, with what belongs to it hanging below. It is a list of lists to read. */
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

const Branch = ({
  parts,
  parent,
  depth
}: {
  readonly parts: ReadonlyArray<Part>
  readonly parent: string | null
  readonly depth: number
}) => {
  const own = parts.filter((part) => part.parent === parent)
  // Parts that name each other in a ring end here, and not the browser.
  if (own.length === 0 || depth > 6) return null
  return (
    <ul class={depth === 0 ? "picture" : "branch"}>
      {own.map((part) => (
        <li key={part.key}>
          <Box part={part} />
          <Branch parts={parts} parent={part.key} depth={depth + 1} />
        </li>
      ))}
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
      <Branch parts={placed} parent={null} depth={0} />
    </>
  )
}

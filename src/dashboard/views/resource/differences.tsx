/** In what the resource is other than Waldur says, and what happens about it. */
import type { ResourceDetail } from "../../../api/index.js"
import { shapes } from "../../parts/icons.js"
import { Since } from "../../parts/time.js"

type Difference = ResourceDetail["differencesFound"][number]

/** What follows from a difference by the offering's policy. */
export const followUp = ({ policy, outcome }: Pick<Difference, "policy" | "outcome">): string =>
  outcome !== null ? outcome : policy === "repair" ? "It will be put right." : "It is only shown."

export const Differences = ({ found }: { readonly found: ReadonlyArray<Difference> }) =>
  found.length === 0 ? null : (
    <section class="panel" aria-labelledby="differs">
      <h2 id="differs">Not as Waldur says</h2>
      <ul class="lines">
        {found.map((difference) => (
          <li key={`${difference.kind} ${difference.subject}`} class="differs">
            <span class="status waits">
              {shapes.warn}
              {difference.sentence}
            </span>
            <span class="muted">{followUp(difference)}</span>
            <Since at={difference.since} />
          </li>
        ))}
      </ul>
    </section>
  )

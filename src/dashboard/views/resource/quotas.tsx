/** Quota against usage, a bar for each component. */
import type { ResourceDetail } from "../../../api/index.js"
import { number, percent } from "../../parts/format.js"

type Quota = ResourceDetail["quotas"][number]

const Row = ({ quota: { name, component, unit, limit, used } }: { readonly quota: Quota }) => {
  const share = limit === null || used === null || limit <= 0 ? undefined : used / limit
  const tone = share === undefined || share < 0.9 ? "" : share <= 1 ? " full" : " over"
  return (
    <li class="quota">
      <span class="quota-name">{name === "" ? component : name}</span>
      <span class={`meter${tone}`} aria-hidden="true">
        {share === undefined ? null : <i style={{ width: `${Math.min(100, share * 100)}%` }} />}
      </span>
      <span class="quota-figures">
        <strong>{used === null ? "not known" : number(used)}</strong>
        <span class="muted">
          {" "}
          {limit === null ? `${unit}, no limit` : `of ${number(limit)} ${unit}`}
          {share === undefined ? "" : ` (${percent(share)})`}
        </span>
      </span>
    </li>
  )
}

export const Quotas = ({ quotas }: { readonly quotas: ReadonlyArray<Quota> }) =>
  quotas.length === 0 ? null : (
    <section class="panel" aria-labelledby="quotas">
      <h2 id="quotas">Used of what was ordered</h2>
      <ul class="quotas">
        {quotas.map((quota) => (
          <Row key={quota.component} quota={quota} />
        ))}
      </ul>
    </section>
  )

/** What somebody should look at: the heart of the page. Read from left to right it is what, where, since when, what to do. */
import type { Place, Trouble } from "../../../api/index.js"
import { shapes } from "../../parts/icons.js"
import { Since } from "../../parts/time.js"
import { link } from "../../state/router.js"

const lists = {
  leftovers: "/troubles/leftovers",
  quarantine: "/troubles/quarantine",
  differences: "/troubles/differences",
  orders: "/orders"
}

const addressOf = ({ kind, id }: Place): string => {
  switch (kind) {
    case "order":
      return link(`/orders/${id}`)
    case "resource":
      return link(`/resources/${id}`)
    case "offering":
      return link("/orders", { offering: id, state: "open" })
    case "server":
    case "process":
      return link("/orders", { state: "open" })
    default:
      return link(lists[kind])
  }
}

const words: Readonly<Record<Place["kind"], string>> = {
  offering: "Offering",
  order: "Order",
  resource: "Resource",
  server: "Server",
  process: "Process",
  leftovers: "Left over",
  quarantine: "Quarantine",
  differences: "Differences",
  orders: "Orders"
}

const Row = ({ trouble: { severity, what, where, since, todo } }: { readonly trouble: Trouble }) => (
  <tr class={severity === "critical" ? "bad" : "waits"}>
    <td class="sign">
      {severity === "critical" ? shapes.bad : shapes.warn}
      <span class="heard">{severity === "critical" ? "Critical" : "Warning"}</span>
    </td>
    <th scope="row">
      <span class="what">{what}</span>
      <a class="where" href={addressOf(where)}>
        {words[where.kind]}
        {where.name === "" ? "" : ` ${where.name}`}
      </a>
    </th>
    <td>{since === null ? <span class="muted">since before the agent started</span> : <Since at={since} />}</td>
    <td>{todo}</td>
  </tr>
)

export const Troubles = ({ troubles }: { readonly troubles: ReadonlyArray<Trouble> }) => (
  // Heard when something comes or goes, not when a minute has passed.
  <section aria-label="What is wrong">
    <p class="heard" role="status">
      {troubles.length === 0 ? "Nothing is wrong." : troubles.map(({ what }) => what).join(" ")}
    </p>
    {troubles.length === 0 ? null : (
      <table class="troubles">
        <caption class="heard">What is wrong, the worst first</caption>
        <thead>
          <tr>
            <th scope="col">
              <span class="heard">Severity</span>
            </th>
            <th scope="col">What and where</th>
            <th scope="col">Since</th>
            <th scope="col">What to do</th>
          </tr>
        </thead>
        <tbody>
          {troubles.map((trouble) => (
            <Row key={`${trouble.where.kind} ${trouble.where.id} ${trouble.what}`} trouble={trouble} />
          ))}
        </tbody>
      </table>
    )}
  </section>
)

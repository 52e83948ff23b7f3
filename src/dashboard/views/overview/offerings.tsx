/** The offerings: does each work, why not, and how much it has to do. */
import type { Overview } from "../../../api/index.js"
import { ActionButton } from "../../parts/acting.js"
import { number } from "../../parts/format.js"
import { Empty } from "../../parts/states.js"
import { type Look, offeringLooks, Status } from "../../parts/status.js"
import { Ago, At } from "../../parts/time.js"
import { link } from "../../state/router.js"

type Offering = Overview["offerings"][number]

const partLooks: Readonly<Record<"ok" | "down" | "off", Look>> = {
  ok: { shape: "ok", tone: "ok", word: "answers" },
  down: { shape: "bad", tone: "bad", word: "away" },
  off: { shape: "off", tone: "off", word: "off" }
}
const eventLooks = {
  ...partLooks,
  ok: { ...partLooks.ok, word: "connected" },
  down: { ...partLooks.down, word: "lost" }
}

const Events = ({ events }: { readonly events: Offering["events"] }) => {
  const worst = events.find(({ status }) => status === "down") ?? events[0]
  if (worst === undefined) return <Status look={partLooks.off} quiet />
  return (
    <span title={worst.reason ?? ""}>
      <Status look={eventLooks[worst.status]} quiet />
    </span>
  )
}

const Row = ({ offering }: { readonly offering: Offering }) => {
  const { uuid, name, state, reasons, paused, since, orders, resources } = offering
  const open = orders.executing + orders.waits + orders.undoing + orders.quarantined
  const why =
    paused === null ? reasons : [`By ${paused.by}${paused.reason === "" ? "" : `: ${paused.reason}`}`, ...reasons]
  return (
    <tr>
      <th scope="row">
        {name}
        {why.map((reason) => (
          <span key={reason} class="muted small reason brief" title={reason}>
            {reason}
          </span>
        ))}
      </th>
      <td>
        <Status look={offeringLooks[state]} />
        {state === "ok" || since === null ? null : (
          <span class="muted small reason">
            since <At at={since} />
          </span>
        )}
      </td>
      <td class="wide">
        <Status look={partLooks[offering.waldur.status]} quiet />
      </td>
      <td class="wide">
        <Status look={partLooks[offering.backend.status]} quiet />
      </td>
      <td class="wide">
        <Events events={offering.events} />
      </td>
      <td class="figure">
        <a href={link("/orders", { offering: uuid, state: "open" })}>
          {number(open)}
          <span class="heard"> open orders of {name}</span>
        </a>
      </td>
      <td class="figure wide">
        <a href={link("/resources", { offering: uuid })}>
          {number(resources)}
          <span class="heard"> resources of {name}</span>
        </a>
      </td>
      <td class="figure wide nowrap muted">
        {offering.lastPass === undefined ? "not yet" : <Ago at={Date.parse(offering.lastPass)} />}
      </td>
      <td>
        <div class="actions end">
          <ActionButton action={{ kind: "reconcile", offering: uuid }} about={name} />
          <ActionButton action={{ kind: paused === null ? "pause" : "resume", offering: uuid }} about={name} />
        </div>
      </td>
    </tr>
  )
}

export const Offerings = ({ overview }: { readonly overview: Overview }) => (
  <section class="panel" aria-labelledby="offerings">
    <h2 id="offerings">Offerings</h2>
    {overview.offerings.length === 0 ? (
      <Empty title="The configuration names no offering">Add one under `offerings` and start the agent again.</Empty>
    ) : (
      <div class="scroll">
        <table class="stacks">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">State</th>
              <th scope="col" class="wide">
                Waldur
              </th>
              <th scope="col" class="wide">
                Cloud
              </th>
              <th scope="col" class="wide">
                Events
              </th>
              <th scope="col" class="figure">
                Open
              </th>
              <th scope="col" class="figure wide">
                Resources
              </th>
              <th scope="col" class="figure wide">
                Queue seen
              </th>
              <th scope="col">
                <span class="heard">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {overview.offerings.map((offering) => (
              <Row key={offering.uuid} offering={offering} />
            ))}
          </tbody>
        </table>
      </div>
    )}
  </section>
)

/** The page that one opens when one is called: what is wrong, where, since when, what to do. Then how it has been going. */
import type { Overview as Answer } from "../../../api/index.js"
import { count, number } from "../../parts/format.js"
import { shapes } from "../../parts/icons.js"
import { Shown } from "../../parts/states.js"
import { Ago } from "../../parts/time.js"
import { useTitle, useWrong } from "../../parts/title.js"
import { useOverview } from "../../state/overview.js"
import { link } from "../../state/router.js"
import { Courses } from "./courses.js"
import { Offerings } from "./offerings.js"
import { Servers } from "./servers.js"
import { Troubles } from "./troubles.js"

const Verdict = ({ overview }: { readonly overview: Answer }) => {
  const { offerings, troubles } = overview
  const critical = troubles.filter(({ severity }) => severity === "critical").length
  const tone = troubles.length === 0 ? "ok" : critical > 0 ? "bad" : "waits"
  const title =
    troubles.length === 0
      ? "All is well"
      : critical === 0
        ? `${count(troubles.length, "thing")} to look at`
        : `${count(critical, "thing")} ${critical === 1 ? "is" : "are"} wrong`
  const working = offerings.filter(({ state }) => state === "ok" || state === "slow").length
  useTitle(title)
  useWrong(critical > 0)
  return (
    <header class={`verdict ${tone}`}>
      {tone === "ok" ? shapes.ok : tone === "bad" ? shapes.bad : shapes.warn}
      <div>
        <h1>{title}</h1>
        <p class="muted">
          {working} of {count(offerings.length, "offering")} {working === 1 ? "works" : "work"}. The agent started{" "}
          <Ago at={overview.started} />.
        </p>
      </div>
    </header>
  )
}

interface Tally {
  readonly amount: number
  readonly word: string
  readonly to: string
  readonly tone?: "waits" | "bad"
}

const tallies = ({ orders, ...overview }: Answer): ReadonlyArray<Tally> => [
  { amount: orders.executing, word: "in progress", to: link("/orders", { state: "executing" }) },
  { amount: orders.waits, word: "wait", to: link("/orders", { state: "waits" }), tone: "waits" },
  { amount: orders.undoing, word: "being undone", to: link("/orders", { state: "undoing" }), tone: "waits" },
  { amount: orders.doneToday, word: "done today", to: link("/orders", { state: "done" }) },
  { amount: orders.erredToday, word: "erred today", to: link("/orders", { state: "erred" }), tone: "bad" },
  { amount: overview.quarantined, word: "quarantined", to: link("/troubles/quarantine"), tone: "bad" },
  { amount: overview.leftovers, word: "left over", to: link("/troubles/leftovers"), tone: "bad" },
  { amount: overview.differing, word: "resources differ", to: link("/troubles/differences"), tone: "waits" },
  { amount: overview.retries, word: "retries this hour", to: link("/orders", { state: "open" }) }
]

const Tallies = ({ overview }: { readonly overview: Answer }) => (
  <ul class="tallies" aria-label="Counts">
    {tallies(overview).map(({ amount, word, to, tone }) => (
      <li key={word}>
        <a href={to} class={amount > 0 ? (tone ?? "") : "none"}>
          <strong>{number(amount)}</strong>
          {word}
        </a>
      </li>
    ))}
  </ul>
)

export const Overview = () => {
  const asked = useOverview()
  return (
    <Shown asked={asked} what="the overview" rows={12}>
      {(overview) => (
        <>
          <Verdict overview={overview} />
          <Troubles troubles={overview.troubles} />
          <Tallies overview={overview} />
          <Offerings overview={overview} />
          <Servers overview={overview} />
          <Courses />
        </>
      )}
    </Shown>
  )
}

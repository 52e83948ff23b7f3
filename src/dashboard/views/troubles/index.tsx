/** What went wrong and stays until somebody or something mends it, a list for each kind; and what was done by hand. */
import type { ComponentChildren } from "preact"
import { number } from "../../parts/format.js"
import { useTitle } from "../../parts/title.js"
import { useOverview } from "../../state/overview.js"
import { Audit } from "./audit.js"
import { Differing } from "./differing.js"
import { Leftovers } from "./leftovers.js"
import { Orphans } from "./orphans.js"
import { Quarantine } from "./quarantine.js"

const lists: ReadonlyArray<{
  readonly path: string
  readonly name: string
  readonly what: string
  readonly view: () => ComponentChildren
}> = [
  {
    path: "quarantine",
    name: "Quarantine",
    what: "Resources whose order met a bug of the agent. Each order is left as it stands, and all others go on. Report it, then release.",
    view: Quarantine
  },
  {
    path: "leftovers",
    name: "Left over",
    what: "What an order that failed had made, and undoing could not remove. It is tried again every ten minutes.",
    view: Leftovers
  },
  {
    path: "differences",
    name: "Differences",
    what: "Where the cloud is other than Waldur says. The offering's policy says whether it is put right or only shown.",
    view: Differing
  },
  {
    path: "orphans",
    name: "Orphans",
    what: "What stands in the cloud with the mark of a resource that Waldur does not know any more. Nothing here is ever removed by itself.",
    view: Orphans
  },
  {
    path: "audit",
    name: "Done by hand",
    what: "Who did what, here and at the command line, and what came of it.",
    view: Audit
  }
]

export const Troubles = ({ list }: { readonly list: string }) => {
  const chosen = lists.find(({ path }) => path === list)
  const { value } = useOverview()
  const amounts: Readonly<Record<string, number | undefined>> = {
    quarantine: value?.quarantined,
    leftovers: value?.leftovers,
    differences: value?.differing
  }
  useTitle(chosen?.name ?? "Troubles")
  const View = chosen?.view
  return (
    <>
      <header class="head">
        <h1>Troubles</h1>
      </header>
      <nav aria-label="Lists of troubles">
        <ul class="tabs">
          {lists.map(({ path, name }) => (
            <li key={path}>
              <a href={`#/troubles/${path}`} {...(path === list ? { "aria-current": "page" as const } : {})}>
                {name}
                {amounts[path] === undefined || amounts[path] === 0 ? null : (
                  <span class="tally">{number(amounts[path])}</span>
                )}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <section class="panel" aria-label={chosen?.name ?? "Troubles"}>
        {chosen === undefined || View === undefined ? (
          <p>There is no such list.</p>
        ) : (
          <>
            <p class="muted measure">{chosen.what}</p>
            <View />
          </>
        )}
      </section>
    </>
  )
}

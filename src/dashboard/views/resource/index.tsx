/** One resource: how it stands, what it is made of, how much of its quota is used, and what was ordered. */
import type { ResourceDetail } from "../../../api/index.js"
import { Actions } from "../../parts/acting.js"
import { count } from "../../parts/format.js"
import { Shown } from "../../parts/states.js"
import { resourceLook, Status } from "../../parts/status.js"
import { Ago } from "../../parts/time.js"
import { useTitle } from "../../parts/title.js"
import { useAsked } from "../../state/asked.js"
import { link } from "../../state/router.js"
import { resourceName } from "../resources.js"
import { Differences } from "./differences.js"
import { History } from "./history.js"
import { InTheCloud } from "./in-the-cloud.js"

const facts = (resource: ResourceDetail): ReadonlyArray<readonly [name: string, value: string, mono?: "mono"]> => [
  ["Offering", resource.offeringName],
  ["Project", resource.project],
  ["Backend id", resource.backendId, "mono"],
  [
    "In Waldur",
    [resource.marketplaceState, resource.standing === "active" ? "" : resource.standing]
      .filter((one) => one !== "")
      .join(", ")
  ],
  ["In the cloud", resource.state],
  ["Resource", resource.resource, "mono"]
]

const Facts = ({ resource }: { readonly resource: ResourceDetail }) => (
  <dl class="facts">
    {facts(resource).map(([name, value, mono]) =>
      value === "" ? null : (
        <div key={name}>
          <dt>{name}</dt>
          <dd class={mono ?? ""}>{value}</dd>
        </div>
      )
    )}
    {resource.order === null ? null : (
      <div>
        <dt>In work</dt>
        <dd>
          <a href={link(`/orders/${resource.order}`)}>its order</a>
        </dd>
      </div>
    )}
    <div>
      <dt>Looked at</dt>
      <dd>{resource.looked === null ? "not yet" : <Ago at={resource.looked} />}</dd>
    </div>
  </dl>
)

const Shows = ({ resource }: { readonly resource: ResourceDetail }) => {
  const title = resourceName(resource)
  useTitle(title)
  return (
    <>
      <header class="head">
        <div>
          <p class="muted small">
            <a href="#/resources">Resources</a>
          </p>
          <h1>{title}</h1>
        </div>
        <Actions
          kinds={resource.actions}
          about={title}
          order={resource.order}
          resource={resource.resource}
          offering={resource.offering}
        />
      </header>
      <p class="row">
        <Status look={resourceLook(resource)} />
        {resource.differences === 0 ? null : (
          <span class="muted">{count(resource.differences, "difference")} from what Waldur says</span>
        )}
      </p>
      <Facts resource={resource} />
      <Differences found={resource.differencesFound} />
      <InTheCloud resource={resource} />
      <History resource={resource} />
    </>
  )
}

export const Resource = ({ id }: { readonly id: string }) => {
  const uuid = id.replaceAll("-", "").toLowerCase()
  const asked = useAsked(
    "resources.resource",
    { path: { resource: uuid } },
    ({ resources, orders }) => resources.includes(uuid) || orders.some(({ resource }) => resource === uuid)
  )
  return (
    <Shown asked={asked} what="the resource" rows={10}>
      {(resource) => <Shows resource={resource} />}
    </Shown>
  )
}

/** The resource that a row is about, with its offering below. */
import { link } from "../state/router.js"
import { short } from "./format.js"

export const Subject = ({
  name,
  resource,
  offeringName
}: {
  readonly name: string
  readonly resource: string
  readonly offeringName: string
}) => (
  <>
    <a href={link(`/resources/${resource}`)} title={resource}>
      {name === "" ? short(resource) : name}
    </a>
    <span class="muted small reason">{offeringName}</span>
  </>
)

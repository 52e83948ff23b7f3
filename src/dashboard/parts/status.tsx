/** How something is: always a shape and a word, the colour only beside them. */
import type { Life, OfferingState, OrderState, ResourceRow, Step } from "../../api/index.js"
import { type Shape, shapes } from "./icons.js"

/** `tone`: the colour; `bad` and `waits` are for what somebody should look at. */
export interface Look {
  readonly shape: Shape
  readonly tone: "ok" | "busy" | "waits" | "bad" | "off"
  readonly word: string
}

export const Status = ({ look, quiet = false }: { readonly look: Look; readonly quiet?: boolean }) => (
  <span class={`status ${look.tone}${quiet ? " quiet" : ""}`}>
    {shapes[look.shape]}
    {look.word}
  </span>
)

export const orderLooks: Readonly<Record<OrderState, Look>> = {
  executing: { shape: "busy", tone: "busy", word: "In progress" },
  waits: { shape: "waits", tone: "waits", word: "Waits" },
  undoing: { shape: "undone", tone: "waits", word: "Undoing" },
  quarantined: { shape: "bad", tone: "bad", word: "Quarantined" },
  done: { shape: "ok", tone: "ok", word: "Done" },
  erred: { shape: "bad", tone: "bad", word: "Erred" }
}

export const stepLooks: Readonly<Record<Step["status"], Look>> = {
  "in work": { shape: "busy", tone: "busy", word: "In work" },
  finished: { shape: "ok", tone: "ok", word: "Finished" },
  adopted: { shape: "ok", tone: "ok", word: "Found and adopted" },
  failed: { shape: "bad", tone: "bad", word: "Failed" },
  waits: { shape: "waits", tone: "waits", word: "Will be tried again" },
  undoing: { shape: "undone", tone: "waits", word: "Being undone" },
  undone: { shape: "undone", tone: "off", word: "Undone" },
  "left over": { shape: "warn", tone: "bad", word: "Left over" }
}

export const offeringLooks: Readonly<Record<OfferingState, Look>> = {
  ok: { shape: "ok", tone: "ok", word: "Works" },
  slow: { shape: "warn", tone: "waits", word: "Slow" },
  waits: { shape: "waits", tone: "waits", word: "Waits" },
  stopped: { shape: "bad", tone: "bad", word: "Stopped" },
  closed: { shape: "bad", tone: "bad", word: "Not open" },
  paused: { shape: "waits", tone: "off", word: "Paused" }
}

const lives: Readonly<Record<Life, Look>> = {
  making: { shape: "busy", tone: "busy", word: "Being made" },
  active: { shape: "ok", tone: "ok", word: "Active" },
  failed: { shape: "bad", tone: "bad", word: "Not made" },
  ended: { shape: "off", tone: "off", word: "Ended" }
}

/** The one thing that matters most about a resource. */
export const resourceLook = (row: Pick<ResourceRow, "differences" | "healthy" | "life" | "order" | "state">): Look => {
  if (row.life !== "active") return lives[row.life]
  if (row.state === "missing") return { shape: "bad", tone: "bad", word: "Missing" }
  if (row.healthy === false) return { shape: "bad", tone: "bad", word: row.state === "" ? "Unhealthy" : row.state }
  if (row.differences > 0) return { shape: "warn", tone: "waits", word: "Differs" }
  if (row.order !== null) return { shape: "busy", tone: "busy", word: "Order in work" }
  return lives.active
}

/** Of a part in the cloud, by the backend's word. */
export const partLook = (state: string, healthy: boolean | null): Look => ({
  ...(healthy === null
    ? ({ shape: "off", tone: "off" } as const)
    : healthy
      ? ({ shape: "ok", tone: "ok" } as const)
      : ({ shape: "bad", tone: "bad" } as const)),
  word: state === "" ? (healthy === null ? "not known" : healthy ? "there" : "not well") : state
})

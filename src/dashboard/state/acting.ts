/** The action that is being asked about, and what came of the last one. One at a time, wherever its button was. */
import { signal } from "@preact/signals"
import type { Action, ActionKind } from "../../api/index.js"

export type Wish = typeof Action.Encoded

export const wish = signal<Wish | undefined>(undefined)

/** What was said last, for the screen and for whoever listens to it. */
export const said = signal<{ readonly text: string; readonly ok: boolean } | undefined>(undefined)

export const wordOf: Readonly<Record<ActionKind, string>> = {
  retry: "Retry now",
  cancel: "Cancel order",
  release: "Release",
  "remove-leftovers": "Remove leftovers",
  "forget-leftover": "Forget",
  reconcile: "Reconcile now",
  pause: "Pause",
  resume: "Resume"
}

/** With what the action is about, as far as that is known here. `undefined`: not enough of it. */
export const wishOf = (
  kind: ActionKind,
  about: { readonly order?: string | null; readonly resource?: string; readonly offering?: string }
): Wish | undefined => {
  const { offering, order, resource } = about
  switch (kind) {
    case "retry":
    case "cancel":
    case "remove-leftovers":
      return order === undefined || order === null ? undefined : { kind, order }
    case "release":
      return resource === undefined ? undefined : { kind, resource }
    case "reconcile":
      return offering === undefined ? { kind } : { kind, offering }
    case "pause":
    case "resume":
      return offering === undefined ? undefined : { kind, offering }
    case "forget-leftover":
      // Names a step as well: its button stands in the list of leftovers alone.
      return undefined
  }
}

/** Doing something: a button that asks, and the dialog that says what will happen before it does. */
import { useSignal } from "@preact/signals"
import { useEffect, useId, useRef } from "preact/hooks"
import type { ActionKind, Preview } from "../../api/index.js"
import { said, type Wish, wish, wishOf, wordOf } from "../state/acting.js"
import { ask, type Result } from "../state/client.js"
import { changedByUs } from "../state/live.js"
import { mayOperate } from "../state/session.js"
import { shapes } from "./icons.js"
import { Loading } from "./states.js"

/** The agent may have begun it before it ended, or only the way to it broke. */
const unanswered =
  "The agent does not answer any more. What came of it stands under “Done by hand” among the troubles, when it is back."

/** Nothing for those who may only look. `about`: for a screen reader, as many such buttons stand in a list. */
export const ActionButton = ({
  action,
  about,
  strong = false
}: {
  readonly action: Wish
  readonly about: string
  readonly strong?: boolean
}) =>
  mayOperate.value ? (
    <button
      type="button"
      class={`button${strong ? " strong" : ""}`}
      onClick={() => {
        wish.value = action
      }}
    >
      {wordOf[action.kind]}
      <span class="heard"> {about}</span>
    </button>
  ) : null

export const Actions = ({
  kinds,
  about,
  order,
  resource,
  offering
}: {
  readonly kinds: ReadonlyArray<ActionKind>
  readonly about: string
  readonly order?: string | null
  readonly resource?: string
  readonly offering?: string
}) => {
  const wishes = kinds.flatMap((kind) => {
    const made = wishOf(kind, {
      ...(order === undefined ? {} : { order }),
      ...(resource === undefined ? {} : { resource }),
      ...(offering === undefined ? {} : { offering })
    })
    return made === undefined ? [] : [made]
  })
  if (wishes.length === 0 || !mayOperate.value) return null
  return (
    <div class="actions">
      {wishes.map((action) => (
        <ActionButton key={action.kind} action={action} about={about} />
      ))}
    </div>
  )
}

const takesReason = (kind: ActionKind) => kind === "cancel" || kind === "pause"

const Question = ({ asked, close }: { readonly asked: Wish; readonly close: () => void }) => {
  const preview = useSignal<Result<Preview> | undefined>(undefined)
  const busy = useSignal(false)
  const failure = useSignal("")
  const reason = useSignal("")
  const ids = useId()

  useEffect(() => {
    const stop = new AbortController()
    void ask("actions.preview", { body: asked }, stop.signal).then((result) => {
      if (!stop.signal.aborted) preview.value = result
    })
    return () => stop.abort()
  }, [asked])

  const perform = async () => {
    busy.value = true
    const action = asked.kind === "cancel" || asked.kind === "pause" ? { ...asked, reason: reason.value } : asked
    const result = await ask("actions.perform", { body: action })
    busy.value = false
    changedByUs()
    if (result.ok) {
      said.value = { text: result.value.outcome, ok: result.value.ok }
      close()
    } else {
      failure.value = result.failure.tag === "offline" ? unanswered : result.failure.message
    }
  }

  const answer = preview.value
  if (answer === undefined) return <Loading rows={3} what="what will happen" />
  const shown = answer.ok ? answer.value : undefined
  const possible = shown !== undefined && shown.impossible === null
  const problem = answer.ok ? (shown?.impossible ?? failure.value) : answer.failure.message
  return (
    <form
      method="dialog"
      onSubmit={(event) => {
        event.preventDefault()
        if (possible && !busy.value) void perform()
      }}
    >
      <h2 id="question">{shown?.title ?? "It cannot be asked now"}</h2>
      {shown === undefined || !possible ? null : (
        <>
          <p class="muted">What will happen</p>
          <ol class="will">
            {shown.will.map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ol>
        </>
      )}
      {possible && takesReason(asked.kind) ? (
        <label class="field" for={`${ids}-reason`}>
          Why, for those who come after you
          <input
            id={`${ids}-reason`}
            maxLength={500}
            value={reason.value}
            onInput={({ currentTarget }) => {
              reason.value = currentTarget.value
            }}
          />
        </label>
      ) : null}
      {problem === "" || problem === null ? null : (
        <p class="notice bad" role="alert">
          {shapes.bad}
          {problem}
        </p>
      )}
      <div class="actions end">
        <button type="button" class="button" onClick={close}>
          {possible ? "Leave it as it is" : "Close"}
        </button>
        {possible ? (
          <button
            type="submit"
            class={`button strong ${shown?.weight === "removes" ? "bad" : ""}`}
            disabled={busy.value}
          >
            {busy.value ? "Doing it" : wordOf[asked.kind]}
          </button>
        ) : null}
      </div>
    </form>
  )
}

/** There once, at the end of the page. */
export const Asking = () => {
  const dialog = useRef<HTMLDialogElement>(null)
  const asked = wish.value
  useEffect(() => {
    if (asked !== undefined) dialog.current?.showModal()
    else dialog.current?.close()
  }, [asked])
  const close = () => {
    wish.value = undefined
  }
  // The browser tells of a closing later: by then the next question may be open, which is not meant.
  const closed = () => {
    if (dialog.current?.open !== true) close()
  }
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="question" onClose={closed}>
      {asked === undefined ? null : <Question asked={asked} close={close} />}
    </dialog>
  )
}

/** What came of it: read out, and shown until one goes elsewhere or puts it away. */
export const Said = () => {
  const last = said.value
  return (
    <div class="said" role="status">
      {last === undefined ? null : (
        <p class={`notice ${last.ok ? "ok" : "bad"}`}>
          {last.ok ? shapes.ok : shapes.bad}
          <span>{last.text}</span>
          <button
            type="button"
            class="button plain"
            onClick={() => {
              said.value = undefined
            }}
          >
            Dismiss
          </button>
        </p>
      )}
    </div>
  )
}

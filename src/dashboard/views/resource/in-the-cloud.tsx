/** What the resource is made of and how much it uses: as it is known, or as it is at this moment, when somebody asks for it. */
import { useSignal } from "@preact/signals"
import type { LiveLook, ResourceDetail } from "../../../api/index.js"
import { span } from "../../parts/format.js"
import { shapes } from "../../parts/icons.js"
import { Ago } from "../../parts/time.js"
import { ask, type Result } from "../../state/client.js"
import { Picture } from "./picture.js"
import { Quotas } from "./quotas.js"

const Seen = ({ look }: { readonly look: Result<LiveLook> | undefined }) => {
  if (look === undefined) return <>As the journal and the last look know it.</>
  if (!look.ok) return <>{look.failure.message}</>
  if (look.value.outcome !== "looked") return <>As it was known before.</>
  return (
    <>
      As it was <Ago at={look.value.at} />, seen in {span(look.value.ms)}.
    </>
  )
}

export const InTheCloud = ({ resource }: { readonly resource: ResourceDetail }) => {
  const look = useSignal<Result<LiveLook> | undefined>(undefined)
  const busy = useSignal(false)
  const again = async () => {
    busy.value = true
    look.value = await ask("resources.look", { path: { resource: resource.resource } })
    busy.value = false
  }
  const answer = look.value?.ok === true ? look.value.value : undefined
  const seen = answer?.outcome === "looked" ? answer : undefined
  return (
    <>
      <section class="panel" aria-labelledby="made-of">
        <div class="panel-head">
          <h2 id="made-of">What it is made of</h2>
          <div class="row">
            <p class="muted small" role="status">
              {busy.value ? "Asking the cloud" : <Seen look={look.value} />}
            </p>
            <button type="button" class="button" disabled={busy.value} onClick={() => void again()}>
              Look now
            </button>
          </div>
        </div>
        {answer === undefined || seen !== undefined ? null : (
          <p class="notice bad">
            {shapes.warn}
            {answer.reason}
          </p>
        )}
        <Picture parts={seen?.parts ?? resource.parts} />
      </section>
      <Quotas quotas={seen !== undefined && seen.quotas.length > 0 ? seen.quotas : resource.quotas} />
    </>
  )
}

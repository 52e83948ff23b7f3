/** A machine that serves a model, from a customer's order in Waldur to its access endpoints there, over real HTTP. */
import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import { makeSite, scenario } from "../../support/agent.js"

describe("a machine that serves a model", () => {
  scenario(
    "answers where Waldur says, keeps that over a change of plan, and is refused in one sentence without its model",
    () =>
      Effect.gen(function* () {
        const site = yield* makeSite({
          vmSettings: { allowed_models: ["llama"], template_id: 2 },
          cloud: {
            initial: {
              images: [
                { name: "base-os", sizeMb: 1024 },
                { name: "llama", sizeMb: 600 }
              ]
            }
          }
        })
        yield* site.start()
        const { resource: vdc } = yield* site.order.vdc("models")
        const ordered = yield* site.order.vm("served", vdc.backendId, {
          attributes: { model: "llama", ONEAPP_VLLM_API_PORT: 8001, ONEAPP_VLLM_API_WEB: "no" }
        })
        expect(ordered.errorMessage).toBe("")
        const { resource } = ordered
        const url = `http://${String(resource.backendMetadata.ip_address)}:8001`
        expect(resource.backendMetadata).toMatchObject({ endpoint: url, model: "llama" })
        expect(resource.endpoints.map(({ name, url: shown }) => [name, shown])).toEqual([
          ["vLLM API (OpenAI-compatible)", `${url}/v1`]
        ])

        expect((yield* site.order.switchToMedium(resource.uuid)).state).toBe("done")
        expect(resource.backendMetadata).toMatchObject({ endpoint: url, model: "llama", ram_mb: 1024 })

        const refused = yield* site.order.vm("lost", vdc.backendId, { attributes: { model: "base-os" } })
        expect(refused.state).toBe("erred")
        expect(refused.errorMessage).toContain('The model "base-os" is not one of this offering\'s (llama)')
      })
  )
})

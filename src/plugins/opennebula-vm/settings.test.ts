import { describe, expect, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { chooseTemplate } from "./ordered/template-choice.js"
import { placementRules, VmSettings } from "./settings.js"

const minimal = { api_url: "http://127.0.0.1:2633/RPC2", credentials: "oneadmin:secret" }
const settings = (more: Readonly<Record<string, unknown>>) =>
  Schema.decodeUnknownSync(VmSettings)({ ...minimal, ...more })

describe("the settings of a VM offering", () => {
  it("take the Python agent's file as it is", () => {
    const legacy = settings({
      resource_type: "vm",
      zone_id: 0,
      cluster_ids: [0, 100],
      template_id: "7",
      parent_vdc_backend_id: "acme",
      sched_requirements: "FREE_CPU > 1",
      engine_image_id: 4,
      create_opennebula_user: false,
      keycloak_enabled: false,
      external_network_id: 0,
      allocation_prefix: "waldur_"
    })
    expect(legacy).toMatchObject({
      template_id: 7,
      parent_vdc_backend_id: "acme",
      disk_shrink: "reject",
      report_fixed_limits: false
    })
  })

  it("have no default that a provider could be surprised by", () => {
    expect(settings({})).toMatchObject({ vm_start_timeout: 600, poweroff_timeout: 120, cluster_ids: [] })
    expect(() => settings({ disk_shrink: "perhaps" })).toThrow()
    expect(() => settings({ vm_start_timeout: 0 })).toThrow()
  })

  it.effect("give way to the offering's plugin_options", () =>
    Effect.gen(function* () {
      const rules = yield* placementRules(settings({ template_id: 7, cluster_ids: [1], parent_vdc_backend_id: "a" }), {
        template_id: "8",
        parent_vdc_backend_id: 105,
        sched_requirements: "",
        cluster_ids: null,
        something_else: true
      })
      expect(rules).toEqual({
        defaultTemplate: 8,
        allowedTemplates: [8],
        parentVdc: "105",
        clusters: [1],
        requirements: "",
        model: undefined,
        engineImage: undefined,
        allowedModels: []
      })
    })
  )

  it.effect("refuse an order in a sentence when plugin_options make no sense", () =>
    Effect.gen(function* () {
      const refused = yield* Effect.flip(placementRules(settings({}), { template_id: "seven" }))
      expect(refused.customerMessage).toContain("not set up correctly")
      expect(refused.detail).toContain("template_id")
    })
  )
})

describe("an order's template", () => {
  const choose = (more: Readonly<Record<string, unknown>>, template_id?: number) =>
    Effect.flatMap(placementRules(settings(more), {}), (rules) =>
      chooseTemplate(rules, template_id === undefined ? {} : { template_id })
    )

  it.effect("is the offering's, or one on its list", () =>
    Effect.gen(function* () {
      expect(yield* choose({ template_id: 7 })).toBe(7)
      expect(yield* choose({ template_id: 7 }, 7)).toBe(7)
      expect(yield* choose({ template_id: 7, allowed_template_ids: [8, 9] }, 9)).toBe(9)
      expect(yield* choose({ allowed_template_ids: [8] })).toBe(8)
    })
  )

  it.effect("is refused when it is not on the list, or when there is none at all", () =>
    Effect.gen(function* () {
      expect((yield* Effect.flip(choose({ template_id: 7 }, 8))).customerMessage).toBe(
        "Template 8 is not one of this offering's (7): choose another and order again."
      )
      expect((yield* Effect.flip(choose({ allowed_template_ids: [8, 9] }))).customerMessage).toBe(
        "The order must name a template by template_id (8, 9)."
      )
      expect((yield* Effect.flip(choose({}, 0))).customerMessage).toContain("Template 0 is not one of this offering's")
    })
  )
})

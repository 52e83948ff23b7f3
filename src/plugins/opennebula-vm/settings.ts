/**
 * `backend_settings` of a VM offering, and what the offering's `plugin_options` in Waldur put over them.
 *
 * Order of precedence, as in the Python agent: the order's attributes, then `plugin_options`, then the configuration file. What a customer
 * writes is bounded by what the provider wrote: a template must be on the list, a parent VDC must be of the customer's own project.
 */
import { Effect, ParseResult, Schema } from "effect"
import { OrderRefused } from "../../plugin/index.js"
import { listOf, ObjectId, openNebulaFields, pauseFields, Seconds } from "../settings.js"
import { given } from "./fields.js"

/** A group's id; the Python agent's VDCs have the group's name instead. */
export const ParentVdc = Schema.Union(
  Schema.String,
  Schema.transform(Schema.Int, Schema.String, { strict: true, decode: String, encode: Number })
)

/** An image's name or its id, which a YAML file has as a number. */
const ImageName = Schema.Union(
  Schema.String,
  Schema.transform(Schema.Int, Schema.String, { strict: true, decode: String, encode: Number })
)

const placementFields = {
  /** VM template of orders that name none. */
  template_id: Schema.optional(ObjectId),
  /** Templates that an order may name besides `template_id`. */
  allowed_template_ids: Schema.optional(listOf(ObjectId)),
  /** The VDC of orders that name none: the provider's own choice, so it may be anybody's. */
  parent_vdc_backend_id: Schema.optional(ParentVdc),
  cluster_ids: Schema.optional(listOf(ObjectId)),
  /** OpenNebula's placement expression, `RESERVED_CPU < 10`: ANDed with the clusters and with the template's own. */
  sched_requirements: Schema.optional(Schema.String),
  /** The image that a model's engine boots from, in the place of the template's own. */
  engine_image_id: Schema.optional(ObjectId),
  /** New: images that an order may name as its `model`, by name or id. Without it: those that everybody, or the VDC's group, may use. */
  allowed_models: Schema.optional(listOf(ImageName))
}

/** The model of orders that name none. In `plugin_options` alone, as in the Python agent. */
const modelFields = { model: Schema.optional(ImageName), model_image_id: Schema.optional(ImageName) }

const ignored = Schema.optional(Schema.Unknown)

/** Keys that the Python agent's configuration may have here, and that mean nothing to VMs, or nothing yet. */
const acceptedOnly = {
  resource_type: ignored,
  model: ignored,
  model_image_id: ignored,
  create_opennebula_user: ignored,
  keycloak_enabled: ignored,
  keycloak: ignored,
  saml_mapping_file: ignored,
  default_user_role: ignored,
  vdc_roles: ignored,
  external_network_id: ignored,
  virtual_router_template_id: ignored,
  vn_mad: ignored,
  vxlan_phydev: ignored,
  default_dns: ignored,
  internal_network_base: ignored,
  internal_network_prefix: ignored,
  subnet_prefix_length: ignored,
  security_group_defaults: ignored,
  customer_prefix: ignored,
  project_prefix: ignored,
  // The Python agent keeps nothing of a machine either, whatever this says.
  soft_delete: ignored
}

export const VmSettings = Schema.Struct({
  ...acceptedOnly,
  ...placementFields,
  ...openNebulaFields,
  /** `reject`: an order for a smaller disk is refused before the VM is touched. `keep`: the rest of it is carried out. */
  disk_shrink: Schema.optionalWith(Schema.Literal("reject", "keep"), { default: () => "reject" as const }),
  /**
   * Report actual sizes as limits for components billed as `fixed` too. Off, because a Waldur server seen in practice can never finish
   * another plan switch of such a resource.
   */
  report_fixed_limits: Schema.optionalWith(Schema.Boolean, { default: () => false }),
  /**
   * How long a new VM may take until it runs, in seconds: the scheduler's turn and the copy of the image included, the time in which no agent ran, the
   * offering was stopped or one of its servers away left out.
   */
  vm_start_timeout: Schema.optionalWith(Seconds, { default: () => 600 }),
  ...pauseFields,
  /** How long OpenNebula is given to end a VM, in seconds. */
  terminate_timeout: Schema.optionalWith(Seconds, { default: () => 600 })
})
export type VmSettings = typeof VmSettings.Type

/** What decides about template, parent and place, once `plugin_options` are laid over the settings. */
export interface PlacementRules {
  readonly defaultTemplate: number | undefined
  readonly allowedTemplates: ReadonlyArray<number>
  readonly parentVdc: string | undefined
  readonly clusters: ReadonlyArray<number>
  readonly requirements: string
  /** Of orders that name none. */
  readonly model: string | undefined
  readonly engineImage: number | undefined
  /** Empty: what everybody or the VDC's group may use. */
  readonly allowedModels: ReadonlyArray<string>
}

const Options = Schema.Struct({ ...placementFields, ...modelFields })

/** `plugin_options` have nulls and empty strings for what nobody filled in. */
const filledIn = (options: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null && value !== ""))

/** Fails with `OrderRefused`, not with a fault of the offering: the options are kept with the order, so they cannot be mended for it. */
export const placementRules = (
  settings: VmSettings,
  pluginOptions: Readonly<Record<string, unknown>>
): Effect.Effect<PlacementRules, OrderRefused> =>
  Schema.decodeUnknown(Options)(filledIn(pluginOptions)).pipe(
    Effect.mapError(
      (error) =>
        new OrderRefused({
          customerMessage:
            "This offering is not set up correctly: ask the provider to mend its options, then order again.",
          detail: `plugin_options: ${ParseResult.TreeFormatter.formatErrorSync(error)}`
        })
    ),
    Effect.map((options) => {
      const listed = options.allowed_template_ids ?? settings.allowed_template_ids ?? []
      const defaultTemplate =
        options.template_id ?? settings.template_id ?? (listed.length === 1 ? listed[0] : undefined)
      return {
        defaultTemplate,
        allowedTemplates: [...new Set([...(defaultTemplate === undefined ? [] : [defaultTemplate]), ...listed])],
        parentVdc: options.parent_vdc_backend_id ?? settings.parent_vdc_backend_id,
        clusters: options.cluster_ids ?? settings.cluster_ids,
        requirements: (options.sched_requirements ?? settings.sched_requirements ?? "").trim(),
        model: given(options.model) ?? given(options.model_image_id),
        engineImage: options.engine_image_id ?? settings.engine_image_id,
        allowedModels: options.allowed_models ?? settings.allowed_models ?? []
      }
    })
  )

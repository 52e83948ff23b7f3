/**
 * Machines that serve a language model with vLLM: the engine's template, with the model's image as a further disk and `ONEAPP_VLLM_*` in
 * the CONTEXT, as OpenNebula's vLLM appliance reads them.
 *
 * As in the Python agent, the model is an image's name or id, the order's before the offering's. Unlike there, a customer may not name just
 * any image of the cloud (it may hold another tenant's data): it must be on the provider's list, or for everybody to use, or the VDC's own.
 */
import { Effect, Option, Schema } from "effect"
import {
  type Image,
  type OpenNebulaService,
  osDisk,
  type Template,
  type Value,
  type VmTemplate,
  valueOf,
  vector,
  vectorsOf
} from "../../../opennebula/index.js"
import { OrderRefused, type Outcome, printable, type SiteError } from "../../../plugin/index.js"
import { field, flag, given, textOf } from "../fields.js"
import type { PlacementRules } from "../settings.js"

const wholeFrom1 = (most: number) => (text: string) =>
  /^\d{1,9}$/.test(text) && Number(text) >= 1 && Number(text) <= most
const share = (text: string) => /^\d*\.?\d+$/.test(text) && Number(text) > 0 && Number(text) <= 1
const checkedText = (fits: (text: string) => boolean, expected: string) =>
  field(textOf.pipe(Schema.filter(fits)), expected)

/** What an order may say of the engine. What it leaves out is the template's, then the appliance's own. */
export const vllmFields = {
  ONEAPP_VLLM_API_PORT: checkedText(wholeFrom1(65_535), "a port from 1 to 65535"),
  ONEAPP_VLLM_API_WEB: flag,
  ONEAPP_VLLM_MODEL_QUANTIZATION: checkedText((text) => text === "0" || text === "4", "0 or 4"),
  ONEAPP_VLLM_MODEL_MAX_LENGTH: checkedText(wholeFrom1(100_000_000), "a whole number of tokens, 1 or more"),
  ONEAPP_VLLM_ENFORCE_EAGER: flag,
  ONEAPP_VLLM_SLEEP_MODE: flag,
  ONEAPP_VLLM_GPU_MEMORY_UTILIZATION: checkedText(share, "a number above 0, at most 1")
}
type VllmKey = keyof typeof vllmFields
const vllmKeys = [
  "ONEAPP_VLLM_API_PORT",
  "ONEAPP_VLLM_API_WEB",
  "ONEAPP_VLLM_MODEL_QUANTIZATION",
  "ONEAPP_VLLM_MODEL_MAX_LENGTH",
  "ONEAPP_VLLM_ENFORCE_EAGER",
  "ONEAPP_VLLM_SLEEP_MODE",
  "ONEAPP_VLLM_GPU_MEMORY_UTILIZATION"
] as const satisfies ReadonlyArray<VllmKey>

/** An order's `model` and `model_image_id`, and its `ONEAPP_VLLM_*`. */
export interface ModelAttributes extends Partial<Readonly<Record<VllmKey, string | undefined>>> {
  readonly model?: string | undefined
  readonly model_image_id?: string | undefined
}

export const Inference = Schema.Struct({
  /** The model's image, and what the order called it. */
  image: Schema.Int,
  model: Schema.String,
  /** The image that the engine boots from, in the place of the template's. */
  engine: Schema.optional(Schema.Int),
  context: Schema.Record({ key: Schema.String, value: Schema.String }),
  port: Schema.Int,
  web: Schema.Boolean
})
export type Inference = typeof Inference.Type

/** The model that is to be served, and whether the provider chose it; none: a machine like any other. */
export const modelOf = (
  attributes: ModelAttributes,
  rules: PlacementRules
): { readonly name: string; readonly ofProvider: boolean } | undefined => {
  const asked = given(attributes.model) ?? given(attributes.model_image_id)
  if (asked !== undefined) return { name: asked, ofProvider: false }
  return rules.model === undefined ? undefined : { name: rules.model, ofProvider: true }
}

/** The template as it is with the engine's image in the place of the one it boots from, whose size goes with it. */
export const withEngine = (template: VmTemplate, engine: number | undefined): VmTemplate => {
  if (engine === undefined) return template
  const boot = Option.getOrUndefined(osDisk(template.template))
  if (boot === undefined) {
    return { ...template, template: [...template.template, vector("DISK", { IMAGE_ID: engine })] }
  }
  const { IMAGE, IMAGE_ID, IMAGE_UID, IMAGE_UNAME, SIZE, TYPE, FORMAT, ...rest } = boot.disk.values
  const disk = vector("DISK", { ...rest, IMAGE_ID: engine })
  return {
    ...template,
    template: template.template.map((attribute) => (attribute === boot.disk ? disk : attribute))
  }
}

/** Looks up what the model's machine consists of, and refuses what cannot serve it. `template`: with the engine's image. */
export const chooseInference = (
  one: OpenNebulaService,
  rules: PlacementRules,
  attributes: ModelAttributes,
  template: VmTemplate,
  group: number
): Effect.Effect<Inference | undefined, SiteError> =>
  Effect.gen(function* () {
    const model = modelOf(attributes, rules)
    if (model === undefined) return undefined
    // Without an image before it, the model's would be taken for the disk to boot from.
    if (!Option.exists(osDisk(template.template), ({ disk }) => hasImage(disk.values))) {
      return yield* new OrderRefused({
        customerMessage: `Template ${template.id} has no image to start the engine from, so it cannot serve a model: ask the provider.`,
        detail: "set engine_image_id, or give the template's disk an image"
      })
    }
    if (rules.engineImage !== undefined) yield* engineImage(one, rules.engineImage)
    const image = yield* modelImage(one, rules, model, group)
    const context = contextOf(template.template, attributes)
    const port = Number(context.ONEAPP_VLLM_API_PORT)
    return {
      image: image.id,
      model: model.name,
      ...(rules.engineImage === undefined ? {} : { engine: rules.engineImage }),
      context,
      // The appliance's own defaults, as the Python agent has them.
      port: Number.isInteger(port) && port > 0 && port <= 65_535 ? port : 8000,
      web: (context.ONEAPP_VLLM_API_WEB ?? "YES").toUpperCase() === "YES"
    }
  })

const hasImage = (disk: Readonly<Record<string, Value>>): boolean => "IMAGE" in disk || "IMAGE_ID" in disk

/** Why a disk of an image cannot be given to many machines; undefined if it can. */
export const unusable = (image: Image): string | undefined => {
  if (image.type !== "Os" && image.type !== "Datablock" && image.type !== "Cdrom") return `it is of type ${image.type}`
  // One machine would have it to itself, and write into it for good.
  if (image.persistent) return "it is persistent"
  return image.state === "Ready" || image.state === "Used" ? undefined : `it is ${image.state.toLowerCase()}`
}

/** The provider's own image. */
export const engineImage = (one: OpenNebulaService, id: number): Effect.Effect<Image, SiteError> =>
  Effect.gen(function* () {
    const broken = (detail: string) =>
      new OrderRefused({
        customerMessage: "The engine of this offering is not set up correctly: ask the provider.",
        detail: `engine_image_id ${id}: ${detail}`
      })
    const image = yield* one.image
      .info(id)
      .pipe(Effect.catchTag("NoSuchObject", () => broken("there is no such image in OpenNebula")))
    const reason = unusable(image)
    return reason === undefined ? image : yield* broken(reason)
  })

const modelImage = (
  one: OpenNebulaService,
  rules: PlacementRules,
  model: { readonly name: string; readonly ofProvider: boolean },
  group: number
): Effect.Effect<Image, SiteError> =>
  Effect.gen(function* () {
    const { name } = model
    const shown = `The model "${printable(name)}"`
    const found = yield* imagesCalled(one, name)
    const allowed = found.filter((image) => model.ofProvider || mayServe(image, rules, group))
    const [image] = allowed
    if (image === undefined) {
      const offered = rules.allowedModels.length === 0 ? "" : ` (${rules.allowedModels.join(", ")})`
      return yield* new OrderRefused({
        customerMessage: `${shown} is not one of this offering's${offered}: choose another and order again.`,
        detail:
          found.length === 0
            ? "there is no such image in OpenNebula"
            : `image ${found.map(({ id }) => id).join(", ")} is not in allowed_models, and not for everybody to use`
      })
    }
    if (allowed.length > 1) {
      return yield* new OrderRefused({
        customerMessage: `${shown} is not clear: there are several of this name; ask the provider.`,
        detail: `images ${allowed.map(({ id }) => id).join(", ")}: name one by its id`
      })
    }
    const reason = unusable(image)
    if (reason === undefined) return image
    return yield* new OrderRefused({
      customerMessage: `${shown} cannot be used now: choose another, or ask the provider.`,
      detail: `image ${image.id}: ${reason}`
    })
  })

/** By id if it is a number, else by name, which several owners may have given. */
export const imagesCalled = (one: OpenNebulaService, name: string): Effect.Effect<ReadonlyArray<Image>, SiteError> =>
  /^\d{1,9}$/.test(name)
    ? one.image.info(Number(name)).pipe(
        Effect.map((image) => [image]),
        Effect.catchTag("NoSuchObject", () => Effect.succeed([]))
      )
    : Effect.map(one.image.list(), (images) => images.filter((image) => image.name === name))

const mayServe = (image: Image, { allowedModels }: PlacementRules, group: number): boolean =>
  allowedModels.length > 0
    ? allowedModels.some((allowed) => allowed === image.name || allowed === String(image.id))
    : image.permissions.other.use || (image.gid === group && image.permissions.group.use)

/** `O|number|Port of the API| |8000`: the last part is the default, which the front-end itself never puts in. */
const inputDefault = (template: Template, key: string): string | undefined =>
  given(vectorsOf(template, "USER_INPUTS")[0]?.values[key]?.split("|")[4])

/** The engine's settings: the order's, else the template's, else the defaults of the template's own form. */
const contextOf = (template: Template, attributes: ModelAttributes): Readonly<Record<string, string>> =>
  Object.fromEntries(
    vllmKeys.flatMap((key) => {
      const written = given(vectorsOf(template, "CONTEXT")[0]?.values[key])
      // `$ONEAPP_VLLM_API_PORT` is a reference to the template's attribute of that name.
      const literal = written?.startsWith("$") ? undefined : written
      const value =
        given(attributes[key]) ??
        literal ??
        Option.getOrUndefined(valueOf(template, key)) ??
        inputDefault(template, key)
      return value === undefined ? [] : [[key, value]]
    })
  )

/** Under these keys the Python agent has them too. */
export const accessKeys = ["endpoint", "web_ui", "model"] as const

/** Where the model answers. The engine knows no passwords: who reaches the network reaches it. */
export const accessTo = (
  { model, port, web }: Inference,
  address: string
): Required<Pick<Outcome, "metadata" | "endpoints">> => {
  if (address === "") return { metadata: { model }, endpoints: [] }
  const url = `http://${address.includes(":") ? `[${address}]` : address}:${port}`
  return {
    metadata: { endpoint: url, ...(web ? { web_ui: url } : {}), model },
    endpoints: [
      { name: "vLLM API (OpenAI-compatible)", url: `${url}/v1` },
      ...(web ? [{ name: "Chat playground", url }] : [])
    ]
  }
}

/** What the marketplace knew of it before a change, which keeps the machine's address and model. */
export const keptAccess = (metadata: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    accessKeys.flatMap((key) => {
      const value = metadata[key]
      return typeof value === "string" ? [[key, value]] : []
    })
  )

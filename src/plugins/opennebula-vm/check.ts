/** What `site-actors check` says of a VM offering: front-end, templates, parent VDC and its network, clusters, limits. */
import { Effect, Option } from "effect"
import { osDisk } from "../../opennebula/index.js"
import type { CheckResult } from "../../plugin/index.js"
import { administrator, datastores, look, noSuch, release } from "../looks.js"
import type { VmOffering } from "./offering.js"
import { imagesCalled, unusable } from "./ordered/inference.js"
import { componentOf } from "./ordered/sizes.js"
import { bootImage } from "./ordered/template-choice.js"
import { groupOf, parentOf } from "./parent.js"
import { placementRules } from "./settings.js"

const ok = (subject: string, detail: string): CheckResult => ({ subject, status: "ok", detail })
const warning = (subject: string, detail: string): CheckResult => ({ subject, status: "warning", detail })
const failed = (subject: string, detail: string): CheckResult => ({ subject, status: "failed", detail })

export const check = (offering: VmOffering): Effect.Effect<ReadonlyArray<CheckResult>> =>
  Effect.gen(function* () {
    const { one } = offering
    // If the front-end does not answer, the rest would only say so again.
    const frontEnd = yield* release(one)
    if (frontEnd.status === "failed") return [frontEnd]
    const [user, ...others] = yield* Effect.all(
      [
        administrator(one),
        templates(offering),
        parent(offering),
        clusters(offering),
        datastores(one, offering.settings.cluster_ids),
        models(offering)
      ],
      { concurrency: "unbounded" }
    )
    return [frontEnd, user, ...others.flat(), limits(offering)]
  })

const templateKeys = "template_id or allowed_template_ids"

const templates = (offering: VmOffering): Effect.Effect<ReadonlyArray<CheckResult>> =>
  Effect.gen(function* () {
    // The offering's plugin_options in Waldur may add others; they are checked with each order.
    const rules = yield* Effect.orDie(placementRules(offering.settings, {}))
    const disk = componentOf(offering.components, "disk")
    // As an order has it: of what is billed by usage it says nothing.
    const sizedDisk = disk !== undefined && disk.accountingType !== "usage"
    if (rules.allowedTemplates.length === 0) {
      return [warning("template", "no template_id in backend_settings: plugin_options of the offering must have one")]
    }
    return yield* Effect.forEach(
      rules.allowedTemplates,
      (id) =>
        look(
          `template ${id}`,
          Effect.gen(function* () {
            const template = yield* offering.one.template.info(id)
            if (template.isVirtualRouter) {
              return failed(`template ${id}`, `${template.name} is for virtual routers: correct ${templateKeys}`)
            }
            if (sizedDisk && Option.isNone(osDisk(template.template))) {
              return failed(
                `template ${id}`,
                `${template.name} has no disk, but the offering sells its size: give it one, or correct ${templateKeys}`
              )
            }
            const image = Option.getOrUndefined(yield* bootImage(offering.one, template))
            if (image === undefined) return ok(`template ${id}`, template.name)
            const reason = unusable(image)
            // What is still being copied is waited for.
            if (reason !== undefined && !image.state.startsWith("Locked"))
              return failed(
                `template ${id}`,
                `image ${image.id} of ${template.name} cannot be given to machines: ${reason}`
              )
            return ok(`template ${id}`, `${template.name}, disks from ${image.size} MB`)
          }).pipe(
            Effect.catchTag("NoSuchObject", () =>
              Effect.succeed(failed(`template ${id}`, noSuch("template", templateKeys)))
            )
          )
        ),
      { concurrency: 4 }
    )
  })

const parent = (offering: VmOffering): Effect.Effect<ReadonlyArray<CheckResult>> => {
  const backendId = offering.settings.parent_vdc_backend_id?.trim() ?? ""
  if (backendId === "") return Effect.succeed([ok("parent VDC", "named by each order (parent_backend_id)")])
  const subject = `parent VDC ${backendId}`
  return look(
    subject,
    Effect.flatMap(
      groupOf(offering.one, backendId),
      Option.match({
        onNone: () => Effect.succeed(failed(subject, noSuch("group", "parent_vdc_backend_id"))),
        onSome: (group) =>
          Effect.map(parentOf(offering.one, Effect.succeed(group)), ({ network }) =>
            network === undefined
              ? warning(
                  subject,
                  `group ${group.name} (${group.id}) has no network ${group.name}_internal: the templates must name one`
                )
              : ok(subject, `group ${group.name} (${group.id}), network ${network}`)
          )
      })
    )
  ).pipe(Effect.map((result) => [result]))
}

/** The images of models and of their engine. Those that only plugin_options or orders name are looked at with each order. */
const models = ({ one, settings }: VmOffering): Effect.Effect<ReadonlyArray<CheckResult>> => {
  const engine = settings.engine_image_id
  const named = (settings.allowed_models ?? []).map((name) => {
    const subject = `model ${name}`
    return look(
      subject,
      Effect.map(imagesCalled(one, name), (images) => {
        const [image] = images
        if (image === undefined) return failed(subject, noSuch("image", "allowed_models"))
        if (images.length > 1) {
          return failed(subject, `images ${images.map(({ id }) => id).join(", ")} have this name: write one's id`)
        }
        const reason = unusable(image)
        return reason === undefined
          ? ok(subject, `image ${image.id}, ${image.size} MB`)
          : failed(subject, `image ${image.id} cannot be given to machines: ${reason}`)
      })
    )
  })
  const engines =
    engine === undefined
      ? []
      : [
          look(
            `engine image ${engine}`,
            // Not by `engineImage`: its sentence is the customer's.
            Effect.map(one.image.info(engine), (image) => {
              const reason = unusable(image)
              return reason === undefined
                ? ok(`engine image ${engine}`, `${image.name}, ${image.size} MB`)
                : failed(
                    `engine image ${engine}`,
                    `${image.name} cannot be given to machines: ${reason}. Name another in engine_image_id`
                  )
            }).pipe(
              Effect.catchTag("NoSuchObject", () =>
                Effect.succeed(failed(`engine image ${engine}`, noSuch("image", "engine_image_id")))
              )
            )
          )
        ]
  return Effect.all([...engines, ...named], { concurrency: 4 })
}

const clusters = (offering: VmOffering): Effect.Effect<ReadonlyArray<CheckResult>> => {
  const wanted = offering.settings.cluster_ids
  if (wanted.length === 0) return Effect.succeed([])
  const subject = `clusters ${wanted.join(", ")}`
  return look(
    subject,
    Effect.map(offering.one.cluster.list(), (all) => {
      const missing = wanted.filter((id) => !all.some((cluster) => cluster.id === id))
      return missing.length === 0
        ? ok(
            subject,
            all
              .filter(({ id }) => wanted.includes(id))
              .map(({ name }) => name)
              .join(", ")
          )
        : failed(subject, `there is no cluster ${missing.join(", ")}: correct cluster_ids`)
    })
  ).pipe(Effect.map((result) => [result]))
}

/** Whether actual sizes go back to Waldur as limits, and why not. */
const limits = ({ components, settings }: VmOffering): CheckResult => {
  const fixed = components.filter(({ accountingType }) => accountingType === "fixed").map(({ type }) => type)
  if (fixed.length === 0) return ok("limits", "actual sizes are reported for components billed by limit")
  return settings.report_fixed_limits
    ? warning(
        "limits",
        `reported for ${fixed.join(", ")} too: on some Waldur servers a plan switch can then never be finished`
      )
    : ok(
        "limits",
        `not reported for ${fixed.join(", ")}: some Waldur servers could then never finish a plan switch (report_fixed_limits)`
      )
}

/** Which VM template an order gets, and whether it can be used for it. */
import { Effect, Option } from "effect"
import {
  type Image,
  type NoSuchObject,
  type OpenNebulaService,
  osDisk,
  type VmTemplate
} from "../../../opennebula/index.js"
import { OrderRefused, type SiteError } from "../../../plugin/index.js"
import type { PlacementRules } from "../settings.js"
import type { VmAttributes } from "./attributes.js"

/** The order's template if it names one that the offering has, else the offering's own. */
export const chooseTemplate = (
  rules: PlacementRules,
  attributes: VmAttributes
): Effect.Effect<number, OrderRefused> => {
  const asked = attributes.template_id
  if (asked !== undefined && asked !== "") {
    return rules.allowedTemplates.includes(asked)
      ? Effect.succeed(asked)
      : new OrderRefused({
          customerMessage: `Template ${asked} is not one of this offering's${listed(rules.allowedTemplates)}: choose another and order again.`
        })
  }
  return rules.defaultTemplate === undefined
    ? new OrderRefused({
        customerMessage: `The order must name a template by template_id${listed(rules.allowedTemplates)}.`
      })
    : Effect.succeed(rules.defaultTemplate)
}
const listed = (ids: ReadonlyArray<number>): string => (ids.length === 0 ? "" : ` (${ids.join(", ")})`)

/** Reads it. Refused if it does not exist, or makes routers. */
export const usableTemplate = (one: OpenNebulaService, templateId: number): Effect.Effect<VmTemplate, SiteError> =>
  Effect.gen(function* () {
    const template = yield* Effect.catchTag(one.template.info(templateId), "NoSuchObject", noTemplate(templateId))
    if (template.isVirtualRouter) {
      return yield* new OrderRefused({
        customerMessage: `Template ${templateId} is for virtual routers, not for virtual machines: ask the provider.`
      })
    }
    return template
  })

export const noTemplate = (templateId: number) => (error: NoSuchObject) =>
  new OrderRefused({
    customerMessage: `Template ${templateId} of this offering does not exist (any more): ask the provider.`,
    detail: error.message
  })

/** Why OpenNebula made no machine, where its customer can make something of it (recordings 155 and 156). */
export const notInstantiated =
  (one: OpenNebulaService) =>
  (error: SiteError): Effect.Effect<never, SiteError> => {
    if (error._tag !== "AllocationRefused") return Effect.fail(error)
    const [, network] = noLease.exec(error.message) ?? []
    const sentence = refusals.find(({ when }) => when.test(error.message))?.sentence
    const why = sentence === undefined ? error : new OrderRefused({ customerMessage: sentence, detail: error.message })
    if (network === undefined) return Effect.fail(why)
    return Effect.flatMap(stateOf(one, Number(network)), (state) =>
      Effect.fail(
        state === "Ready" || state === "UpdateFailure"
          ? why
          : new OrderRefused({
              customerMessage:
                "The network of the virtual data centre cannot be used in the cloud at present: ask the provider, then order again.",
              detail: `network ${network} is ${state}: ${error.message}`
            })
      )
    )
  }

/** A network whose making or whose deletion has failed, or is under way, has no addresses to give (OpenNebula 7.4 `IPAMManager`, `VirtualNetworkAPI::drop`). */
const stateOf = (one: OpenNebulaService, networkId: number): Effect.Effect<string, SiteError> =>
  Effect.map(one.network.info(networkId), ({ state }) => state).pipe(
    Effect.catchTag("NoSuchObject", () => Effect.succeed("gone"))
  )
const noLease = /Cannot get IP\/MAC lease from virtual network (\d+)/

const refusals = [
  {
    when: noLease,
    sentence: "The network of the virtual data centre has no free address left: end a machine in it, then order again."
  },
  {
    when: /Virtual network with ID: \d+ does not exist/,
    sentence:
      "A network that the machine was to be connected to does not exist in the cloud (any more): ask the provider."
  },
  {
    when: /Image with ID: \d+ does not exist/,
    sentence: "An image that the machine was to have does not exist in the cloud (any more): ask the provider."
  },
  // Of `ImageManagerActions.cc`, `acquire_image` (7.4): disabled, in error, or being deleted.
  {
    when: /Cannot acquire image \d+, it is in state/,
    sentence:
      "An image that the machine was to have cannot be used in the cloud at present: ask the provider, then order again."
  },
  {
    when: /Cannot acquire image \d+, it is persistent and already in use/,
    sentence: "An image that the machine was to have is another machine's alone: ask the provider."
  }
]

/** The disk to boot from must be there to be sized, and not become smaller than its image, which OpenNebula refuses (recording 163). */
export const checkDisk = (
  one: OpenNebulaService,
  template: VmTemplate,
  ordered: number | undefined
): Effect.Effect<void, SiteError> =>
  Effect.gen(function* () {
    if (ordered === undefined) return
    if (Option.isNone(osDisk(template.template))) {
      return yield* new OrderRefused({
        customerMessage: `Template ${template.id} has no disk that could have the ordered size: ask the provider.`
      })
    }
    const image = yield* bootImage(one, template)
    if (Option.isSome(image) && ordered < image.value.size) {
      return yield* new OrderRefused({
        customerMessage: `The disk must have at least ${image.value.size} MB for this template, but ${ordered} MB was ordered.`
      })
    }
  })

/** The image on the disk to boot from. None: it has none, so any size will do. */
export const bootImage = (
  one: OpenNebulaService,
  template: VmTemplate
): Effect.Effect<Option.Option<Image>, SiteError> =>
  Effect.gen(function* () {
    const disk = Option.getOrUndefined(osDisk(template.template))?.disk.values ?? {}
    const missing = new OrderRefused({
      customerMessage: `The image of template ${template.id} does not exist (any more): ask the provider.`
    })
    if (disk.IMAGE_ID !== undefined) {
      const image = yield* one.image.info(Number(disk.IMAGE_ID)).pipe(Effect.catchTag("NoSuchObject", () => missing))
      return Option.some(image)
    }
    if (disk.IMAGE === undefined) return Option.none()
    const isMeant = yield* ownerIn(one, disk)
    const image = (yield* one.image.list()).find((found) => found.name === disk.IMAGE && isMeant(found))
    return image === undefined ? yield* missing : Option.some(image)
  })

/**
 * Whose image a name means: several users may have one of that name. Of whom the disk says, else of whoever instantiates (OpenNebula 7.4
 * `VirtualMachineDisk::get_uid`).
 */
const ownerIn = (
  one: OpenNebulaService,
  { IMAGE_UID, IMAGE_UNAME }: Readonly<Record<string, string>>
): Effect.Effect<(image: Pick<Image, "uid" | "uname">) => boolean, SiteError> => {
  if ((IMAGE_UID ?? "") !== "") return Effect.succeed(({ uid }) => uid === Number(IMAGE_UID))
  if ((IMAGE_UNAME ?? "") !== "") return Effect.succeed(({ uname }) => uname === IMAGE_UNAME)
  return Effect.map(
    one.user.info(-1),
    ({ id }) =>
      ({ uid }: Pick<Image, "uid">) =>
        uid === id
  )
}

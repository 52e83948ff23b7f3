/**
 * Makes a VM: choose, instantiate on hold, hand over to the parent's group, release, wait until it runs.
 *
 * On hold (recordings 076 to 080), because the group's quota is only asked when the VM is handed over: so it is refused before anything boots, and
 * what is on hold ends at once, while a VM that boots does not. It costs one call.
 */
import { Clock, Effect, Option, Schema } from "effect"
import { ownerOf, type Vm, type VmTemplate } from "../../opennebula/index.js"
import { resourceName } from "../../opennebula/naming.js"
import {
  type CreateRequest,
  decide,
  ensure,
  ensureDone,
  foretelling,
  type HandlerServices,
  type Marketplace,
  make,
  makerOf,
  mayBeBegunElsewhere,
  OrderRefused,
  type Outcome,
  ownMark,
  RivalAtWork,
  type SiteError
} from "../../plugin/index.js"
import { factsOf, findVm, isOthersIn, removeVm, VmFacts, whenWithin } from "./machine.js"
import type { VmOffering } from "./offering.js"
import { sshKeyOf, type VmAttributes } from "./ordered/attributes.js"
import { chooseExtras, Extras } from "./ordered/extras.js"
import { accessTo, chooseInference, Inference, modelOf, withEngine } from "./ordered/inference.js"
import { extraTemplate, isConnected } from "./ordered/placement.js"
import { orderedSizes, type Sizes } from "./ordered/sizes.js"
import { checkDisk, chooseTemplate, noTemplate, notInstantiated, usableTemplate } from "./ordered/template-choice.js"
import { userData } from "./ordered/user-data.js"
import { outcomeOf } from "./outcome.js"
import { chooseParent, Parent, sameUuid } from "./parent.js"
import { placementRules } from "./settings.js"
import { takenOver } from "./takeover.js"
import { notStarted, untilRunning, vanished } from "./until-running.js"

type Request = CreateRequest<VmAttributes>
type ReadTemplate = (id: number) => Effect.Effect<VmTemplate, SiteError>

/** Everything that is looked up before the first thing is made, and refused if it does not fit. No secrets: an SSH key is a public one. */
const Choice = Schema.Struct({
  template: Schema.Int,
  parent: Parent,
  clusters: Schema.Array(Schema.Int),
  requirements: Schema.String,
  sshKey: Schema.optional(Schema.String),
  inference: Schema.optional(Inference),
  extras: Schema.optional(Extras),
  /** Whether the order has user data: what it is stands in no journal. */
  userData: Schema.optional(Schema.Boolean)
})
type Choice = typeof Choice.Type

export const createVm =
  (offering: VmOffering) =>
  (request: Request): Effect.Effect<Outcome, SiteError, HandlerServices> =>
    Effect.gen(function* () {
      const sizes = yield* orderedSizes(offering.components, request.amounts)
      // Not in the journal, as its CONTEXT may hold secrets: read once in each attempt.
      const readTemplate = yield* Effect.cachedFunction((id: number) => usableTemplate(offering.one, id))
      const choice = yield* decide("choice", Choice, choose(offering, request, sizes, readTemplate))
      const isElsewhere = yield* mayBeBegunElsewhere
      const vmId = yield* make<number, number, SiteError, Marketplace>("vm", {
        result: Schema.Int,
        find: leftBefore(offering, request, choice, isElsewhere),
        create: instantiate(offering, request, sizes, choice, readTemplate),
        undo: (made) => removeVm(offering, made),
        isOthers: isOthersIn(offering, request.resource, choice.parent.group)
      })
      yield* ensureDone("group", handOver(offering, vmId, choice.parent.group))
      const releasedAt = yield* ensure("release", { result: Schema.Number, perform: release(offering, vmId) })
      const outcome = (vm: VmFacts) =>
        outcomeOf(offering, vm, choice.inference === undefined ? {} : accessTo(choice.inference, vm.address))
      const vm = yield* foretelling((foretell) =>
        ensure("running", {
          result: VmFacts,
          perform: untilRunning(offering, request.resource, choice.parent, {
            vmId,
            releasedAt,
            onItsWay: (seen) => foretell(() => outcome(factsOf(seen)))
          }),
          looks: true
        })
      )
      return outcome(vm)
    })

const choose = (offering: VmOffering, request: Request, sizes: Partial<Sizes>, readTemplate: ReadTemplate) =>
  Effect.gen(function* () {
    const { one, settings } = offering
    const { attributes, pluginOptions, resource } = request
    const rules = yield* placementRules(settings, pluginOptions)
    const templateId = yield* chooseTemplate(rules, attributes)
    const engine = modelOf(attributes, rules) === undefined ? undefined : rules.engineImage
    const readBooting = Effect.map(readTemplate(templateId), (read) => withEngine(read, engine))
    const [sshKey, template, parent] = yield* Effect.all(
      [
        sshKeyOf(attributes),
        Effect.tap(readBooting, (read) => checkDisk(one, read, sizes.disk)),
        chooseParent(one, rules, attributes, resource.project)
      ],
      { concurrency: "unbounded" }
    )
    const extras = yield* chooseExtras(one, attributes, parent)
    if (!isConnected(template, parent) && (extras?.networks ?? []).length === 0) {
      return yield* new OrderRefused({
        customerMessage: "The virtual data centre has no internal network that the machine could be connected to."
      })
    }
    const hasUserData = attributes.user_data !== undefined && attributes.user_data !== ""
    if (hasUserData) yield* userData(request.order)
    const inference = yield* chooseInference(one, rules, attributes, template, parent.group)
    return {
      template: templateId,
      parent,
      clusters: rules.clusters,
      requirements: rules.requirements,
      ...Option.match(sshKey, { onNone: () => ({}), onSome: (key) => ({ sshKey: key }) }),
      ...(inference === undefined ? {} : { inference }),
      ...(extras === undefined ? {} : { extras }),
      ...(hasUserData ? { userData: true } : {})
    }
  })

/** Machines with this order's tag. A tenant may write such tags into its own: only those of the agent's user count for another agent's. */
const isOfOrder =
  ({ order, resource }: Request) =>
  (vm: Vm): boolean =>
    Option.exists(ownerOf(vm.userTemplate), (owner) => sameUuid(owner.resource, resource.id) && owner.order === order)

/**
 * What an attempt that was cut off may have made. Of this order only: another order's remains are that order's to undo. What another agent has made for
 * it is that one's: whichever of them Waldur is told of first is the resource's (`runtime/orders/rivals.ts`).
 */
const tagged = (offering: VmOffering, request: Request): Effect.Effect<Option.Option<number>, SiteError> =>
  Effect.gen(function* () {
    const all = (yield* offering.one.vm.listExtended()).filter(isOfOrder(request)).toSorted((a, b) => a.id - b.id)
    const [own] = yield* Effect.filter(all, (vm) =>
      Effect.map(
        makerOf(Option.flatMap(ownerOf(vm.userTemplate), ({ mark }) => Option.fromNullable(mark))),
        (maker) => maker === "this step"
      )
    )
    if (own !== undefined) return Option.some(own.id)
    const others = all.length === 0 ? [] : yield* ofAgent(offering, all)
    const [other] = others
    return other === undefined ? Option.none() : yield* new RivalAtWork({ what: `VM ${other.id} (${other.name})` })
  })

const ofAgent = ({ one }: VmOffering, vms: ReadonlyArray<Vm>): Effect.Effect<ReadonlyArray<Vm>, SiteError> =>
  Effect.map(one.user.info(-1), (agent) => vms.filter(({ state, uid }) => state !== "Done" && uid === agent.id))

/** The machine that another agent has made for the order, if there is just one. What its customer may see of its model is in no template. */
export const anotherVm =
  (offering: VmOffering) =>
  (request: Request, own: Outcome): Effect.Effect<Option.Option<Outcome>, SiteError> =>
    Effect.gen(function* () {
      const all = (yield* offering.one.vm.listExtended()).filter(isOfOrder(request))
      const others = (yield* ofAgent(offering, all)).filter(({ id }) => String(id) !== own.backendId)
      const [other] = others
      return other === undefined || others.length > 1
        ? Option.none()
        : Option.some(outcomeOf(offering, factsOf(other), {}))
    })

const leftBefore = (
  offering: VmOffering,
  request: Request,
  choice: Choice,
  isElsewhere: boolean
): Effect.Effect<Option.Option<number>, SiteError> =>
  Effect.flatMap(tagged(offering, request), (own) =>
    Option.isSome(own) || !isElsewhere ? Effect.succeed(own) : takenOver(offering, request, choice)
  )

const instantiate = (
  offering: VmOffering,
  request: Request,
  sizes: Partial<Sizes>,
  choice: Choice,
  readTemplate: ReadTemplate
) =>
  Effect.gen(function* () {
    const { one, settings } = offering
    const template = yield* readTemplate(choice.template)
    return yield* one.template.instantiate(choice.template, {
      name: resourceName(settings.allocation_prefix, request.resource),
      hold: true,
      extra: extraTemplate(withEngine(template, choice.inference?.engine), {
        sizes,
        parent: choice.parent,
        rules: choice,
        sshKey: choice.sshKey,
        inference: choice.inference,
        extras: choice.extras,
        userData: choice.userData === true ? yield* userData(request.order) : undefined,
        owner: { resource: request.resource.id, order: request.order, mark: yield* ownMark }
      })
    })
  }).pipe(
    // Read a moment ago.
    Effect.catchTag("NoSuchObject", noTemplate(choice.template)),
    Effect.catchAll(notInstantiated(offering.one))
  )

/** To the group of the virtual data centre, which may be gone by now, as may the machine. */
const handOver = (offering: VmOffering, vmId: number, group: number): Effect.Effect<void, SiteError> =>
  Effect.catchTag(offering.one.vm.chown(vmId, { gid: group }), "NoSuchObject", (error) =>
    Effect.flatMap(findVm(offering, vmId), (vm) =>
      Option.isNone(vm)
        ? vanished
        : new OrderRefused({
            customerMessage:
              "The virtual data centre was removed from the cloud while the machine was being made: choose another one and order again.",
            detail: error.message
          })
    )
  )

/** Milliseconds since 1970: from here on the VM has its time to start, however often we are started in the meantime; when we are not there it stands still. */
const release = (offering: VmOffering, vmId: number) =>
  Effect.zipRight(released(offering, vmId), Clock.currentTimeMillis).pipe(
    Effect.catchTag("NoSuchObject", () => vanished)
  )

const released = (offering: VmOffering, vmId: number): Effect.Effect<void, SiteError> =>
  offering.one.vm.action(vmId, "release").pipe(
    Effect.catchTag("ActionRefused", (error) =>
      Effect.flatMap(findVm(offering, vmId), (vm) => {
        if (Option.exists(vm, ({ state }) => state === "Cloning")) return afterItsImage(offering, vmId)
        if (Option.isNone(vm)) return vanished
        // Released by an attempt whose answer was lost.
        return vm.value.state !== "Hold" ? Effect.void : Effect.fail(error)
      })
    )
  )

/** A VM whose image is still being copied is on hold only after that (OpenNebula 7.4 `LifeCycleManager`, by SUBMIT_ON_HOLD). */
const afterItsImage = (offering: VmOffering, vmId: number): Effect.Effect<void, SiteError> =>
  Effect.gen(function* () {
    const seconds = offering.settings.vm_start_timeout
    const vm = yield* whenWithin(offering, vmId, ({ state }) => state !== "Cloning", seconds * 1000)
    return yield* Option.isSome(vm) ? released(offering, vmId) : notStarted(offering, vmId, seconds)
  })

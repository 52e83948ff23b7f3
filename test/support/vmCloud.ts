/**
 * A VM offering on a simulated front-end without HTTP, with a parent VDC, and orders for it. Time is the TestClock's, moved on until an
 * order has ended, so a deadline of ten minutes takes a moment. What happens to calls is the front-end's own interceptor's business.
 */
import { Clock, Effect, Either, Fiber, Layer, Option, Schema, TestClock } from "effect"
import {
  type Amounts,
  type CarriedOut,
  type Component,
  type CreateRequest,
  carryOut,
  type HandlerServices,
  Marketplace,
  OfferingId,
  OrderId,
  type Outcome,
  ProjectId,
  type ProjectResource,
  type Resource,
  ResourceId,
  type SiteError,
  type TerminateRequest,
  type UpdateRequest
} from "../../src/core/index.js"
import { makeOpenNebula } from "../../src/opennebula/calls/openNebula.js"
import type { OpenNebulaClient } from "../../src/opennebula/client.js"
import { Unreachable } from "../../src/opennebula/errors.js"
import { ownerTags } from "../../src/opennebula/template/owner.js"
import { single, vector } from "../../src/opennebula/template/template.js"
import { makeVmWatcher } from "../../src/opennebula/watching/watcher.js"
import { encodeRequest } from "../../src/opennebula/wire/request.js"
import { decodeAnswer } from "../../src/opennebula/wire/response.js"
import { createVm } from "../../src/plugins/opennebula-vm/create.js"
import type { VmOffering } from "../../src/plugins/opennebula-vm/offering.js"
import type { VmAttributes } from "../../src/plugins/opennebula-vm/ordered/attributes.js"
import { VmSettings } from "../../src/plugins/opennebula-vm/settings.js"
import { terminateVm } from "../../src/plugins/opennebula-vm/terminate.js"
import { updateVm } from "../../src/plugins/opennebula-vm/update.js"
import {
  type FrontEnd,
  type FrontEndOptions,
  type Interceptor,
  makeFrontEnd,
  VmState
} from "../../src/simulator/opennebula/index.js"
import { type MemoryJournal, makeMemoryJournal, memoryReservations } from "./journal.js"

const endpoint = "http://front-end.example/RPC2"
export const vdcResource = ResourceId.make("e".repeat(32))
const project = ProjectId.make("d".repeat(32))

export const planComponents = (accountingType: Component["accountingType"] = "fixed"): ReadonlyArray<Component> =>
  ["vcpu", "vm_ram", "vm_disk"].map((type) => ({ type, name: type, measuredUnit: "", unitFactor: 1, accountingType }))

export const small: Amounts = { vcpu: 1, vm_ram: 512, vm_disk: 2048 }
export const medium: Amounts = { vcpu: 1, vm_ram: 1024, vm_disk: 5120 }

export const settingsOf = (more: Readonly<Record<string, unknown>> = {}): VmSettings =>
  Schema.decodeUnknownSync(VmSettings)({
    api_url: endpoint,
    credentials: "oneadmin:opennebula",
    template_id: 2,
    parent_vdc_backend_id: 100,
    ...more
  })

/** Not over HTTP, but with all that is encoded and decoded on the way. A dropped connection is what it is for a client. */
const clientOf = (frontEnd: FrontEnd): OpenNebulaClient => ({
  endpoint,
  listen: Effect.void,
  call: (method, params, answer) =>
    Effect.gen(function* () {
      const call = { method, endpoint }
      const request = yield* encodeRequest(call, frontEnd.session, params)
      const { body } = yield* Effect.mapError(
        frontEnd.handle(request),
        () => new Unreachable({ ...call, reason: "broken off", outcome: "unknown" })
      )
      let rest = Option.some<Uint8Array>(Buffer.from(body))
      const next = Effect.sync(() => {
        const chunk = rest
        rest = Option.none()
        return chunk
      })
      return yield* decodeAnswer(answer, next, { call, limitBytes: 1e8, redact: (text) => text })
    })
})

/** Runs it, and moves the TestClock on until it has ended: in small steps at first, then in ever larger ones. */
export const untilOver = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(effect)
    const began = yield* Clock.currentTimeMillis
    while (Option.isNone(yield* Fiber.poll(fiber))) {
      const age = (yield* Clock.currentTimeMillis) - began
      yield* TestClock.adjust(Math.max(10, Math.floor(age / 10)))
    }
    return yield* Fiber.join(fiber)
  })

const resourceOf = (more: Partial<Resource> = {}): Resource => ({
  id: ResourceId.make("a".repeat(32)),
  name: "My machine",
  slug: "my-machine",
  offering: OfferingId.make("c".repeat(32)),
  project,
  projectName: "Project",
  backendId: "",
  backendMetadata: {},
  ...more
})

interface Ordered {
  readonly order?: string
  readonly amounts?: Amounts
  readonly pluginOptions?: Readonly<Record<string, unknown>>
  readonly resource?: Partial<Resource>
}
const base = ({ order = "1", pluginOptions = {}, resource = {} }: Ordered) => ({
  order: OrderId.make(order.padStart(32, "b")),
  pluginOptions,
  resource: resourceOf(resource)
})
export const createOrder = (
  ordered: Ordered & { readonly attributes?: VmAttributes } = {}
): CreateRequest<VmAttributes> => ({
  _tag: "Create",
  ...base(ordered),
  attributes: ordered.attributes ?? {},
  amounts: ordered.amounts ?? small
})
export const updateOrder = (backendId: string, amounts: Amounts, more: Ordered = {}): UpdateRequest => ({
  _tag: "Update",
  ...base({ order: "2", ...more, resource: { backendId, ...more.resource } }),
  attributes: {},
  amounts,
  change: "plan"
})
export const terminateOrder = (backendId: string, more: Ordered = {}): TerminateRequest => ({
  _tag: "Terminate",
  ...base({ order: "3", ...more, resource: { backendId, ...more.resource } }),
  attributes: {}
})

export interface BenchOptions {
  readonly settings?: Readonly<Record<string, unknown>>
  readonly components?: ReadonlyArray<Component>
  readonly keys?: Readonly<Record<string, string>>
  /** What the order has in Waldur and not in the journal. */
  readonly userData?: unknown
  readonly resources?: ReadonlyArray<ProjectResource>
  readonly frontEnd?: FrontEndOptions
}

/** The VDC's resource in Waldur, as the project has it. */
export const parentResource: ProjectResource = {
  id: vdcResource,
  offering: OfferingId.make("9".repeat(32)),
  name: "Acme",
  backendId: "100",
  state: "OK"
}

/** A front-end with the VDC of group 100 `acme` and network 1 `acme_internal`, and a VM offering in it. */
export const makeBench = (options: BenchOptions = {}) =>
  Effect.gen(function* () {
    const frontEnd = yield* makeFrontEnd(options.frontEnd)
    const client = clientOf(frontEnd)
    const one = makeOpenNebula(client)
    yield* untilOver(makeParent(one, "acme", vdcResource))
    const { glance, tellWhen, watch } = yield* makeVmWatcher(one)
    const offering: VmOffering = {
      one,
      watch,
      glance,
      tellWhen,
      settings: settingsOf(options.settings),
      components: options.components ?? planComponents()
    }
    const services = yield* Layer.build(
      Layer.merge(
        memoryReservations,
        Layer.succeed(Marketplace, {
          sshKey: (uuid) => Effect.succeed(options.keys?.[uuid]),
          projectResources: () => Effect.succeed(options.resources ?? [parentResource]),
          withheld: () => Effect.succeed(options.userData)
        })
      )
    )
    /** One attempt, as the runtime makes it. Left: to be tried again. */
    const attempt = (journal: MemoryJournal, handler: Effect.Effect<Outcome, SiteError, HandlerServices>) =>
      untilOver(carryOut(journal, handler).pipe(Effect.provide(services), Effect.either))
    const withNewJournal = (handler: Effect.Effect<Outcome, SiteError, HandlerServices>) =>
      Effect.flatMap(makeMemoryJournal(), (journal) => attempt(journal, handler))
    return {
      frontEnd,
      one,
      offering,
      attempt,
      /** A second attempt with the same journal if the first breaks off, as after a restart. */
      resumed: (journal: MemoryJournal, handler: Effect.Effect<Outcome, SiteError, HandlerServices>) =>
        Effect.gen(function* () {
          for (let tried = 0; tried < 5; tried++) {
            const end = yield* attempt(journal, handler)
            if (Either.isRight(end)) return end
          }
          return yield* Effect.dieMessage("The order never ended")
        }),
      create: (request: CreateRequest<VmAttributes>) => withNewJournal(createVm(offering)(request)),
      update: (request: UpdateRequest) => withNewJournal(updateVm(offering)(request)),
      terminate: (request: TerminateRequest) => withNewJournal(terminateVm(offering)(request)),
      /** Ids of all VMs that are not DONE. */
      vms: () => [...frontEnd.world.vms].filter(({ state }) => state !== VmState.done).map(({ id }) => id),
      /** Methods called since `from`, without looks. */
      changes: (from = 0) =>
        frontEnd.calls
          .slice(from)
          .map(({ method, params }) => (method === "one.vm.action" ? String(params[0]) : method))
          .filter((method) => !/\.(info|infoset|infoextended|version)$/.test(method))
    }
  })
export type Bench = Effect.Effect.Success<ReturnType<typeof makeBench>>

/** A VDC as the VDC backend makes it: a tagged group, its network in its hands. */
export const makeParent = (one: VmOffering["one"], name: string, owner: string) =>
  Effect.gen(function* () {
    const group = yield* one.group.allocate(name)
    yield* one.group.append(group, ownerTags({ resource: owner, order: "" }))
    const network = yield* one.network.allocate(
      [
        single("NAME", `${name}_internal`),
        single("VN_MAD", "dummy"),
        single("BRIDGE", "br1"),
        vector("AR", { TYPE: "IP4", IP: "192.168.10.2", SIZE: 4 }),
        ...ownerTags({ resource: owner, order: "" })
      ],
      0
    )
    yield* one.network.chown(network, { gid: group })
    yield* Effect.sleep(100)
    return group
  })

type End = Either.Either<CarriedOut<Outcome>, SiteError>

/** The outcome of an order that is done; anything else is a failed test. */
export const doneOf = (end: End): Outcome => {
  if (Either.isRight(end) && end.right._tag === "Done") return end.right.value
  throw new Error(`The order is not done: ${JSON.stringify(end)}`)
}
/** The sentence that a customer gets, what an operator gets beside it, and what could not be undone. */
export const refusedOf = (end: End) => {
  if (Either.isRight(end) && end.right._tag === "Refused") {
    const { leftovers, refusal } = end.right
    return { sentence: refusal.customerMessage, detail: refusal.detail, leftovers }
  }
  throw new Error(`The order was not refused: ${JSON.stringify(end)}`)
}

export const isLook = (method: string) => /\.(info|infoset|infoextended|version)$/.test(method)

/** Does something to the n-th call, from 1, that changes something. */
export const atChange = (n: number, disturb: Interceptor): Interceptor => {
  let changes = 0
  return (call) => (!isLook(call.method) && ++changes === n ? disturb(call) : undefined)
}
export const lost =
  (when: "before" | "after"): Interceptor =>
  () => ({ _tag: "Drop", when })
/** The front-end's own way of saying no: 0x2000. */
export const refuse: Interceptor = ({ method }) => ({
  _tag: "Garbage",
  when: "before",
  body: `<?xml version="1.0" encoding="UTF-8"?><methodResponse><params><param><value><array><data>
<value><boolean>0</boolean></value><value><string>[${method}] made to fail</string></value>
<value><i4>8192</i4></value><value><i4>-1</i4></value><value><i8>-1</i8></value>
</data></array></value></param></params></methodResponse>`
})

export const stateOf = (bench: Bench, vmId = 0) =>
  Effect.map(bench.one.vm.info(vmId), (vm) => [vm.state, vm.vcpu, vm.memory, vm.disks[0]?.size])
/** So that the many attempts of crash tests take few turns of the TestClock each. */
export const quick = {
  frontEnd: { times: { schedule: 2, dispatch: 1, prolog: 1, boot: 2, shutdown: 2, epilog: 2, diskResize: 2 } }
}
export const smallAndRunning = ["Running", 1, 512, 2048]
export const mediumAndRunning = ["Running", 1, 1024, 5120]

/** Orders of VDCs, carried out on a simulated front-end without HTTP, whose calls can be made to fail: what tests of the VDC backend need. */
import { Deferred, Effect, Either, Fiber, Layer, Option, Redacted, Schema } from "effect"
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
  ResourceId,
  type SiteError,
  type TerminateRequest,
  type UpdateRequest
} from "../../src/core/index.js"
import { makeOpenNebula } from "../../src/opennebula/calls/openNebula.js"
import type { OpenNebulaClient } from "../../src/opennebula/client.js"
import { InternalRefusal, Unreachable } from "../../src/opennebula/errors.js"
import { makeVmWatcher } from "../../src/opennebula/watching/watcher.js"
import { encodeRequest } from "../../src/opennebula/wire/request.js"
import { decodeAnswer } from "../../src/opennebula/wire/response.js"
import type { VdcAttributes } from "../../src/plugins/opennebula-vdc/attributes.js"
import type { Cloud } from "../../src/plugins/opennebula-vdc/cloud.js"
import { create } from "../../src/plugins/opennebula-vdc/create.js"
import { VdcSettings } from "../../src/plugins/opennebula-vdc/settings.js"
import { terminate } from "../../src/plugins/opennebula-vdc/terminate.js"
import { update } from "../../src/plugins/opennebula-vdc/update.js"
import { type FrontEnd, makeFrontEnd } from "../../src/simulator/opennebula/front-end.js"
import { type MemoryJournal, makeMemoryJournal, memoryReservations } from "./journal.js"

/** What happens to the n-th changing call (from 1). `after`: it is carried out all the same. */
export type Mishap = "refused" | "lost" | "lost after" | "crash" | "crash after"
export interface Trouble {
  readonly at: number
  readonly mishap: Mishap
}

const isChange = (method: string): boolean =>
  !/\.(info|infoextended|infoset|version|monitoring|accounting)$/.test(method)

const milliseconds = {
  schedule: 2,
  dispatch: 1,
  prolog: 1,
  boot: 2,
  shutdown: 2,
  epilog: 2,
  networkReady: 3,
  networkDelete: 3
}

const components: ReadonlyArray<Component> = ["cpu", "ram", "storage", "floating_ip"].map((type) => ({
  type,
  name: type,
  measuredUnit: "",
  unitFactor: 1,
  accountingType: "limit"
}))

export const amounts: Amounts = { cpu: 4, ram: 4096, storage: 20_480, floating_ip: 2 }

/** What the Python agent's configuration may say; the front-end's network drivers are dummies. */
export const settingsOf = (more: Readonly<Record<string, unknown>> = {}): VdcSettings =>
  Schema.decodeUnknownSync(VdcSettings)({
    api_url: "http://front-end.example/RPC2",
    credentials: "oneadmin:opennebula",
    cluster_ids: [0],
    external_network_id: 0,
    virtual_router_template_id: 1,
    security_group_defaults: [{ direction: "inbound", protocol: "TCP", range: "22" }],
    create_opennebula_user: true,
    router_start_timeout: 60,
    teardown_timeout: 60,
    ...more
  })

const clientOf = (frontEnd: FrontEnd): OpenNebulaClient => ({
  endpoint: "http://front-end.example/RPC2",
  call: (method, params, answer) =>
    Effect.gen(function* () {
      const call = { method, endpoint: "http://front-end.example/RPC2" }
      const { body } = yield* Effect.orDie(frontEnd.handle(yield* encodeRequest(call, frontEnd.session, params)))
      let rest = Option.some<Uint8Array>(Buffer.from(body))
      const next = Effect.sync(() => {
        const chunk = rest
        rest = Option.none()
        return chunk
      })
      return yield* decodeAnswer(answer, next, { call, limitBytes: 1e8, redact: (text) => text })
    })
})

/** Everything on the front-end that is not there from the beginning, as "group acme", "VM acme_router_vm", "rule @100 VM/* USE". */
export const objectsOf = ({ world }: FrontEnd): ReadonlyArray<string> =>
  [
    ...[...world.groups].filter(({ id }) => id >= 100).map(({ name }) => `group ${name}`),
    ...[...world.vdcs].filter(({ id }) => id > 0).map(({ name }) => `VDC ${name}`),
    ...[...world.networks].filter(({ id }) => id > 0).map(({ name }) => `network ${name}`),
    ...[...world.routers].map(({ name }) => `router ${name}`),
    ...[...world.securityGroups].filter(({ id }) => id > 0).map(({ name }) => `security group ${name}`),
    ...[...world.users].filter(({ id }) => id > 1).map(({ name }) => `user ${name}`),
    ...[...world.vms].filter(({ state }) => state !== 6).map(({ name }) => `VM ${name}`),
    ...[...world.acl].filter(({ id }) => id > 5).map(({ id }) => `rule ${id}`),
    ...[...world.vdcs].flatMap(({ id, groups }) =>
      [...groups].filter((group) => group >= 100).map((group) => `group ${group} in VDC ${id}`)
    )
  ].toSorted()

const resourceId = (n: number): ResourceId => ResourceId.make(n.toString(16).padStart(32, "a"))
const base = (n: number, backendId = "") => ({
  order: OrderId.make(n.toString(16).padStart(32, "b")),
  pluginOptions: {},
  resource: {
    id: resourceId(n),
    name: `vdc-${n}`,
    slug: `vdc-${n}`,
    offering: OfferingId.make("c".repeat(32)),
    project: ProjectId.make("d".repeat(32)),
    projectName: "Project",
    backendId,
    backendMetadata: {}
  }
})

export const createOrder = (n: number): CreateRequest<VdcAttributes> => ({
  _tag: "Create",
  ...base(n),
  attributes: {},
  amounts
})
export const updateOrder = (n: number, backendId: string, changed: Amounts): UpdateRequest => ({
  _tag: "Update",
  ...base(n, backendId),
  attributes: {},
  amounts: changed,
  change: "limits"
})
export const terminateOrder = (n: number, backendId: string): TerminateRequest => ({
  _tag: "Terminate",
  ...base(n, backendId),
  attributes: {}
})

const noMarketplace = Layer.succeed(Marketplace, {
  sshKey: () => Effect.succeed(undefined),
  projectResources: () => Effect.succeed([]),
  withheld: () => Effect.succeed(undefined)
})

/** A front-end and one offering on it. Every order is carried out with a journal, so that it can be taken up again. */
export const makeBench = (settings: VdcSettings = settingsOf()) =>
  Effect.gen(function* () {
    const frontEnd = yield* makeFrontEnd({ times: milliseconds })
    const services = yield* Layer.build(Layer.merge(memoryReservations, noMarketplace))
    const plain = clientOf(frontEnd)

    const cloudWith = (trouble: Trouble | undefined, crashed: Deferred.Deferred<void>, chosen: VdcSettings) =>
      Effect.gen(function* () {
        let changes = 0
        const client: OpenNebulaClient = {
          endpoint: plain.endpoint,
          call: (method, params, answer) => {
            const turn = isChange(method) ? ++changes : 0
            const carried = plain.call(method, params, answer)
            if (turn === 0 || turn !== trouble?.at) return carried
            const call = { method, endpoint: plain.endpoint }
            const lost = Effect.fail(new Unreachable({ ...call, reason: "broken off", outcome: "unknown" }))
            const crash = Effect.zipRight(Deferred.succeed(crashed, undefined), Effect.never)
            switch (trouble.mishap) {
              case "refused":
                return Effect.fail(new InternalRefusal({ ...call, serverMessage: "made to fail" }))
              case "lost":
                return lost
              case "lost after":
                return Effect.zipRight(carried, lost)
              case "crash":
                return crash
              case "crash after":
                return Effect.zipRight(carried, crash)
            }
          }
        }
        const one = makeOpenNebula(client)
        const watcher = yield* makeVmWatcher(makeOpenNebula(plain))
        const cloud: Cloud = {
          one,
          settings: chosen,
          components,

          watch: watcher.watch
        }
        return { cloud, changes: () => changes }
      })

    /** One attempt: until the order is done or refused, breaks off with an error, or the process "crashes". */
    const attempt = (
      journal: MemoryJournal,
      handler: (cloud: Cloud) => Effect.Effect<Outcome, SiteError, HandlerServices>,
      options: { readonly trouble?: Trouble; readonly settings?: VdcSettings } = {}
    ): Effect.Effect<Attempted> =>
      Effect.gen(function* () {
        const crashed = yield* Deferred.make<void>()
        const { cloud, changes } = yield* cloudWith(options.trouble, crashed, options.settings ?? settings)
        const running = yield* Effect.fork(
          carryOut(journal, handler(cloud)).pipe(Effect.either, Effect.provide(services))
        )
        const end = yield* Effect.raceFirst(
          Effect.asSome(Fiber.join(running)),
          Effect.as(Deferred.await(crashed), Option.none())
        )
        yield* Fiber.interrupt(running)
        return { end, changes: changes() }
      }).pipe(Effect.scoped)

    return {
      frontEnd,
      /** Completes when the front-end has ended everything that takes it time, such as a boot. */
      idle: Effect.repeat(Effect.delay(Effect.sync(frontEnd.pendingWork), "2 millis"), {
        until: (pending) => pending === 0
      }),
      one: makeOpenNebula(plain),
      services,
      cloud: Effect.flatMap(Deferred.make<void>(), (crashed) => cloudWith(undefined, crashed, settings)),
      attempt,
      journal: makeMemoryJournal(),
      journalFor: (n: number) => makeMemoryJournal({ resource: resourceId(n) }),
      create: (request: CreateRequest<VdcAttributes>) => (cloud: Cloud) => create(cloud)(request),
      update: (request: UpdateRequest) => (cloud: Cloud) => update(cloud)(request),
      terminate: (request: TerminateRequest) => (cloud: Cloud) => terminate(cloud)(request)
    }
  })

export interface Attempted {
  /** None: the process crashed. Left: to be tried again. */
  readonly end: Option.Option<Either.Either<CarriedOut<Outcome>, SiteError>>
  /** How many changing calls were made. */
  readonly changes: number
}

/** The outcome of an order that is done; anything else is a failed test. */
export const doneOf = ({ end }: Attempted): Outcome => {
  const result = Option.getOrUndefined(end)
  if (result !== undefined && Either.isRight(result) && result.right._tag === "Done") return result.right.value
  throw new Error(`The order is not done: ${JSON.stringify(result)}`)
}

/** The sentence that a customer gets, and what could not be removed. */
export const refusedOf = ({
  end
}: Attempted): { readonly sentence: string; readonly leftovers: ReadonlyArray<unknown> } => {
  const result = Option.getOrUndefined(end)
  if (result !== undefined && Either.isRight(result) && result.right._tag === "Refused") {
    return { sentence: result.right.refusal.customerMessage, leftovers: result.right.leftovers }
  }
  throw new Error(`The order was not refused: ${JSON.stringify(result)}`)
}

/** The password that `issueSecrets` makes. */
export const passwordOf = (outcome: Outcome): Effect.Effect<string, SiteError> =>
  Effect.map(outcome.issueSecrets ?? Effect.succeed<Secrets>({}), ({ opennebula_password }) =>
    opennebula_password === undefined ? "" : Redacted.value(opennebula_password)
  )
type Secrets = Readonly<Record<string, Redacted.Redacted>>

export type Bench = Effect.Effect.Success<ReturnType<typeof makeBench>>

/** The first order's data centre, whose group is 100. */
export const made = (bench: Bench) =>
  Effect.gen(function* () {
    doneOf(yield* bench.attempt(yield* bench.journal, bench.create(createOrder(1))))
  })
export const terminated = (bench: Bench, backendId: string) =>
  Effect.gen(function* () {
    return yield* bench.attempt(yield* bench.journal, bench.terminate(terminateOrder(1, backendId)))
  })
export const quotasOf = ({ one }: Bench) => Effect.map(one.group.info(100), ({ quotas }) => quotas)

/** Settings by which a create makes all calls that it may make. */
export const withEveryCall = settingsOf({ default_security_group: false, tenant_external_network: true })

/** What `withEveryCall` makes: as `objectsOf` has it, but for rules. */
export const everything = [
  "VDC vdc-1",
  "VM vdc-1_router_vm",
  "group 100 in VDC 100",
  "group vdc-1",
  "network vdc-1_internal",
  "router vdc-1_router",
  "security group vdc-1_default",
  "user vdc-1_admin"
]
export const withoutRules = (objects: ReadonlyArray<string>) => objects.filter((object) => !object.startsWith("rule"))

/**
 * The whole agent between two simulators on real HTTP, as it runs in production: a configuration file, a data directory that outlives
 * the agent, and a customer who places orders. What is waited for is told by the simulators; nothing sleeps and hopes.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Path from "@effect/platform/Path"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { expect, it } from "@effect/vitest"
import {
  Array,
  Console,
  type Context,
  Deferred,
  Effect,
  Exit,
  Fiber,
  Layer,
  Logger,
  LogLevel,
  Option,
  PubSub,
  Queue,
  Record,
  Redacted,
  Schedule,
  type Scope
} from "effect"
import { stringify } from "yaml"
import type { Plugin } from "../../src/core/index.js"
import { Activities, type Activity } from "../../src/runtime/activity.js"
import { Quarantine } from "../../src/runtime/actors/quarantine.js"
import * as Agent from "../../src/runtime/agent.js"
import { loadConfig } from "../../src/runtime/config/index.js"
import { makeCustomer, type Wish } from "../../src/runtime/demo/customer.js"
import { added, takeInventory } from "../../src/runtime/demo/inventory.js"
import { Journal } from "../../src/runtime/journal/journal.js"
import { plugins as ownPlugins } from "../../src/runtime/plugins.js"
import { logLines, sentry } from "../../src/runtime/telemetry/index.js"
import * as OpenNebula from "../../src/simulator/opennebula/index.js"
import * as Waldur from "../../src/simulator/waldur/index.js"

type Json = Readonly<Record<string, unknown>>
type Platform = FileSystem.FileSystem | Path.Path | HttpClient.HttpClient | Scope.Scope

/** A test on real time, with files and HTTP, whose servers and agents stop with it. */
export const scenario = (name: string, test: () => Effect.Effect<void, unknown, Platform>): void => {
  const platform = Layer.merge(NodeContext.layer, NodeHttpClient.layerUndici)
  // Seconds on a quiet machine; what hangs is found all the same.
  it.scopedLive(name, () => test().pipe(Effect.provide(platform)), 300_000)
}

export interface SiteOptions {
  readonly marketplace?: Waldur.MarketplaceOptions
  readonly cloud?: Omit<OpenNebula.FrontEndOptions, "interceptor">
  readonly world?: Waldur.DemoWorldOptions
  /** Put over the offerings' `backend_settings`. */
  readonly vdcSettings?: Json
  readonly vmSettings?: Json
  /** Put over the offerings themselves. */
  readonly vdcOffering?: Json
  readonly vmOffering?: Json
  /** Further offerings; Waldur's address and token are put under them. */
  readonly offerings?: (about: {
    readonly marketplace: Waldur.Marketplace
    readonly world: Waldur.DemoWorld
    readonly backend: Json
  }) => ReadonlyArray<Json>
  /** Put over the keys at the root of the file. */
  readonly root?: Json
  /** The journal is there, in place of a file: `postgres://...` */
  readonly database?: Redacted.Redacted
  /** Makes spans, for the tracer that is given to `start`; otherwise there are none, as in an agent that exports none. */
  readonly traced?: boolean
  readonly plugins?: ReadonlyArray<Plugin>
  /** ms */
  readonly parkAfter?: number
  /** What there is in OpenNebula before the agent comes. */
  readonly prepare?: (cloud: OpenNebula.FrontEnd) => Effect.Effect<unknown>
}

export const vdcLimits = { cpu: 4, ram: 4096, storage: 20480, floating_ip: 2 }
export const doubled = { cpu: 8, ram: 8192, storage: 40960, floating_ip: 4 }
export const sshKey =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKTfNFzxoTrFzIb1G2t9bkFyHZ0F0xUo3cfVTHv1QS demo@example.org"

type Running = Layer.Layer.Success<ReturnType<typeof Agent.layer>>

export interface RunningAgent {
  readonly services: Context.Context<Running>
  /** As SIGTERM does it. Completes when everything of the agent has ended. */
  readonly stop: Effect.Effect<void>
}

/** The configuration of any offering on this front-end; what is here may be overridden. */
const backendOf = (cloud: OpenNebula.Served): Json => ({
  api_url: cloud.url,
  credentials: cloud.frontEnd.session,
  cluster_ids: [0]
})

/** Of the log, shown when a test fails: much fails only where nobody can look any more. */
const lastLines = 80

/** What happened so far, in order, and whoever waits for more. */
const makeRecord = <A>() => {
  const all: Array<A> = []
  const watchers = new Set<() => void>()
  return {
    all,
    add: (item: A) => {
      all.push(item)
      for (const watcher of watchers) watcher()
    },
    until: (isIt: (item: A) => boolean, count = 1): Effect.Effect<void> =>
      Effect.async((resume) => {
        const look = () => {
          if (all.filter(isIt).length < count) return
          watchers.delete(look)
          resume(Effect.void)
        }
        watchers.add(look)
        look()
        return Effect.sync(() => watchers.delete(look))
      })
  }
}

export const makeSite = (options: SiteOptions = {}) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    // In memory where the system has such a place: every journal entry waits for the disk, and here the agent is tried, not the disk.
    const memory = "/dev/shm"
    const directory = yield* fs.makeTempDirectoryScoped({
      prefix: "site-actors-test-",
      ...((yield* fs.exists(memory)) ? { directory: memory } : {})
    })
    const file = (yield* Path.Path).join(directory, "config.yaml")
    const dataDir = (yield* Path.Path).join(directory, "data")
    const cloud = yield* OpenNebula.serve({ port: 0, bootTime: 30, ...options.cloud })
    const served = yield* Waldur.serve({ seed: 1, ...options.marketplace })
    const { marketplace } = served
    const world = yield* Waldur.demoWorld(marketplace, options.world)
    const waldurUrl = `${served.url}/api/`
    const common = {
      waldur_api_url: waldurUrl,
      waldur_api_token: world.agentToken,
      backend_type: "opennebula",
      order_processing_backend: "opennebula"
    }
    const backend = backendOf(cloud)
    const further =
      options.offerings?.({ marketplace, world, backend }).map((offering) => ({ ...common, ...offering })) ?? []
    const configuration = {
      // Short, but several sites share two cores, and each look costs both sides some ms.
      poll_interval: 0.25,
      http: { port: false },
      // Some seconds after the start it would call Waldur beside what a test is about; those about it switch it on.
      agent_identity: false,
      ...(options.database === undefined ? {} : { database: Redacted.value(options.database) }),
      ...options.root,
      offerings: [
        {
          ...common,
          name: "VDC",
          waldur_offering_uuid: world.vdcOffering.uuid,
          backend_settings: {
            ...backend,
            resource_type: "vdc",
            external_network_id: 0,
            virtual_router_template_id: 1,
            create_opennebula_user: true,
            security_group_defaults: [{ direction: "inbound", protocol: "TCP", range: "22" }],
            ...options.vdcSettings
          },
          ...options.vdcOffering
        },
        {
          ...common,
          name: "VM",
          waldur_offering_uuid: world.vmOffering.uuid,
          backend_settings: { ...backend, resource_type: "vm", template_id: 2, ...options.vmSettings },
          ...options.vmOffering
        },
        ...further
      ],
      ...options.root
    }
    yield* fs.writeFileString(file, stringify(configuration))
    const config = yield* loadConfig(file, [...(options.plugins ?? []), ...ownPlugins])

    yield* options.prepare?.(cloud.frontEnd) ?? Effect.void
    const atFirst = takeInventory(cloud.frontEnd)
    const logs = makeRecord<string>()
    const logger = Logger.make((record) => logs.add(Logger.logfmtLogger.log(record)))
    yield* Effect.addFinalizer((exit) =>
      Exit.isSuccess(exit)
        ? Effect.void
        : Console.error(`The last that the agent said:\n${logs.all.slice(-lastLines).join("\n")}`)
    )
    const heard = makeRecord<Activity>()
    const hear = (activity: Activity) => Effect.sync(() => heard.add(activity))

    /** The configuration with other offerings, for a further start; the file of the first stays as it is. */
    const changed = (change: (offerings: ReadonlyArray<Json>) => ReadonlyArray<Json>) => {
      const another = `${file}.changed.yaml`
      return Effect.zipRight(
        fs.writeFileString(another, stringify({ ...configuration, offerings: change(configuration.offerings) })),
        loadConfig(another, [...(options.plugins ?? []), ...ownPlugins])
      )
    }

    /** `owner`: its name in the leases. `place`: of a second agent that has a journal of its own. Completes when the agent is at work. */
    const start = (
      owner = "agent",
      using = config,
      place = Option.getOrElse(config.database, () => dataDir)
    ): Effect.Effect<RunningAgent, never, Platform> =>
      Effect.gen(function* () {
        const ready = yield* Deferred.make<Context.Context<Running>>()
        const fiber = yield* Effect.gen(function* () {
          const events = yield* PubSub.subscribe(yield* Activities)
          yield* Effect.forkScoped(Effect.forever(Effect.flatMap(Queue.take(events), hear)))
          yield* Deferred.succeed(ready, yield* Effect.context<Running>())
          yield* Agent.run(using)
        }).pipe(
          Effect.scoped,
          Effect.provide(Agent.layer(place, owner, { parking: options.parkAfter })),
          Effect.provide(Layer.merge(logLines(config), sentry(config))),
          Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
          Effect.withTracerEnabled(options.traced === true),
          Logger.withMinimumLogLevel(LogLevel.Debug),
          Effect.orDie,
          Effect.tapErrorCause((cause) => Deferred.failCause(ready, cause)),
          Effect.forkScoped
        )
        return { services: yield* Deferred.await(ready), stop: Effect.asVoid(Fiber.interrupt(fiber)) }
      })

    const customer = yield* makeCustomer(served.url, Redacted.make(world.customerToken))
    /** Order uuid -> the order, live, once it has ended. */
    const ended = <E, R>(placing: Effect.Effect<string, E, R>) =>
      Effect.flatMap(placing, (uuid) => marketplace.awaitOrderEnd(uuid))

    const vdcWish = (name: string, more: Partial<Wish> = {}): Wish => ({
      offering: world.vdcOffering.uuid,
      project: world.project.uuid,
      plan: world.plans.vdc.uuid,
      limits: vdcLimits,
      ...more,
      attributes: { name, ...more.attributes }
    })
    const vmWish = (name: string, parent: string, more: Partial<Wish> = {}): Wish => ({
      offering: world.vmOffering.uuid,
      project: world.project.uuid,
      plan: world.plans.small.uuid,
      ...more,
      attributes: { name, parent_backend_id: parent, ssh_public_key: sshKey, ...more.attributes }
    })
    const { place } = customer
    const staff = yield* makeCustomer(served.url, Redacted.make(world.staffToken))
    const medium = world.plans.medium.uuid

    return {
      cloud: cloud.frontEnd,
      marketplace,
      /** Ends in `/api/`. */
      waldurUrl,
      world,
      customer,
      config,
      /** The configuration file. */
      file,
      dataDir,
      logged: logs.all,
      activities: heard.all,
      /** Completes when that many activities of the agent (all that there were, of all starts) fulfil the condition. */
      awaitActivity: heard.until,
      awaitLogged: logs.until,
      changed,
      start,
      ended,
      place: {
        vdc: (name: string, more?: Partial<Wish>) => place.create(vdcWish(name, more)),
        vm: (name: string, parent: string, more?: Partial<Wish>) => place.create(vmWish(name, parent, more)),
        wish: place.create,
        updateLimits: place.updateLimits,
        switchToMedium: (resource: string) => place.switchPlan(resource, world.vmOffering.uuid, medium),
        terminate: place.terminate,
        /** By staff: a customer may not. */
        restore: staff.place.restore
      },
      /** Places and waits for the end: gives the order, live. */
      order: {
        vdc: (name: string, more?: Partial<Wish>) => ended(place.create(vdcWish(name, more))),
        vm: (name: string, parent: string, more?: Partial<Wish>) => ended(place.create(vmWish(name, parent, more))),
        wish: (wish: Wish) => ended(place.create(wish)),
        updateLimits: (resource: string, limits: Readonly<Record<string, number>>) =>
          ended(place.updateLimits(resource, limits)),
        switchToMedium: (resource: string) => ended(place.switchPlan(resource, world.vmOffering.uuid, medium)),
        terminate: (resource: string) => ended(place.terminate(resource))
      },
      /** What stands in OpenNebula beyond what was there at first. */
      made: (): ReadonlyArray<string> => added(atFirst, takeInventory(cloud.frontEnd)),
      /** What was there at first and is not any more. */
      lost: (): ReadonlyArray<string> => added(takeInventory(cloud.frontEnd), atFirst)
    }
  })
export type Site = Effect.Effect.Success<ReturnType<typeof makeSite>>

/** For a call that never reaches its server. */
export const away = { _tag: "Drop", when: "before" } as const

/** How many of each kind: `{ group: 1, "acl rule": 4, lease: 3, ... }`. */
export const kinds = (objects: ReadonlyArray<string>): Readonly<Record<string, number>> =>
  Record.map(
    Array.groupBy(objects, (object) => object.split(/ \d/)[0] ?? ""),
    (all) => all.length
  )

/** Everything in the journal of this site, as text: to look for what must not be in it. */
export const journalText = ({ dataDir }: Site) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const files = yield* fs.readDirectory(dataDir)
    const contents = yield* Effect.forEach(files, (file) =>
      Effect.catchIf(
        fs.readFile(`${dataDir}/${file}`),
        // The database's helpers come and go with its connections.
        (error) => error._tag === "SystemError" && error.reason === "NotFound" && file !== "journal.db",
        () => Effect.succeed(new Uint8Array())
      )
    )
    return contents.map((bytes) => Buffer.from(bytes).toString("latin1")).join("\n")
  })

/** No order is open in the journal: the last entry of one is written when Waldur has been told. */
export const untilSettled = ({ services }: Pick<RunningAgent, "services">) =>
  Effect.flatMap(Journal, ({ openOrders }) => openOrders).pipe(
    Effect.repeat({ until: (open) => open.length === 0, schedule: Schedule.spaced("10 millis") }),
    Effect.timeoutFail({ duration: "2 minutes", onTimeout: () => new Error("orders stay open in the journal") }),
    Effect.provide(services)
  )

/**
 * The end of a test: nothing stands in OpenNebula but what was there at first, Waldur's resources are in these states ("name state"),
 * and the agent has no order open, nothing it could not remove, and nobody in quarantine.
 */
export const expectNothingLeft = (site: Site, { services }: RunningAgent, states: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    yield* site.marketplace.settled
    expect({ made: site.made(), lost: site.lost() }).toEqual({ made: [], lost: [] })
    // Sorted: of those that were ordered at once, any may have come first.
    expect(resourceStates(site).toSorted()).toEqual(states.toSorted())
    const journal = yield* Journal
    yield* untilSettled({ services })
    expect(yield* journal.leftovers).toEqual([])
    expect(yield* (yield* Quarantine).all).toEqual([])
  }).pipe(Effect.provide(services))

/** What one VDC with all its options consists of. */
export const vdcObjects = {
  group: 1,
  vdc: 1,
  network: 1,
  router: 1,
  "security group": 1,
  user: 1,
  vm: 1,
  "acl rule": 4,
  lease: 2
}

/** "name state" of every resource in Waldur. */
export const resourceStates = ({ marketplace }: Site): ReadonlyArray<string> =>
  [...marketplace.resources.values()].map(({ name, state }) => `${name} ${state}`)

/** Completes at the first call of OpenNebula, carried out, that fulfils the condition. */
export const afterCall = ({ cloud }: Site, isIt: (call: OpenNebula.CallRecord) => boolean): Effect.Effect<void> =>
  Effect.async((resume) => {
    const off = cloud.onCall((call) => {
      if (!isIt(call)) return
      off()
      resume(Effect.void)
    })
    return Effect.sync(off)
  })

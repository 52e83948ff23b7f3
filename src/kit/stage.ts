/** The stage of one run: a simulated Waldur that sells what the plugin makes, the real agent, and a customer. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import { Data, Deferred, Effect, Fiber, Logger, LogLevel, Redacted, Ref, Schedule } from "effect"
import { stringify } from "yaml"
import type { Plugin, ResourceId } from "../core/index.js"
import { Quarantine, type Quarantined } from "../runtime/actors/quarantine.js"
import * as Agent from "../runtime/agent.js"
import { loadConfig } from "../runtime/config/index.js"
import { openFile } from "../runtime/database/file/file.js"
import { fileOf } from "../runtime/database/place.js"
import { makeCustomer } from "../runtime/demo/customer.js"
import { Journal } from "../runtime/journal/journal.js"
import { sell } from "../runtime/order-test/seller.js"
import * as Waldur from "../simulator/waldur/index.js"
import type { BackendUnderTest, KitOrders } from "./model.js"

type Amounts = Readonly<Record<string, number>>

/** The simulated Waldur did not take the order. */
export class NotPlaced extends Data.TaggedError("NotPlaced")<{ readonly message: string }> {}
const placing = <E>(place: Effect.Effect<string, E>) =>
  Effect.mapError(place, (error) => new NotPlaced({ message: String(error) }))

/** A row of the journal's database, with the table that it is in. */
export interface JournalRow {
  readonly table: string
  readonly values: Readonly<Record<string, unknown>>
}

export interface Stage {
  readonly start: Effect.Effect<void>
  /** As when the process is killed at its strikes: nothing more is written, and a new agent finds what is there. */
  readonly restart: Effect.Effect<void>
  readonly stop: Effect.Effect<void>
  /** Place an order, and give its uuid. `name`: the resource's. */
  readonly create: (name: string) => Effect.Effect<string, NotPlaced>
  readonly update: (name: string) => Effect.Effect<string, NotPlaced>
  readonly terminate: (name: string) => Effect.Effect<string, NotPlaced>
  /** The order, once it has ended; `undefined` if that takes too long, or will not be as the plugin has a bug (`stuck`). */
  readonly ended: (order: string) => Effect.Effect<Waldur.Order | undefined>
  /** The bug that keeps the order from its end, if there is one. */
  readonly stuck: (order: string) => Effect.Effect<string | undefined>
  readonly resource: (name: string) => Waldur.Resource | undefined
  /** Everything that the agents have said, at debug level. */
  readonly logged: ReadonlyArray<string>
  /** The files of the journal, as text. */
  readonly journalText: Effect.Effect<string, Error>
  /** What stands in its tables now. */
  readonly journalRows: Effect.Effect<ReadonlyArray<JournalRow>>
  /** Until the agent is at work on no order, but for those that a bug of the plugin's keeps from their end. At most as long as an order may take. */
  readonly atRest: Effect.Effect<void>
  /** What the agent itself says that it holds: open orders, leftovers, quarantined resources. */
  readonly held: Effect.Effect<ReadonlyArray<string>>
}

export interface StageOptions {
  readonly plugin: Plugin
  readonly backend: BackendUnderTest
  readonly orders: KitOrders
  readonly patience: number
  readonly bury: Effect.Effect<void>
}

export const makeStage = ({ backend, bury, orders, patience, plugin }: StageOptions) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const platform = yield* Effect.context<FileSystem.FileSystem | Path.Path>()
    const served = yield* Waldur.serve({})
    const { marketplace } = served
    const accounting = (type: string) =>
      orders.components.find((component) => component.type === type)?.accountingType ?? "limit"
    const only = (amounts: Amounts, fixed: boolean): Amounts =>
      Object.fromEntries(Object.entries(amounts).filter(([type]) => (accounting(type) === "fixed") === fixed))
    const changed = { ...orders.create.amounts, ...orders.update?.amounts }
    const { agent, owner, project, sold } = sell(marketplace, {
      name: "Under test",
      components: orders.components.map((component) => ({ accountingType: "limit", ...component })),
      plans: [
        { name: "Ordered", quotas: only(orders.create.amounts, true) },
        { name: "Changed", quotas: only(changed, true) }
      ]
    })
    const [ordered, other] = sold.plans
    const byPlan = Object.keys(orders.update?.amounts ?? {}).some((type) => accounting(type) === "fixed")
    const customer = yield* makeCustomer(served.url, Redacted.make(owner.token))

    // In memory where the system has such a place: the disk is not what is tried here.
    const memory = "/dev/shm"
    const directory = yield* fs.makeTempDirectoryScoped({
      prefix: "site-actors-kit-",
      ...((yield* fs.exists(memory)) ? { directory: memory } : {})
    })
    const dataDir = path.join(directory, "data")
    const file = path.join(directory, "config.yaml")
    const offering = {
      name: sold.name,
      waldur_api_url: `${served.url}/api/`,
      waldur_api_token: agent.token,
      waldur_offering_uuid: sold.uuid,
      backend_type: plugin.type,
      order_processing_backend: plugin.type,
      backend_settings: backend.settings
    }
    const root = { poll_interval: 0.1, http: { port: false }, agent_identity: false, offerings: [offering] }
    yield* fs.writeFileString(file, stringify(root))
    const config = yield* loadConfig(file, [plugin])

    const logged: Array<string> = []
    const logger = Logger.make((record) => {
      logged.push(Logger.logfmtLogger.log(record))
    })
    interface Said {
      readonly isAtRest: Effect.Effect<boolean>
      readonly held: Effect.Effect<ReadonlyArray<string>>
      readonly quarantined: Effect.Effect<ReadonlyArray<Quarantined>>
    }
    type Running = Journal | Quarantine
    const running = yield* Ref.make<Said & { readonly stop: Effect.Effect<void> }>({
      stop: Effect.void,
      isAtRest: Effect.succeed(true),
      held: Effect.succeed([]),
      quarantined: Effect.succeed([])
    })
    let starts = 0
    const held = Effect.gen(function* () {
      const journal = yield* Journal
      const quarantine = yield* Quarantine
      const name = (id: ResourceId) => marketplace.resources.get(id)?.name ?? id
      return [
        ...(yield* journal.openOrders).map(({ resource }) => `an order of ${name(resource)} is open in the journal`),
        ...(yield* journal.leftovers).map(
          (left) => `${left.step} of ${name(left.resource)} could not be undone: ${left.reason}`
        ),
        ...(yield* quarantine.all).map(({ reason, resource }) => `${name(resource)} is quarantined: ${reason}`)
      ]
    })
    const isAtRest = Effect.gen(function* () {
      const quarantine = yield* Quarantine
      const open = yield* (yield* Journal).openOrders
      return yield* Effect.every(open, ({ resource }) => quarantine.holds(resource))
    })
    const start = Effect.gen(function* () {
      const ready = yield* Deferred.make<Said>()
      starts += 1
      const fiber = yield* Effect.gen(function* () {
        const context = yield* Effect.context<Running>()
        yield* Deferred.succeed(ready, {
          isAtRest: Effect.orDie(Effect.provide(isAtRest, context)),
          held: Effect.orDie(Effect.provide(held, context)),
          quarantined: (yield* Quarantine).all
        })
        yield* Agent.run(config)
      }).pipe(
        Effect.provide(Agent.layer(dataDir, `kit-${starts}`)),
        Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
        Effect.withTracerEnabled(false),
        Logger.withMinimumLogLevel(LogLevel.Debug),
        Effect.provide(platform),
        Effect.orDie,
        Effect.tapErrorCause((cause) => Deferred.failCause(ready, cause)),
        Effect.forkDaemon
      )
      yield* Ref.set(running, {
        stop: Effect.asVoid(Fiber.interrupt(fiber)),
        ...(yield* Effect.orDie(Deferred.await(ready)))
      })
    })
    /** Its sources stop first; then what waits where it died lets go, so that nobody has to wait for it. */
    const stopped = (release: Effect.Effect<void>) =>
      Effect.gen(function* () {
        const now = yield* Ref.get(running)
        const stopping = yield* Effect.fork(now.stop)
        yield* Effect.sleep("20 millis")
        yield* release
        yield* Fiber.join(stopping)
      })
    const stop = stopped(bury)
    yield* Effect.addFinalizer(() => stop)

    const resource = (name: string) => [...marketplace.resources.values()].find((one) => one.name === name)
    const uuidOf = (name: string) => resource(name)?.uuid ?? name
    const stuck = (order: string) =>
      Effect.map(
        Effect.flatMap(Ref.get(running), ({ quarantined }) => quarantined),
        (all) => all.find((one) => one.order === order)?.reason.split("\n")[0]
      )
    const stage: Stage = {
      start: start,
      restart: Effect.zipRight(stopped(bury), start),
      stop,
      create: (name) =>
        placing(
          customer.place.create({
            offering: sold.uuid,
            project: project.uuid,
            plan: ordered?.uuid ?? "",
            attributes: { ...orders.create.attributes, name },
            limits: only(orders.create.amounts, false)
          })
        ),
      update: (name) =>
        placing(
          byPlan
            ? customer.place.switchPlan(uuidOf(name), sold.uuid, other?.uuid ?? "")
            : customer.place.updateLimits(uuidOf(name), only(changed, false))
        ),
      terminate: (name) => placing(customer.place.terminate(uuidOf(name))),
      ended: (order) =>
        marketplace
          .awaitOrderEnd(order)
          .pipe(
            Effect.raceFirst(
              stuck(order).pipe(
                Effect.delay("200 millis"),
                Effect.repeat({ until: (reason) => reason !== undefined }),
                Effect.as(undefined)
              )
            ),
            Effect.timeoutTo({ duration: `${patience} seconds`, onTimeout: () => undefined, onSuccess: (end) => end })
          ),
      stuck,
      resource,
      logged,
      journalText: Effect.gen(function* () {
        const files = yield* fs.readDirectory(dataDir)
        const contents = yield* Effect.forEach(files, (name) =>
          // The database's helpers come and go with its connections.
          Effect.orElseSucceed(fs.readFile(path.join(dataDir, name)), () => new Uint8Array())
        )
        return contents.map((bytes) => Buffer.from(bytes).toString("latin1")).join("\n")
      }),
      journalRows: Effect.acquireUseRelease(
        Effect.sync(() => openFile(fileOf(dataDir))),
        ({ run }) =>
          Effect.sync(() =>
            run("SELECT name FROM sqlite_schema WHERE type = 'table'", []).flatMap(({ name }) =>
              run(`SELECT * FROM "${String(name)}"`, []).map((values) => ({ table: String(name), values }))
            )
          ),
        ({ close }) => Effect.sync(close)
      ),
      atRest: Effect.flatMap(Ref.get(running), (now) => now.isAtRest).pipe(
        Effect.repeat({ until: (rests) => rests, schedule: Schedule.spaced("20 millis") }),
        Effect.timeoutOption(`${patience} seconds`),
        Effect.asVoid
      ),
      held: Effect.flatMap(Ref.get(running), (now) => now.held)
    }
    return stage
  })

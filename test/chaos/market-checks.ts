/** What must hold when the agent tells the marketplace that an order has ended. */
import type { ApiRequest, Marketplace } from "../../src/simulator/waldur/index.js"
import type { Bench } from "./bench.js"
import type { CloudChecks } from "./cloud-checks.js"
import { differences } from "./expected.js"
import type { Placed, Thing } from "./ledger.js"
import type { World } from "./objects.js"
import type { Text } from "./wire.js"

const endOf = /^\/api\/marketplace-orders\/([0-9a-f]{32})\/set_state_(done|erred)\/$/

export class MarketChecks {
  private stateBefore: string | undefined

  constructor(
    private readonly bench: Bench,
    private readonly marketplace: Marketplace,
    private readonly world: World,
    private readonly cloud: CloudChecks
  ) {}

  before(_order: string, request: ApiRequest): void {
    const [, order] = endOf.exec(request.path) ?? []
    this.stateBefore = order === undefined ? undefined : this.marketplace.orders.get(order)?.state
  }

  after(request: ApiRequest, answer: Text): void {
    const [, order = "", how] = endOf.exec(request.path) ?? []
    if (how === undefined || answer.status !== 200 || this.stateBefore !== "executing") return
    if (how === "done") this.checkDone(order)
    else this.checkErred(order)
  }

  private checkDone(order: string): void {
    const bench = this.bench
    const placed = bench.ledger.placed.get(order)
    const thing = placed === undefined ? undefined : bench.ledger.things.get(placed.resource)
    if (placed === undefined || thing === undefined) return
    bench.story.tell("order", order.slice(26), `DONE ${placed.type} of ${thing.name}`)
    bench.expect(
      placed.bad === undefined,
      "an order that cannot be carried out is not done",
      () => `${order}: ${placed.bad}`
    )
    if (placed.type === "Terminate") {
      thing.amounts = undefined
      thing.wounded = false
    } else thing.amounts = placed.amounts
    if (thing.wounded) return
    const wrong = differences(bench, this.world, this.cloud, thing)
    bench.expect(
      wrong.length === 0,
      "done only if the backend really is so",
      () => `order ${order}: ${wrong.join("; ")}`
    )
    if (placed.type === "Create") {
      const resource = this.marketplace.resources.get(placed.resource)
      bench.expect(
        resource?.backendId !== "" || this.marketplace.world.behaviour.race > 0,
        "the backend id is known when an order is done",
        () => `order ${order}`
      )
    }
  }

  private checkErred(order: string): void {
    const bench = this.bench
    const placed = bench.ledger.placed.get(order)
    const thing = placed === undefined ? undefined : bench.ledger.things.get(placed.resource)
    if (placed === undefined || thing === undefined) return
    const message = this.marketplace.orders.get(order)?.errorMessage ?? ""
    bench.story.tell("order", order.slice(26), `ERRED ${placed.type} of ${thing.name}: ${message}`)
    bench.expect(message !== "", "an erred order says why", () => order)
    bench.expect(
      bench.ledger.excusesOf(placed.resource).length > 0,
      "erred only for a fault of its own",
      () => `order ${order} (${placed.type} of ${thing.name}): ${message}`
    )
    if (placed.type === "Terminate" && this.hasTouched(order)) thing.wounded = true
    if (placed.type === "Update" && placed.amounts.vm_disk !== undefined) thing.mayHaveDisk.push(placed.amounts.vm_disk)
    this.checkTraces(placed, thing)
  }

  /** Has a terminate begun to take its resource apart, or was it refused at the first look? */
  private hasTouched(order: string): boolean {
    return this.bench.mirror.begunSteps(order).some((step) => !step.startsWith("waldur: ") && step !== "belongings")
  }

  /** What Waldur shows of a resource that is not there. */
  private toldOf(resource: string): ReadonlyArray<string> {
    const shown = this.marketplace.resources.get(resource)
    if (shown === undefined) return []
    return [
      ...(shown.backendId === "" ? [] : [`Waldur has backend id ${shown.backendId}`]),
      ...Object.keys(shown.backendMetadata).map((key) => `Waldur has ${key}`)
    ]
  }

  /** Once an order has erred, all is as it was before, but for what is on the list of leftovers. */
  private checkTraces(placed: Placed, thing: Thing): void {
    const bench = this.bench
    const isLeft = [...bench.leftoverOrders()].some(
      (order) => bench.ledger.placed.get(order)?.resource === thing.resource
    )
    if (isLeft || thing.wounded) return
    const traces =
      placed.type === "Create"
        ? [
            ...this.cloud.madeBy(placed.order).map(({ kind, id, name }) => `${kind} ${id} "${name}"`),
            ...this.toldOf(placed.resource)
          ]
        : differences(bench, this.world, this.cloud, thing)
    bench.expect(
      traces.length === 0,
      "an order that erred leaves no trace",
      () => `order ${placed.order} (${placed.type} of ${thing.name}): ${traces.join("; ")}`
    )
  }
}

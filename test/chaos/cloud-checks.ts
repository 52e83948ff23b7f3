/** What must hold at every call to the cloud, looked at just before and just after each: the continuous invariants. */
import type { CallRecord, CallSeen, FrontEnd } from "../../src/simulator/opennebula/index.js"
import type { Bench } from "./bench.js"
import { type Found, isLook, keyOf, objectsOf, ruleHolder, targetsOf } from "./objects.js"

export interface Caller {
  readonly process: string
  readonly order: string
  readonly resource: string
  /** A step was open when it was sent: of a late call, that may be over. */
  readonly explained: boolean
}

export class CloudChecks {
  /** Whose call is being carried out; none: somebody else's than the agent's. */
  caller: Caller | undefined
  /** Objects that the agent has made. */
  private readonly own = new Set<string>()
  private readonly others = new Set<string>()
  /** Whose tag an object has, once it has one. */
  private readonly tagged = new Map<string, string>()
  /** The order in whose name an object of the agent was made. */
  private readonly madeFor = new Map<string, string>()
  /** Just before a call of the agent is carried out: what the world does about it. */
  onArrival: (call: CallSeen) => void = () => undefined

  constructor(
    private readonly bench: Bench,
    private readonly frontEnd: FrontEnd
  ) {
    for (const found of objectsOf(frontEnd.world)) this.others.add(keyOf(found))
    frontEnd.intercept((call) => {
      if (this.caller !== undefined && !isLook(call.method)) {
        this.before(call, this.caller)
        this.onArrival(call)
      }
      return undefined
    })
    frontEnd.onCall((call) => {
      if (!isLook(call.method)) this.after(call)
    })
  }

  isOwn(found: Pick<Found, "kind" | "id">): boolean {
    return this.own.has(keyOf(found))
  }

  /** What is there now of all that an order made. */
  madeBy(order: string): ReadonlyArray<Found> {
    return objectsOf(this.frontEnd.world).filter((found) => this.madeFor.get(keyOf(found)) === order)
  }

  private before(call: CallSeen, caller: Caller): void {
    const { bench } = this
    const what = `${call.method}(${call.params.join(", ").slice(0, 60)}) of order ${caller.order}`
    for (const target of targetsOf(call.method, call.params)) {
      if (target.startsWith("rule ")) this.checkRule(Number(target.slice(5)), what)
      else {
        bench.expect(!this.others.has(target), "nothing of other people is changed", () => `${what}: ${target}`)
        const owner = this.tagged.get(target)
        bench.expect(
          owner === undefined || caller.resource === "" || owner === caller.resource || !this.own.has(target),
          "nothing of another resource is changed",
          () => `${what}: ${target} belongs to ${owner}, not to ${caller.resource}`
        )
      }
    }
    bench.expect(
      caller.order !== "" && (caller.explained || bench.mirror.openSteps(caller.order).length > 0),
      "the journal explains every call",
      () => `${what}: no step is open`
    )
  }

  /** A rule has no tag: whose it is says whom it is about. */
  private checkRule(id: number, what: string): void {
    const rule = this.frontEnd.world.acl.find(id)
    if (rule === undefined) return
    const holder = ruleHolder(rule.user)
    this.bench.expect(this.own.has(holder), "nothing of other people is changed", () => `${what}: rule of ${holder}`)
  }

  private after(call: CallRecord): void {
    const found = objectsOf(this.frontEnd.world)
    const maker = this.caller === undefined ? this.others : this.own
    for (const object of found) {
      const key = keyOf(object)
      if (!this.own.has(key) && !this.others.has(key)) {
        maker.add(key)
        if (this.caller !== undefined) this.madeFor.set(key, this.caller.order)
      }
      if (object.resource !== undefined) this.tagged.set(key, object.resource)
    }
    if (this.caller === undefined) return
    this.checkDoubles(found, call)
    if (call.method === "one.vn.allocate") this.checkSubnets()
  }

  private checkDoubles(found: ReadonlyArray<Found>, call: CallRecord): void {
    const seen = new Map<string, Found>()
    for (const object of found) {
      if (object.resource === undefined || !this.own.has(keyOf(object))) continue
      const key = `${object.kind} of ${object.resource}`
      const earlier = seen.get(key)
      this.bench.expect(
        earlier === undefined,
        "never two objects for one resource and kind",
        () => `${call.method}: ${key}: ${earlier?.id} and ${object.id}`
      )
      seen.set(key, object)
    }
  }

  private checkSubnets(): void {
    const ranges = [...this.frontEnd.world.networks].flatMap((network) =>
      network.ranges.map(({ firstIp, size }) => ({
        network: network.id,
        first: firstIp ?? 0,
        last: (firstIp ?? 0) + size - 1
      }))
    )
    const newest = ranges.at(-1)
    if (newest === undefined || !this.isOwn({ kind: "network", id: newest.network })) return
    const other = ranges.find(
      (range) => range.network !== newest.network && range.first <= newest.last && range.last >= newest.first
    )
    this.bench.expect(
      other === undefined,
      "no subnet twice",
      () => `networks ${newest.network} and ${other?.network} overlap`
    )
  }
}

/** What customers order: VDCs and VMs of all kinds, made, changed and ended, some of it impossible. */
import type { Bench, Servers } from "./bench.js"
import type { Chance } from "./chance.js"
import type { Market } from "./configuration.js"
import { openStates, type Placed, type Thing } from "./ledger.js"
import { ask } from "./market-wire.js"
import { objectsOf } from "./objects.js"

export type OnPlaced = (placed: Placed, slug: string) => void

const badVdcs = [
  ["no CPU at all", { limits: { cpu: 0 } }],
  ["a subnet of IPv6", { attributes: { subnet_cidr: "fd00::/64" } }],
  ["a subnet outside the pool", { attributes: { subnet_cidr: "192.168.0.0/24" } }],
  ["a subnet that is too small", { attributes: { subnet_cidr: "10.9.9.0/31" } }]
] as const
const badVms = [
  ["a template that is not offered", { template_id: 1 }],
  ["a parent that is not there", { parent_backend_id: "99999" }],
  ["a parent of other people", { parent_backend_id: "1" }],
  ["a key that is none", { ssh_public_key: "ssh-ed25519 nonsense" }],
  ["a key that is not there", { ssh_public_key: "0".repeat(32) }]
] as const

export class Customers {
  private readonly chance: Chance
  private readonly mostVdcs: number
  private readonly mostVms: number
  private readonly mostOrders: number
  private named = 0

  constructor(
    private readonly bench: Bench,
    private readonly servers: Servers,
    private readonly market: Market,
    private readonly onPlaced: OnPlaced
  ) {
    this.chance = bench.chance.fork("customers")
    this.mostVdcs = 1 + this.chance.below(3)
    this.mostVms = this.chance.below(5)
    this.mostOrders = 4 + this.chance.below(14)
  }

  /** One of them does something. */
  act(): void {
    if (this.bench.ledger.placed.size >= this.mostOrders) return
    const vdcs = this.things("vdc")
    const vms = this.things("vm")
    const { chance } = this
    const wishes: Array<() => void> = []
    if (vdcs.length < this.mostVdcs)
      wishes.push(
        () => this.createVdc(),
        () => this.createVdc()
      )
    const parent = chance.pick(vdcs.filter((thing) => this.stateOf(thing) === "OK"))
    if (parent !== undefined) {
      if (vms.length < this.mostVms)
        wishes.push(
          () => this.createVm(parent),
          () => this.createVm(parent)
        )
      wishes.push(() => this.updateVdc(parent))
      if (chance.draw(0.3)) wishes.push(() => this.terminate(parent))
    }
    const vm = chance.pick(vms.filter((thing) => this.stateOf(thing) === "OK"))
    if (vm !== undefined)
      wishes.push(
        () => this.switchPlan(vm),
        () => this.switchPlan(vm),
        () => this.terminate(vm)
      )
    chance.pick(wishes)?.()
  }

  /** Ends whatever can be ended now; true if there is nothing left to end. */
  endAll(): boolean {
    const alive = [...this.bench.ledger.things.values()].filter((thing) => this.stateOf(thing) !== "Terminated")
    const vms = alive.filter(({ kind }) => kind === "vm")
    for (const thing of vms.length > 0 ? vms : alive) {
      if (["OK", "Erred"].includes(this.stateOf(thing) ?? "")) this.terminate(thing)
    }
    return alive.length === 0
  }

  stateOf(thing: Thing): string | undefined {
    return this.servers.marketplace.resources.get(thing.resource)?.state
  }

  private things(kind: Thing["kind"]): ReadonlyArray<Thing> {
    return [...this.bench.ledger.things.values()].filter((thing) => thing.kind === kind)
  }

  private post(path: string, body: unknown): { readonly status: number; readonly json: unknown } {
    const answer = ask(this.bench, this.servers.marketplace, {
      method: "POST",
      path: `/api/${path}`,
      query: new URLSearchParams(),
      headers: { authorization: `Token ${this.market.customerToken}`, "content-type": "application/json" },
      body: JSON.stringify(body),
      origin: "http://waldur.example"
    })
    return {
      status: answer.status,
      json: answer.status < 300 && answer.body !== "" ? JSON.parse(answer.body) : answer.body
    }
  }

  private place(
    wish: Omit<Placed, "order" | "resource">,
    name: string,
    parent: string | undefined,
    path: string,
    body: unknown
  ): void {
    const { status, json } = this.post(path, body)
    const id = field(json, "order_uuid") ?? field(json, "uuid")
    const order = id === undefined ? undefined : this.servers.marketplace.orders.get(id.replaceAll("-", ""))
    if (status >= 300 || order === undefined) {
      this.bench.story.tell(
        "order",
        "customer",
        `${wish.type} of ${name} not taken: ${status} ${String(json).slice(0, 120)}`
      )
      return
    }
    const placed = { ...wish, order: order.uuid, resource: order.resource.uuid }
    this.bench.ledger.add(placed, { name, ...(parent === undefined ? {} : { parent }) })
    const sizes = wish.type === "Terminate" ? "" : ` ${JSON.stringify(wish.amounts)}`
    this.bench.story.tell(
      "order",
      order.uuid.slice(26),
      `PLACED ${wish.type} of ${name} (${order.resource.uuid.slice(26)})${sizes}${wish.bad === undefined ? "" : `, bad: ${wish.bad}`}`
    )
    this.onPlaced(placed, order.resource.slug)
  }

  private vdcLimits(gigabytes: boolean) {
    const { chance } = this
    const [ram, storage] = [16 + 4 * chance.below(8), 100 + 50 * chance.below(5)]
    const unit = gigabytes ? 1 : 1024
    return {
      limits: {
        cpu: 12 + chance.below(12),
        ram: ram * unit,
        storage: storage * unit,
        floating_ip: 1 + chance.below(4)
      },
      amounts: (limits: Readonly<Record<string, number>>) =>
        Object.fromEntries(
          Object.entries(limits).map(([type, n]) => [
            type,
            gigabytes && (type === "ram" || type === "storage") ? n * 1024 : n
          ])
        )
    }
  }

  private createVdc(): void {
    const { chance, market } = this
    const gigabytes = chance.draw(0.4)
    const offering = gigabytes ? market.offerings.wideVdc : market.offerings.vdc
    const project = chance.pick(market.projects) ?? market.projects[0]
    const { limits, amounts } = this.vdcLimits(gigabytes)
    const bad = this.bench.faults.happens("bad order") ? chance.pick(badVdcs) : undefined
    const wanted = { ...limits, ...(bad !== undefined && "limits" in bad[1] ? bad[1].limits : {}) }
    const name = chance.pick(["prod", "Test ÄÖ", 'a "b"\n]', "prod", "data, [lab]"] as const) + String(++this.named)
    this.place(
      { kind: "vdc", type: "Create", bad: bad?.[0], amounts: amounts(wanted) },
      JSON.stringify(name),
      undefined,
      "marketplace-orders/",
      {
        offering: `http://waldur.example/api/marketplace-public-offerings/${offering.uuid}/`,
        project: `http://waldur.example/api/projects/${project?.uuid}/`,
        plan: this.planUrl(offering.uuid, offering.plans[0]?.uuid ?? ""),
        attributes: { name, ...(bad !== undefined && "attributes" in bad[1] ? bad[1].attributes : {}) },
        limits: wanted,
        accepting_terms_of_service: true
      }
    )
  }

  private createVm(parent: Thing): void {
    const { chance, market, servers } = this
    const vdc = servers.marketplace.resources.get(parent.resource)
    if (vdc === undefined || vdc.backendId === "") return
    const plan = chance.pick(Object.values(market.plans)) ?? market.plans.small
    const bad = this.bench.faults.happens("bad order") ? chance.pick(badVms) : undefined
    const name = `vm${++this.named}`
    const { uuid } = market.offerings.vm
    this.place(
      { kind: "vm", type: "Create", bad: bad?.[0], amounts: plan.quotas },
      name,
      parent.resource,
      "marketplace-orders/",
      {
        offering: `http://waldur.example/api/marketplace-public-offerings/${uuid}/`,
        project: `http://waldur.example/api/projects/${vdc.project.uuid}/`,
        plan: this.planUrl(uuid, plan.uuid),
        attributes: {
          name,
          parent_backend_id: vdc.backendId,
          ...(chance.draw(0.5) ? { ssh_public_key: market.sshKey } : {}),
          ...bad?.[1]
        },
        accepting_terms_of_service: true
      }
    )
    if (this.isEnding(parent)) {
      this.bench.ledger.excuse(this.newest(name), "its VDC was being ended")
      this.bench.ledger.excuse(parent.resource, "VMs are in it")
    }
  }

  private newest(name: string): string | undefined {
    return [...this.bench.ledger.things.values()].find((thing) => thing.name === name)?.resource
  }

  private isEnding(thing: Thing): boolean {
    return [...this.servers.marketplace.orders.values()].some(
      ({ resource, type, state }) => resource.uuid === thing.resource && type === "Terminate" && openStates.has(state)
    )
  }

  private updateVdc(thing: Thing): void {
    const resource = this.servers.marketplace.resources.get(thing.resource)
    if (resource === undefined) return
    const { limits, amounts } = this.vdcLimits(resource.offering === this.market.offerings.wideVdc)
    const bad = this.bench.faults.happens("bad order") ? "no CPU at all" : undefined
    const wanted = bad === undefined ? limits : { ...limits, cpu: 0 }
    this.place(
      { kind: "vdc", type: "Update", bad, amounts: amounts(wanted) },
      thing.name,
      undefined,
      `marketplace-resources/${thing.resource}/update_limits/`,
      { limits: wanted }
    )
  }

  private switchPlan(thing: Thing): void {
    const plan = this.chance.pick(Object.values(this.market.plans)) ?? this.market.plans.small
    const disk = thing.amounts?.vm_disk ?? 0
    const target = plan.quotas.vm_disk ?? 0
    if (target < Math.max(0, ...thing.mayHaveDisk))
      this.bench.ledger.excuse(thing.resource, "its disk has grown before")
    this.place(
      { kind: "vm", type: "Update", bad: target < disk ? "a disk that shrinks" : undefined, amounts: plan.quotas },
      thing.name,
      thing.parent,
      `marketplace-resources/${thing.resource}/switch_plan/`,
      { plan: this.planUrl(this.market.offerings.vm.uuid, plan.uuid) }
    )
  }

  private terminate(thing: Thing): void {
    // A machine may be there longer than the marketplace shows it: while its order, canceled, is being undone.
    const inCloud = new Set(objectsOf(this.servers.frontEnd.world).map(({ resource }) => resource))
    const inside = [...this.bench.ledger.things.values()].filter(
      (other) =>
        other.parent === thing.resource && (this.stateOf(other) !== "Terminated" || inCloud.has(other.resource))
    )
    if (inside.length > 0) {
      this.bench.ledger.excuse(thing.resource, "VMs are in it")
      for (const vm of inside) this.bench.ledger.excuse(vm.resource, "its VDC was being ended")
    }
    this.place(
      { kind: thing.kind, type: "Terminate", bad: undefined, amounts: {} },
      thing.name,
      thing.parent,
      `marketplace-resources/${thing.resource}/terminate/`,
      {}
    )
  }

  private planUrl(offering: string, plan: string): string {
    return `http://waldur.example/api/marketplace-public-offerings/${offering}/plans/${plan}/`
  }
}

const field = (json: unknown, name: string): string | undefined => {
  if (typeof json !== "object" || json === null || !(name in json)) return undefined
  const value: unknown = Object.entries(json).find(([key]) => key === name)?.[1]
  return typeof value === "string" ? value : undefined
}

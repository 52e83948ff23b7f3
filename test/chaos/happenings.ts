/** What happens outside the calls: outages, strangers, operators, and what becomes of the processes. */
import type { DriverAction, FrontEnd, Plain } from "../../src/simulator/opennebula/index.js"
import { moveOrder, moveResource } from "../../src/simulator/waldur/world.js"
import type { Bench, Servers } from "./bench.js"
import type { Chance } from "./chance.js"
import type { CloudChecks } from "./cloud-checks.js"
import { type EventName, eventNames, type Occasion } from "./faults.js"
import type { Placed } from "./ledger.js"
import { objectsOf } from "./objects.js"
import type { Processes } from "./processes.js"

const boot = { state: 3, lcms: [1, 2, 20] }
const running = 3
const done = 6
/** A lease may also be held for a machine that nobody knows any more. */
const noMachine = 9999

const occasions: ReadonlyMap<DriverAction, Occasion> = new Map([
  ["deploy", "boot fails"],
  ["prolog", "boot fails"],
  ["shutdown", "shutdown fails"],
  ["cancel", "shutdown fails"],
  ["disk-resize", "disk resize fails"]
])

export class Happenings {
  private readonly chance: Chance
  private readonly agentUser
  private readonly cloudHash: string
  private readonly stuck = new Map<number, number>()
  private readonly guests: Array<number> = []
  private readonly networksHeld = new Set<number>()

  constructor(
    private readonly bench: Bench,
    private readonly servers: Servers,
    private readonly cloud: CloudChecks,
    private readonly processes: Processes
  ) {
    this.chance = bench.chance.fork("happenings")
    this.agentUser = [...servers.marketplace.world.users.values()].find(({ username }) => username === "agent")
    this.cloudHash = servers.frontEnd.world.users.get(0).passwordHash
    this.disturbDrivers(servers.frontEnd)
    this.cloud.onArrival = ({ method, params }) => {
      if (method === "one.vn.delete") this.keepLease(Number(params[0]))
    }
    this.plantStrangers()
  }

  /** Lets everything happen now and then until `until`. */
  schedule(until: number): void {
    for (const name of eventNames) {
      const rate = this.bench.faults.rate(name)
      if (rate > 0) this.again(rate, until, this.events[name])
    }
  }

  /** At the end of the faults: all is mended, and strangers go home. */
  mend(): void {
    const { bench, servers } = this
    bench.cloudIsUp = true
    bench.cloudRestarts = false
    bench.marketIsUp = true
    bench.diskIsFull = false
    servers.frontEnd.world.users.get(0).passwordHash = this.cloudHash
    if (this.agentUser !== undefined) servers.marketplace.world.users.set(this.agentUser.uuid, this.agentUser)
    for (const vm of [...this.stuck.keys()]) this.release(vm)
    // From whatever state they are in: one that boots takes no action.
    for (const vm of this.guests) this.call("one.vm.recover", [vm, 3])
    for (const network of servers.frontEnd.world.networks) {
      for (const range of network.ranges) {
        for (const [index, { holder }] of range.leases) {
          const vm = holder.kind === "VM" ? servers.frontEnd.world.vms.find(holder.id) : undefined
          if (vm === undefined ? holder.id === noMachine : vm.state === done) range.leases.delete(index)
        }
      }
    }
  }

  /** Strangers react to a new order: its name may be gone already. */
  onPlaced(placed: Placed, slug: string): void {
    const { bench } = this
    if (placed.kind === "vdc" && placed.type === "Create" && bench.faults.happens("name taken")) {
      const takers: ReadonlyArray<readonly [string, ReadonlyArray<Plain>]> = [
        ["one.group.allocate", [slug]],
        ["one.vdc.allocate", [`NAME="${slug}"`, 0]],
        [
          "one.vn.allocate",
          [`NAME="${slug}_internal"\nVN_MAD="dummy"\nBRIDGE="br1"\nAR=[TYPE="IP4",IP="172.16.0.1",SIZE="9"]`, 0]
        ],
        ["one.user.allocate", [`${slug}_admin`, "a-strangers-password", "core", [1]]],
        ["one.secgroup.allocate", [`NAME="${slug}_default"\nRULE=[PROTOCOL="ALL",RULE_TYPE="inbound"]`]]
      ]
      const [method, params] = this.chance.pick(takers) ?? ["one.group.allocate", [slug]]
      bench.ledger.excuse(placed.resource, "a stranger took its name")
      bench.story.tell("world", "stranger", `${method} ${slug}`)
      this.call(method, params)
    }
    if (placed.kind === "vm" && placed.type === "Create" && bench.faults.happens("quota eaten")) {
      this.eatQuota(bench.ledger.things.get(placed.resource)?.parent)
    }
  }

  private readonly events: Readonly<Record<EventName, () => void>> = {
    "cloud away": () => this.window("OpenNebula is away", this.outage(), (on) => (this.bench.cloudIsUp = !on)),
    "cloud restarts": () =>
      this.window("OpenNebula restarts", this.chance.between(3, 30), (on) => (this.bench.cloudRestarts = on)),
    "cloud credentials": () =>
      this.window("OpenNebula's password is another", this.chance.skewed(20, 600), (on) => {
        this.servers.frontEnd.world.users.get(0).passwordHash = on ? "changed" : this.cloudHash
      }),
    "market away": () => this.window("Waldur is away", this.outage() / 2, (on) => (this.bench.marketIsUp = !on)),
    "market credentials": () =>
      this.window("Waldur's token is revoked", this.chance.skewed(20, 600), (on) => {
        const { users } = this.servers.marketplace.world
        if (this.agentUser === undefined) return
        if (on) users.delete(this.agentUser.uuid)
        else users.set(this.agentUser.uuid, this.agentUser)
      }),
    "disk full": () =>
      this.window("the disk is full", this.chance.skewed(5, 120), (on) => (this.bench.diskIsFull = on)),
    kill: () => this.processes.kill(),
    pause: () => this.processes.pause(this.chance.skewed(1, 300) * 1000),
    stop: () => this.processes.stop(),
    "saboteur deletes": () => this.sabotage("deletes"),
    "saboteur powers off": () => this.sabotage("powers off"),
    "stuck in boot": () => this.stick(),
    "order canceled": () => this.endOrder("canceled"),
    "order erred by others": () => this.endOrder("erred"),
    "order approved": () => this.approve()
  }

  private again(rate: number, until: number, what: () => void): void {
    const wait = (-Math.log(1 - this.chance.number()) * 3_600_000) / rate
    if (this.bench.timeline.now + wait > until) return
    this.bench.later(wait, () => {
      if (!this.bench.faults.on) return
      what()
      this.again(rate, until, what)
    })
  }

  private outage(): number {
    return this.chance.pick([10, 60, 60, 300, 3600] as const)
  }

  private window(what: string, seconds: number, set: (on: boolean) => void): void {
    this.bench.story.tell("world", "", `${what} for ${Math.round(seconds)} s`)
    set(true)
    this.bench.later(seconds * 1000, () => {
      if (!this.bench.faults.on) return
      this.bench.story.tell("world", "", `over: ${what}`)
      set(false)
    })
  }

  private call(method: string, params: ReadonlyArray<Plain>): number | undefined {
    const answer = this.bench.succeed(this.servers.frontEnd.call(method, params))
    return answer._tag === "Ok" && answer.value._tag === "Int" ? answer.value.value : undefined
  }

  private readonly isOurs = (id: number): boolean => this.cloud.isOwn({ kind: "VM", id })

  private resourceOfVm(id: number): string | undefined {
    return this.servers.frontEnd.world.vms.find(id)?.userTemplate.get("WALDUR_RESOURCE_UUID")
  }

  private sabotage(how: "deletes" | "powers off"): void {
    const { world } = this.servers.frontEnd
    const found = this.chance.pick(objectsOf(world).filter(({ kind, id }) => /VM$/.test(kind) && this.isOurs(id)))
    const thing = this.bench.ledger.things.get(found?.resource ?? "")
    if (found === undefined || thing === undefined) return
    this.bench.story.tell("world", "saboteur", `${how} ${found.kind} ${found.id} of ${thing.name}`)
    this.bench.ledger.excuse(thing.resource, `(shared) somebody ${how} its VM`)
    thing.disturbed = true
    if (how === "deletes") {
      thing.wounded = true
      this.call("one.vm.recover", [found.id, 3])
    } else this.call("one.vm.action", ["poweroff-hard", found.id])
  }

  private stick(): void {
    const vm = this.chance.pick(
      [...this.servers.frontEnd.world.vms].filter(
        ({ state, lcm, id }) => state === boot.state && boot.lcms.includes(lcm) && this.isOurs(id)
      )
    )
    if (vm === undefined) return
    vm.turn += 1
    this.stuck.set(vm.id, vm.turn)
    this.bench.story.tell("world", "hypervisor", `VM ${vm.id} is stuck in boot`)
    this.bench.ledger.excuse(this.resourceOfVm(vm.id), "(shared) its VM was stuck in boot")
    this.bench.later(this.chance.skewed(5, 1800) * 1000, () => this.release(vm.id))
  }

  private release(id: number): void {
    const vm = this.servers.frontEnd.world.vms.find(id)
    const turn = this.stuck.get(id)
    if (vm === undefined || turn === undefined) return
    this.stuck.delete(id)
    if (vm.turn !== turn || vm.state !== boot.state || !boot.lcms.includes(vm.lcm)) return
    vm.turn += 1
    vm.lcm = running
    this.bench.story.tell("world", "hypervisor", `VM ${id} runs after all`)
  }

  private eatQuota(vdc: string | undefined): void {
    const { world } = this.servers.frontEnd
    const group = [...world.groups].find(({ template }) => template.get("WALDUR_RESOURCE_UUID") === vdc)
    const thing = this.bench.ledger.things.get(vdc ?? "")
    if (group === undefined || thing?.amounts === undefined || vdc === undefined) return
    const used = [...world.vms]
      .filter((vm) => vm.gid === group.id && vm.state !== done)
      .reduce((sum, vm) => sum + Number(vm.template.get("CPU") ?? 0), 0)
    const free = (thing.amounts.cpu ?? 0) - used - 0.1
    if (free <= 0) return
    const vm = this.call("one.template.instantiate", [3, "guest", false, `CPU="${free.toFixed(2)}"`, false])
    if (vm === undefined) return
    this.guests.push(vm)
    this.bench.story.tell("world", "stranger", `VM ${vm} eats the quota of ${thing.name}`)
    this.bench.ledger.excuse(vdc, "(shared) a stranger's VM is in it")
    this.call("one.vm.chown", [vm, -1, group.id])
  }

  private endOrder(how: "canceled" | "erred"): void {
    const { marketplace } = this.servers
    const open = [...marketplace.orders.values()].filter(({ state }) =>
      how === "erred" ? state === "executing" : state === "executing" || state === "pending-provider"
    )
    const order = this.chance.pick(open)
    const thing = this.bench.ledger.things.get(order?.resource.uuid ?? "")
    if (order === undefined || thing === undefined) return
    this.bench.story.tell("world", "operator", `order ${order.uuid.slice(26)} is ${how} by hand`)
    this.bench.ledger.excuse(thing.resource, `(shared) an order was ${how} by somebody`)
    moveOrder(marketplace.world, order, how)
    const neverWas = order.type === "Create" && order.resource.backendId === ""
    moveResource(marketplace.world, order.resource, order.type !== "Create" ? "OK" : neverWas ? "Terminated" : "Erred")
    if (order.type === "Terminate") thing.wounded = true
    const placed = this.bench.ledger.placed.get(order.uuid)
    if (order.type === "Update" && placed?.amounts.vm_disk !== undefined) thing.mayHaveDisk.push(placed.amounts.vm_disk)
  }

  private approve(): void {
    const { marketplace } = this.servers
    const order = this.chance.pick([...marketplace.orders.values()].filter(({ state }) => state === "pending-provider"))
    if (order === undefined || this.agentUser === undefined) return
    this.bench.story.tell("world", "operator", `order ${order.uuid.slice(26)} is approved by hand`)
    this.bench.succeed(
      marketplace.handle({
        method: "POST",
        path: `/api/marketplace-orders/${order.uuid}/approve_by_provider/`,
        query: new URLSearchParams(),
        headers: { authorization: `Token ${this.agentUser.token}`, "content-type": "application/json" },
        body: "{}",
        origin: "http://waldur.example"
      })
    )
  }

  /** An address in the network stays taken by a machine that has ended, for a while: the network cannot be deleted until then. */
  private keepLease(id: number): void {
    const { world } = this.servers.frontEnd
    const network = world.networks.find(id)
    const range = network?.ranges[0]
    const vm = [...world.vms].findLast(({ state }) => state === done)?.id ?? noMachine
    if (network === undefined || range === undefined || this.networksHeld.has(id)) return
    if (!this.bench.faults.happens("lease stays")) return
    this.networksHeld.add(id)
    const index = range.size - 1
    if (range.leases.has(index)) return
    range.leases.set(index, { index, holder: { kind: "VM", id: vm } })
    this.bench.story.tell("world", "hypervisor", `network ${id} keeps a lease of VM ${vm}, which is gone`)
    this.bench.ledger.excuse(network.template.get("WALDUR_RESOURCE_UUID"), "(shared) a lease stays")
    // Half of them outlast every patience: what is undone then is left over, and tried again.
    const seconds = this.chance.draw(0.5) ? this.chance.skewed(5, 600) : this.chance.between(600, 1800)
    this.bench.later(seconds * 1000, () => range.leases.delete(index))
  }

  /** Drivers that fail, each time with the chance of this run. */
  private disturbDrivers(frontEnd: FrontEnd): void {
    const { world } = frontEnd
    const { bench } = this
    world.fails = (action, vm) => {
      const occasion = occasions.get(action)
      if (occasion === undefined || !this.isOurs(vm) || !bench.faults.happens(occasion)) return false
      const resource = this.resourceOfVm(vm)
      bench.story.tell("world", "hypervisor", `VM ${vm}: ${action} fails`)
      bench.ledger.excuse(resource, `(shared) the driver failed to ${action}`)
      return true
    }
  }

  private plantStrangers(): void {
    this.call("one.group.allocate", ["strangers"])
    this.call("one.vdc.allocate", ['NAME="strangers"', 0])
    this.call("one.user.allocate", ["stranger", "a-strangers-password", "core", [1]])
    this.call("one.vn.allocate", [
      'NAME="strangers"\nVN_MAD="dummy"\nBRIDGE="br9"\nAR=[TYPE="IP4",IP="10.0.1.10",SIZE="20"]',
      0
    ])
    this.call("one.secgroup.allocate", ['NAME="strangers"\nRULE=[PROTOCOL="ALL",RULE_TYPE="inbound"]'])
    this.call("one.template.instantiate", [3, "stranger", false, "", false])
  }
}

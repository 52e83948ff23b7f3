/** The six orders, placed one after the other as a customer would, each checked for what it should have led to. */
import { Console, Effect } from "effect"
import type { FrontEnd } from "../../simulator/opennebula/index.js"
import type { DemoWorld } from "../../simulator/waldur/index.js"
import type { EndedOrder, makeCustomer } from "./customer.js"
import { ordersInTurn } from "./live.js"
import { difference, type Sizes, vdcSizes, vmSizes } from "./sizes.js"

type Customer = Effect.Effect.Success<ReturnType<typeof makeCustomer>>

/** A line of the closing table. */
export interface Chapter {
  readonly operation: string
  readonly resource: string
  readonly passed: boolean
  readonly milliseconds: number
  /** What came of it, or what went wrong. */
  readonly remark: string
}

const vdcLimits = { cpu: 4, ram: 4096, storage: 20480, floating_ip: 2 }
const doubled = Object.fromEntries(Object.entries(vdcLimits).map(([type, amount]) => [type, amount * 2]))
const sshKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKTfNFzxoTrFzIb1G2t9bkFyHZ0F0xUo3cfVTHv1QS demo@example.org"

/** What a resource shall be in the end. */
type Expected =
  | { readonly state: "OK"; readonly sizes: Sizes; readonly look: (cloud: FrontEnd, backendId: number) => Sizes }
  | { readonly state: "Terminated" }
const gone = { state: "Terminated" } as const

/** `inventory`: what stands in the cloud beyond what was there at first. */
export const tellStory = (
  customer: Customer,
  world: DemoWorld,
  cloud: FrontEnd,
  inventory: () => ReadonlyArray<string>
) =>
  Effect.gen(function* () {
    const chapters: Array<Chapter> = []
    const tellOf = yield* ordersInTurn("demo", 6)
    const vdcOf = (sizes: Sizes) => ({ state: "OK", sizes, look: vdcSizes }) as const
    const vmOf = ({ quotas }: { readonly quotas: Sizes }) => ({ state: "OK", sizes: quotas, look: vmSizes }) as const

    /** Runs one order and notes how it went: as Waldur says it, and as it is in the cloud. */
    const chapter = <E>(operation: string, resource: string, expected: Expected, order: Effect.Effect<EndedOrder, E>) =>
      Effect.gen(function* () {
        yield* Console.log(`\n${operation} of ${resource}`)
        yield* tellOf(operation, chapters.length)
        const ended = yield* order
        const after = yield* customer.resource(ended.resource)
        const wrong = [
          ...(ended.state === "done" ? [] : [`${ended.state}: ${ended.error}`]),
          ...(after.state === expected.state ? [] : [`resource ${after.state} in Waldur`]),
          ...(expected.state === "OK"
            ? [difference(expected.sizes, expected.look(cloud, Number(after.backend_id)))]
            : [])
        ].filter((text) => text !== "")
        const sizes =
          expected.state === "OK" ? Object.entries(expected.sizes).map(([type, amount]) => `, ${type} ${amount}`) : []
        const passed = wrong.length === 0
        const remark = passed
          ? `resource ${after.state}, backend id ${after.backend_id}${sizes.join("")}`
          : wrong.join("; ")
        chapters.push({ operation, resource, passed, milliseconds: ended.milliseconds, remark })
        return { uuid: ended.resource, ...after }
      })

    const vdc = yield* chapter(
      "VDC create",
      "demo-vdc",
      vdcOf(vdcLimits),
      customer.create({
        offering: world.vdcOffering.uuid,
        project: world.project.uuid,
        plan: world.plans.vdc.uuid,
        attributes: { name: "demo-vdc" },
        limits: vdcLimits
      })
    )
    yield* chapter("VDC update limits", "demo-vdc", vdcOf(doubled), customer.updateLimits(vdc.uuid, doubled))
    const vm = yield* chapter(
      "VM create (Small)",
      "demo-vm",
      vmOf(world.plans.small),
      customer.create({
        offering: world.vmOffering.uuid,
        project: world.project.uuid,
        plan: world.plans.small.uuid,
        attributes: { name: "demo-vm", parent_backend_id: vdc.backend_id, ssh_public_key: sshKey }
      })
    )
    yield* chapter(
      "VM switch plan (Medium)",
      "demo-vm",
      vmOf(world.plans.medium),
      customer.switchPlan(vm.uuid, world.vmOffering.uuid, world.plans.medium.uuid)
    )
    const made = inventory()
    yield* chapter("VM terminate", "demo-vm", gone, customer.terminate(vm.uuid))
    yield* chapter("VDC terminate", "demo-vdc", gone, customer.terminate(vdc.uuid))
    return { chapters, made }
  })

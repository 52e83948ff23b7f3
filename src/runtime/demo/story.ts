/** The six orders, placed one after the other as a customer would, each checked for what it should have led to. */
import { Console, Effect } from "effect"
import type { DemoWorld } from "../../simulator/waldur/index.js"
import type { EndedOrder, makeCustomer } from "./customer.js"

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

/** `inventory`: what stands in the cloud beyond what was there at first. */
export const tellStory = (customer: Customer, world: DemoWorld, inventory: () => ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const chapters: Array<Chapter> = []
    /** Runs one order and notes how it went. */
    const chapter = <E>(operation: string, resource: string, order: Effect.Effect<EndedOrder, E>) =>
      Effect.gen(function* () {
        yield* Console.log(`\n${operation} of ${resource}`)
        const ended = yield* order
        const after = yield* customer.resource(ended.resource)
        const passed = ended.state === "done"
        const remark = passed
          ? `resource ${after.state}, backend id ${after.backend_id}`
          : `${ended.state}: ${ended.error}`
        chapters.push({ operation, resource, passed, milliseconds: ended.milliseconds, remark })
        return { uuid: ended.resource, ...after }
      })

    const vdc = yield* chapter(
      "VDC create",
      "demo-vdc",
      customer.create({
        offering: world.vdcOffering.uuid,
        project: world.project.uuid,
        plan: world.plans.vdc.uuid,
        attributes: { name: "demo-vdc" },
        limits: vdcLimits
      })
    )
    yield* chapter("VDC update limits", "demo-vdc", customer.updateLimits(vdc.uuid, doubled))
    const vm = yield* chapter(
      "VM create (Small)",
      "demo-vm",
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
      customer.switchPlan(vm.uuid, world.vmOffering.uuid, world.plans.medium.uuid)
    )
    const made = inventory()
    yield* chapter("VM terminate", "demo-vm", customer.terminate(vm.uuid))
    yield* chapter("VDC terminate", "demo-vdc", customer.terminate(vdc.uuid))
    return { chapters, made }
  })

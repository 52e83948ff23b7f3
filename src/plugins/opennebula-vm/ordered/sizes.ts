/**
 * A VM's sizes: which components they are called, what may be ordered, what is reported.
 *
 * vCPUs are whole; RAM and disk are whole MB, the backend's unit. The disk is the one that the VM boots from. A size for which the offering has
 * no component is the template's, and stays as it is.
 */
import { Effect, Schema } from "effect"
import type { VmShort } from "../../../opennebula/index.js"
import {
  type Amounts,
  byComponent,
  type Component,
  OrderRefused,
  type Quantity,
  type Usage
} from "../../../plugin/index.js"
import { accountedQuantities } from "../../accounting.js"

export const Sizes = Schema.Struct({
  vcpu: Schema.Int,
  /** MB */
  ram: Schema.Int,
  /** MB, of the OS disk; 0 where there is none. */
  disk: Schema.Int
})
export type Sizes = typeof Sizes.Type
type SizeName = keyof Sizes

const sizeNames = ["vcpu", "ram", "disk"] as const

interface SizeRule {
  /** Component types, today's plan components first; the others are those of a VDC. */
  readonly types: ReadonlyArray<string>
  readonly unit: string
  /** Far more than a host has, far less than where OpenNebula's own numbers end. */
  readonly largest: number
}
const rules: Readonly<Record<SizeName, SizeRule>> = {
  vcpu: { types: ["vcpu", "cpu"], unit: "", largest: 4096 },
  ram: { types: ["vm_ram", "ram"], unit: " MB", largest: 64 * 1024 * 1024 },
  disk: { types: ["vm_disk", "storage"], unit: " MB", largest: 1024 * 1024 * 1024 }
}

/** The component that a size goes by in this offering. */
export const componentOf = (components: ReadonlyArray<Component>, size: SizeName): Component | undefined =>
  rules[size].types
    .map((type) => components.find((component) => component.type === type))
    .find((component) => component !== undefined)

const refusal = (component: Component, size: SizeName, amount: number | undefined): OrderRefused | undefined => {
  const { unit, largest } = rules[size]
  const name = component.name || component.type
  const whole = size === "vcpu" ? "a whole number, 1 or more" : "a whole number of MB, 1 or more"
  if (amount === undefined)
    return new OrderRefused({
      customerMessage: `The order or its plan must say how much ${name} the virtual machine has.`
    })
  if (!Number.isInteger(amount) || amount < 1) {
    return new OrderRefused({ customerMessage: `${name} must be ${whole}, but ${amount}${unit} was ordered.` })
  }
  if (amount > largest) {
    return new OrderRefused({
      customerMessage: `${name} must be at most ${largest}${unit}, but ${amount}${unit} was ordered.`
    })
  }
  return undefined
}

/** What the order asks for. Fails with `OrderRefused` if a size is missing, zero, negative, fractional or huge. */
export const orderedSizes = (
  components: ReadonlyArray<Component>,
  amounts: Amounts
): Effect.Effect<Partial<Sizes>, OrderRefused> =>
  Effect.reduce(sizeNames, {} as Partial<Sizes>, (sizes, size) => {
    const component = componentOf(components, size)
    const amount = component === undefined ? undefined : amounts[component.type]
    // What is billed by usage has no amount in a plan: then the template decides.
    if (component === undefined || (amount === undefined && component.accountingType === "usage"))
      return Effect.succeed(sizes)
    const refused = refusal(component, size, amount)
    return refused === undefined ? Effect.succeed({ ...sizes, [size]: amount }) : Effect.fail(refused)
  })

/** The disk that the VM boots from: the first with an image, else the first; the rule of `osDisk` for templates. */
export const bootDisk = (vm: Pick<VmShort, "disks">): VmShort["disks"][number] | undefined =>
  vm.disks.find((disk) => disk.imageId._tag === "Some") ?? vm.disks[0]

export const sizesOf = (vm: Pick<VmShort, "vcpu" | "memory" | "disks">): Sizes => ({
  vcpu: vm.vcpu,
  ram: vm.memory,
  disk: bootDisk(vm)?.size ?? 0
})

/** Sizes by the offering's component types, in MB. */
export const amountsOf = (components: ReadonlyArray<Component>, sizes: Sizes): Amounts =>
  Object.fromEntries(
    sizeNames.flatMap((size) => {
      const component = componentOf(components, size)
      return component === undefined ? [] : [[component.type, sizes[size]]]
    })
  )

/**
 * What a VM takes of the cloud: as its sizes, but with all of its disks. OpenNebula takes nonsense for a size, and it reads as 0: that is a
 * problem, not an amount.
 */
export const usedAmounts = (components: ReadonlyArray<Component>, vm: VmShort): Pick<Usage, "amounts" | "problem"> => {
  const used = { ...sizesOf(vm), disk: vm.disks.reduce((total, disk) => total + disk.size, 0) }
  const unread = sizeNames.filter((size) =>
    size === "disk" ? vm.disks.some((disk) => disk.size <= 0) : used[size] <= 0
  )
  const measured = sizeNames.flatMap((size) =>
    unread.includes(size) ? [] : rules[size].types.map((type) => [type, used[size]] as const)
  )
  return {
    amounts: byComponent(components, Object.fromEntries(measured)),
    ...(unread.length === 0 ? {} : { problem: `VM ${vm.id} has no readable size of its ${unread.join(", ")}.` })
  }
}

/** What a VM offering may have components for. */
export const quantities: ReadonlyArray<Quantity> = [
  ...Object.values(rules).flatMap(({ types, unit }) =>
    types.map((name): Quantity => ({ name, unit: unit.trim() || "cores", ordered: true, measured: "now" }))
  ),
  ...accountedQuantities
]

/**
 * Actual sizes that go back as limits: of components that are billed by limit, and of `fixed` ones only where the provider wants it
 * (`report_fixed_limits`).
 */
export const reportedLimits = (components: ReadonlyArray<Component>, sizes: Sizes, fixedToo: boolean): Amounts => {
  const reported = components.filter(
    ({ accountingType }) => accountingType === "limit" || (fixedToo && accountingType === "fixed")
  )
  return amountsOf(reported, sizes)
}

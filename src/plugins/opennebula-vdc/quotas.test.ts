import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Component } from "../../core/index.js"
import type { Quotas } from "../../opennebula/index.js"
import { amountsOf, checkAmounts, limitsOf, quotaFor, usageOf } from "./quotas.js"

const component = (type: string, name: string): Component => ({
  type,
  name,
  measuredUnit: "",
  unitFactor: 1,
  accountingType: "limit"
})
const components = [component("cpu", "CPU"), component("ram", "RAM"), component("storage", "Storage")]
const good = { cpu: 4, ram: 4096, storage: 20_480 }
const sentence = (amounts: Readonly<Record<string, number>>, complete = true) =>
  Effect.runSync(
    checkAmounts(components, amounts, { complete }).pipe(
      Effect.as("accepted"),
      Effect.catchTag("OrderRefused", (refused) => Effect.succeed(refused.customerMessage))
    )
  )

const unused = { limit: "default", used: 0 } as const
const quotas: Quotas = {
  vm: [
    {
      clusterIds: "",
      cpu: { limit: 4, used: 1.5 },
      memory: { limit: 4096, used: 512 },
      vms: { limit: 7, used: 1 },
      systemDiskSize: { limit: 20_480, used: 2048 },
      runningCpu: unused,
      runningMemory: unused,
      runningVms: { limit: "unlimited", used: 1 },
      others: [{ metric: "PCI_DEV", limit: 2 }]
    }
  ],
  datastores: [{ id: 1, size: { limit: 20_480, used: 100 }, images: unused }],
  networks: [
    { id: 0, leases: { limit: 2, used: 1 } },
    { id: 5, leases: { limit: "default", used: 3 } }
  ],
  images: []
}

describe("ordered amounts", () => {
  it("are accepted as they should be", () => {
    expect(sentence(good)).toBe("accepted")
    expect(sentence({ ...good, cpu: 0.5, storage: 0, floating_ip: 0 })).toBe("accepted")
  })

  it.each([
    [{}, "says nothing of CPU, RAM, Storage"],
    [{ ram: 1, storage: 1 }, "says nothing of CPU"],
    [{ ...good, gpu: 1 }, 'has no "gpu"'],
    [{ ...good, cpu: -1 }, "must not be negative"],
    [{ ...good, cpu: 0 }, "must be more than 0"],
    [{ ...good, ram: 0 }, "must be more than 0"],
    [{ ...good, ram: 102.4 }, "whole MB"],
    [{ ...good, cpu: 0.125 }, "two decimal places"],
    [{ ...good, cpu: Number.NaN }, "not a number"],
    [{ ...good, ram: 1e12 }, "too large"],
    [{ ...good, floating_ip: 1.5 }, "whole addresses"]
  ])("that make no sense are refused in a sentence: %j", (amounts, said) => {
    expect(sentence(amounts)).toContain(said)
  })

  it("may be named in part when they change", () => {
    expect(sentence({ cpu: 8 }, false)).toBe("accepted")
    expect(sentence({ cpu: 0 }, false)).toContain("more than 0")
  })
})

describe("the quota for amounts", () => {
  const places = { imageDatastores: [1, 101], externalNetwork: 0 }

  it("limits what counts, on the datastores and the network that there are", () => {
    expect(quotaFor({ ...good, floating_ip: 2 }, places)).toEqual({
      vm: { cpu: 4, memory: 4096, systemDiskSize: 20_480 },
      datastores: [
        { id: 1, size: 20_480 },
        { id: 101, size: 20_480 }
      ],
      networks: [{ id: 0, leases: 2 }]
    })
  })

  it("has no section for what the offering does not sell", () => {
    expect(quotaFor({}, places)).toEqual({})
    expect(quotaFor({ floating_ip: 2 }, { imageDatastores: [], externalNetwork: undefined })).toEqual({})
  })

  it("says again what OpenNebula would reset", () => {
    expect(quotaFor({ cpu: 8 }, places, quotas).vm).toEqual({ ...limitsOf(quotas).vm, cpu: 8 })
    expect(limitsOf(quotas).vm).toMatchObject({ vms: 7, memory: 4096, runningVms: "unlimited" })
  })
})

describe("a group's quotas read back", () => {
  it("give its amounts, without what is not limited", () => {
    expect(amountsOf(quotas, 0)).toEqual({ cpu: 4, ram: 4096, storage: 20_480, floating_ip: 2 })
    expect(amountsOf({ ...quotas, vm: [] }, 5)).toEqual({})
  })

  it("give what is used: disks and images together, and addresses outside only", () => {
    expect(usageOf(quotas, 0)).toEqual({ cpu: 1.5, ram: 512, storage: 2148, floating_ip: 1 })
  })
})

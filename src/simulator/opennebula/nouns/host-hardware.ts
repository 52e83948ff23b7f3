/** What OpenNebula's dummy monitoring driver reports of a host: devices, NUMA nodes, CPU features, figures (recordings 012, 024, 253). */
import { cdata, element, wrap } from "../wire/xml.js"

interface DeviceModel {
  readonly class: string
  readonly className: string
  readonly device: string
  readonly deviceName: string
  readonly vendor: string
  readonly vendorName: string
  readonly sriov: "no" | "pf" | "vf"
}

const graphics = "1B 2B 1Q 2Q 3Q 4Q 6Q 8Q 12Q 16Q 24Q 48Q 1A 2A 3A 4A 6A 8A 12A 16A 24A 48A"
const graphicsProfiles = graphics
  .split(" ")
  .map((size, at) => `${1145 + at} (NVIDIA L40S-${size})`)
  .join(",")

const usb = { class: "0c03", className: "USB controller", sriov: "no" } as const
const ethernet = { class: "0200", className: "Ethernet controller" } as const
const mellanox = { ...ethernet, vendor: "15b3", vendorName: "Mellanox Technologies" }

const gpu: DeviceModel = {
  class: "0302",
  className: "3D controller",
  device: "0863",
  deviceName: "C79 [GeForce 9400M]",
  vendor: "10de",
  vendorName: "NVIDIA Corporation",
  sriov: "no"
}
const ohci: DeviceModel = {
  ...usb,
  device: "0aa7",
  deviceName: "MCP79 OHCI USB 1.1 Controller",
  vendor: "1b21",
  vendorName: "ASMedia Technology Inc."
}
const ehci: DeviceModel = {
  ...usb,
  device: "0aa9",
  deviceName: "MCP79 EHCI USB 2.0 Controller",
  vendor: "1022",
  vendorName: "Advanced Micro Devices, Inc."
}
const broadcom: DeviceModel = {
  ...ethernet,
  device: "165f",
  deviceName: "NetXtreme BCM5720 Gigabit Ethernet PCIe",
  vendor: "14e4",
  vendorName: "Broadcom Inc. and subsidiaries",
  sriov: "no"
}
const physical: DeviceModel = { ...mellanox, device: "1015", deviceName: "MT27710 Family [ConnectX-4 Lx]", sriov: "pf" }
const virtual: DeviceModel = {
  ...mellanox,
  device: "1016",
  deviceName: "MT27710 Family [ConnectX-4 Lx Virtual Function]",
  sriov: "vf"
}

/** Bus, slot and function; interface; NUMA node. */
const devices: ReadonlyArray<readonly [DeviceModel, address: string, interfaceName: string, numaNode: number]> = [
  [gpu, "02:00:0", "-", 1],
  [ohci, "00:06:0", "-", 1],
  [ehci, "00:06:1", "-", 0],
  [broadcom, "04:00:1", "eno8403", 0],
  [physical, "81:00:0", "pf0", 0],
  [physical, "81:00:1", "pf1", 0],
  ...Array.from({ length: 16 }, (_, at) => {
    const place = at + 2
    const slot = Math.floor(place / 8)
    return [virtual, `81:0${slot}:${place % 8}`, `vf0${slot}${place % 8}`, 0] as const
  })
]

const deviceDocument = ([model, address, interfaceName, numaNode]: (typeof devices)[number]): string => {
  const [bus = "", slot = "", func = ""] = address.split(":")
  return wrap(
    "PCI",
    cdata("ADDRESS", `0000:${address}`) +
      cdata("BUS", bus) +
      cdata("CLASS", model.class) +
      cdata("CLASS_NAME", model.className) +
      cdata("DEVICE", model.device) +
      cdata("DEVICE_NAME", model.deviceName) +
      cdata("DOMAIN", "0000") +
      cdata("FUNCTION", func) +
      cdata("IFNAME", interfaceName) +
      cdata("NUMA_NODE", numaNode) +
      (model === gpu ? cdata("PROFILES", graphicsProfiles) : "") +
      cdata("SHORT_ADDRESS", `${bus}:${slot}.${func}`) +
      cdata("SLOT", slot) +
      cdata("SRIOV", model.sriov) +
      (model.sriov === "pf" ? cdata("SRIOV_NUM", 8) : "") +
      cdata("TYPE", `${model.vendor}:${model.device}:${model.class}`) +
      cdata("VENDOR", model.vendor) +
      cdata("VENDOR_NAME", model.vendorName) +
      cdata("VMID", -1)
  )
}

export const deviceDocuments: string = wrap("PCI_DEVICES", devices.map(deviceDocument).join(""))

const coreDocument = (core: number): string =>
  wrap(
    "CORE",
    cdata("CPUS", [0, 16, 32, 48].map((offset) => `${core + offset}:-1`).join(",")) +
      cdata("DEDICATED", "NO") +
      cdata("FREE", 4) +
      cdata("ID", core)
  )

const nodeDocument = (node: number): string =>
  wrap(
    "NODE",
    Array.from({ length: 8 }, (_, at) => coreDocument(node * 8 + at)).join("") +
      [2048, 1048576]
        .map((size) => wrap("HUGEPAGE", cdata("PAGES", 1024) + cdata("SIZE", size) + cdata("USAGE", 0)))
        .join("") +
      wrap("MEMORY", cdata("DISTANCE", node === 0 ? "0 1" : "1 0") + cdata("TOTAL", 8388608) + cdata("USAGE", 0)) +
      cdata("NODE_ID", node)
  )

export const numaDocuments: string = wrap("NUMA_NODES", [0, 1].map(nodeDocument).join(""))

const features = `vme,ds,acpi,ss,ht,tm,pbe,dtes64,monitor,ds_cpl,vmx,smx,est,tm2,xtpr,pdcm,osxsave,f16c,rdrand,arat,
tsc_adjust,clflushopt,clwb,intel-pt,sha-ni,umip,pku,ospke,waitpkg,gfni,vaes,vpclmulqdq,rdpid,movdiri,movdir64b,pks,fsrm,
md-clear,serialize,arch-lbr,stibp,arch-capabilities,core-capability,ssbd,avx-vnni,xsaveopt,xsavec,xgetbv1,xsaves,pdpe1gb,abm,
invtsc,rdctl-no,ibrs-all,skip-l1dfl-vmentry,mds-no,pschange-mc-no`.replaceAll("\n", "")

const models =
  `486 pentium pentium2 pentium3 pentiumpro coreduo n270 core2duo qemu32 kvm32 cpu64-rhel5 cpu64-rhel6 kvm64
Conroe Penryn Nehalem Nehalem-IBRS Westmere Westmere-IBRS SandyBridge SandyBridge-IBRS IvyBridge IvyBridge-IBRS SapphireRapids
SapphireRapids-noTSX Opteron_G1`.replaceAll("\n", " ")

/** The host's TEMPLATE. */
export const hostTemplate = (name: string, maxCpu: number, maxMemory: number): string =>
  wrap(
    "TEMPLATE",
    cdata("ARCH", "x86_64") +
      cdata("CPUSPEED", 3200) +
      cdata("HOSTNAME", name) +
      cdata("HYPERVISOR", "dummy") +
      cdata("IM_MAD", "dummy") +
      cdata("KVM_CPU_FEATURES", features) +
      cdata("KVM_CPU_MODELS", models) +
      cdata("MEMORY_ENCRYPTION", "SEV") +
      cdata("MODELNAME", "Dummy(R) Core @ 3.2GHz") +
      cdata("RESERVED_CPU", "") +
      cdata("RESERVED_MEM", "") +
      cdata("TOTALCPU", maxCpu) +
      cdata("TOTALMEMORY", maxMemory) +
      cdata("VM_MAD", "dummy")
  )

const nodeFigures = (node: number, free: number, used: number): string =>
  wrap(
    "NUMA_NODE",
    [2048, 1048576].map((size) => wrap("HUGEPAGE", cdata("FREE", 1024) + cdata("SIZE", size))).join("") +
      wrap("MEMORY", cdata("FREE", free) + cdata("USED", used)) +
      cdata("NODE_ID", node)
  )

/** One sample: what is given away counts as used. CPU in percent of a core, memory in KB. */
export const sampleDocument = (sample: {
  readonly time: number
  readonly id: number
  readonly cpu: { readonly used: number; readonly free: number }
  readonly memory: { readonly used: number; readonly free: number }
}): string =>
  wrap(
    "MONITORING",
    element("TIMESTAMP", sample.time) +
      element("ID", sample.id) +
      wrap(
        "CAPACITY",
        cdata("FREE_CPU", sample.cpu.free) +
          cdata("FREE_MEMORY", sample.memory.free) +
          cdata("USED_CPU", sample.cpu.used) +
          cdata("USED_MEMORY", sample.memory.used)
      ) +
      wrap("SYSTEM", cdata("NETRX", 0) + cdata("NETTX", 0)) +
      [0, 1].map((node) => nodeFigures(node, sample.memory.free / 2, sample.memory.used / 2)).join("")
  )

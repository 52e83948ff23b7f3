/** Machines that serve a language model, on the simulated front-end: what they consist of, and what is refused before anything is made. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { vectorsOf } from "../../src/opennebula/template/template.js"
import { check } from "../../src/plugins/opennebula-vm/check.js"
import type { InitialWorld } from "../../src/simulator/opennebula/index.js"
import { createOrder, doneOf, makeBench, quick, refusedOf } from "../support/vmCloud.js"

/** Images 1 to 4; templates: 2 has a plain disk, 4 the engine's with a form, 5 no image. */
const initial: InitialWorld = {
  images: [
    { name: "base-os", sizeMb: 1024 },
    { name: "llama", sizeMb: 900 },
    { name: "engine", sizeMb: 1500 },
    { name: "private", sizeMb: 100 },
    { name: "mistral", sizeMb: 700 }
  ],
  templates: [
    'NAME="placeholder"\nCPU="0.1"\nMEMORY="64"',
    'NAME="vrouter"\nCPU="0.5"\nMEMORY="256"\nVROUTER="YES"\nDISK=[IMAGE_ID="0"]',
    'NAME="vm"\nCPU="1"\nMEMORY="1024"\nDISK=[IMAGE="base-os",DEV_PREFIX="vd",SIZE="1024"]\nCONTEXT=[NETWORK="YES",START_SCRIPT="echo hi"]',
    'NAME="vm-tiny"\nCPU="0.1"\nMEMORY="8"',
    `NAME="engine"
CPU="1"
MEMORY="1024"
DISK=[IMAGE_ID="2"]
CONTEXT=[NETWORK="YES",ONEAPP_VLLM_API_PORT="$ONEAPP_VLLM_API_PORT",ONEAPP_VLLM_SLEEP_MODE="NO"]
USER_INPUTS=[ONEAPP_VLLM_API_PORT="O|number|Port of the API| |9000",ONEAPP_VLLM_API_WEB="O|boolean|Web| |NO"]`,
    'NAME="volatile"\nCPU="1"\nMEMORY="64"\nDISK=[TYPE="fs",SIZE="100"]'
  ]
}
const everybody = [1, 1, 0, 0, 0, 0, 1, 0, 0] as const

const makeModelBench = (settings: Readonly<Record<string, unknown>> = {}) =>
  Effect.tap(
    makeBench({
      settings: { allowed_template_ids: [2, 3, 4, 5], ...settings },
      frontEnd: { ...quick.frontEnd, initial }
    }),
    ({ frontEnd }) =>
      Effect.sync(() => {
        for (const id of [1, 4]) frontEnd.world.images.get(id).permissions = [...everybody]
      })
  )

describe("a machine that serves a model", () => {
  it.scoped("has the model behind the disk that it boots from, and says where it answers", () =>
    Effect.gen(function* () {
      const bench = yield* makeModelBench()
      const made = doneOf(
        yield* bench.create(createOrder({ attributes: { model: "llama", ONEAPP_VLLM_API_PORT: "8080" } }))
      )
      const vm = yield* bench.one.vm.info(0)
      expect(vectorsOf(vm.template, "DISK").map(({ values }) => [values.IMAGE_ID, values.SIZE])).toEqual([
        ["0", "2048"],
        ["1", "900"]
      ])
      expect(vectorsOf(vm.template, "DISK")[0]?.values.DEV_PREFIX).toBe("vd")
      expect(vectorsOf(vm.template, "CONTEXT")[0]?.values).toMatchObject({
        START_SCRIPT: "echo hi",
        ONEAPP_VLLM_API_PORT: "8080"
      })
      const url = "http://192.168.10.2:8080"
      expect(made.metadata).toEqual({
        vm_id: 0,
        vm_stime: vm.startedAt,
        group_id: 100,
        ip_address: "192.168.10.2",
        vcpu: 1,
        ram_mb: 512,
        disk_mb: 2048,
        endpoint: url,
        web_ui: url,
        model: "llama"
      })
      expect(made.endpoints).toEqual([
        { name: "vLLM API (OpenAI-compatible)", url: `${url}/v1` },
        { name: "Chat playground", url }
      ])
    })
  )

  it.scoped("boots from the engine's image where the provider names one, in its size or larger", () =>
    Effect.gen(function* () {
      const bench = yield* makeModelBench({ engine_image_id: 2 })
      doneOf(yield* bench.create(createOrder({ attributes: { model_image_id: "1" } })))
      const vm = yield* bench.one.vm.info(0)
      expect(vectorsOf(vm.template, "DISK").map(({ values }) => [values.IMAGE, values.SIZE])).toEqual([
        ["engine", "2048"],
        ["llama", "900"]
      ])
      const small = createOrder({ attributes: { model: "llama" }, amounts: { vcpu: 1, vm_ram: 512, vm_disk: 1200 } })
      expect(refusedOf(yield* bench.create(small)).sentence).toContain("at least 1500 MB")
    })
  )

  it.scoped("has the defaults of the template's own form, which nobody else fills in", () =>
    Effect.gen(function* () {
      const bench = yield* makeModelBench()
      const made = doneOf(yield* bench.create(createOrder({ attributes: { template_id: 4, model: "llama" } })))
      const context = vectorsOf((yield* bench.one.vm.info(0)).template, "CONTEXT")[0]?.values
      expect(context).toMatchObject({
        ONEAPP_VLLM_API_PORT: "9000",
        ONEAPP_VLLM_API_WEB: "NO",
        ONEAPP_VLLM_SLEEP_MODE: "NO"
      })
      expect(made.endpoints).toEqual([{ name: "vLLM API (OpenAI-compatible)", url: "http://192.168.10.2:9000/v1" }])
    })
  )

  it.scoped("may be the provider's choice in the offering's options, which needs no list", () =>
    Effect.gen(function* () {
      const bench = yield* makeModelBench()
      const made = doneOf(
        yield* bench.create(createOrder({ pluginOptions: { model: "private", engine_image_id: "2" } }))
      )
      expect(made.metadata).toMatchObject({ model: "private" })
    })
  )

  it.scoped("costs a machine without a model no call", () =>
    Effect.gen(function* () {
      const bench = yield* makeModelBench({ engine_image_id: 2, allowed_models: ["llama"] })
      const before = bench.frontEnd.calls.length
      doneOf(yield* bench.create(createOrder({ attributes: { template_id: 5, ONEAPP_VLLM_API_PORT: "1" } })))
      const methods = bench.frontEnd.calls.slice(before).map(({ method }) => method)
      expect(methods.filter((method) => method.startsWith("one.image"))).toEqual([])
    })
  )
})

describe("a model that is refused, before anything is made", () => {
  const refusal = (attributes: Parameters<typeof createOrder>[0], settings = {}) =>
    Effect.gen(function* () {
      const bench = yield* makeModelBench(settings)
      const refused = refusedOf(yield* bench.create(createOrder(attributes)))
      expect(bench.vms()).toEqual([])
      return refused
    })

  it.scoped("is any image of the cloud that is not for everybody, whatever the customer calls it", () =>
    Effect.gen(function* () {
      for (const model of ["private", "3"]) {
        const { detail, sentence } = yield* refusal({ attributes: { model } })
        expect(sentence).toBe(`The model "${model}" is not one of this offering's: choose another and order again.`)
        expect(detail).toContain("image 3 is not in allowed_models")
      }
    })
  )

  it.scoped("is one that is not on the provider's list, and one on it may be private", () =>
    Effect.gen(function* () {
      const listed = { allowed_models: ["private", 4] }
      const { sentence } = yield* refusal({ attributes: { model: "llama" } }, listed)
      expect(sentence).toContain("(private, 4)")
      const bench = yield* makeModelBench(listed)
      doneOf(yield* bench.create(createOrder({ attributes: { model: "private" } })))
      doneOf(yield* bench.create(createOrder({ order: "5", attributes: { model: "mistral" } })))
    })
  )

  it.scoped("is one that does not exist, is persistent, or not ready", () =>
    Effect.gen(function* () {
      expect((yield* refusal({ attributes: { model: "gone" } })).detail).toContain("no such image")
      const bench = yield* makeModelBench()
      bench.frontEnd.world.images.get(1).persistent = true
      bench.frontEnd.world.images.get(4).state = 3
      const ordered = (model: string) => Effect.map(bench.create(createOrder({ attributes: { model } })), refusedOf)
      expect((yield* ordered("llama")).detail).toBe("image 1: it is persistent")
      expect((yield* ordered("mistral")).detail).toBe("image 4: it is disabled")
    })
  )

  it.scoped("is one for a template that has no image to start an engine from", () =>
    Effect.gen(function* () {
      const { sentence } = yield* refusal({ attributes: { model: "llama", template_id: 5 } })
      expect(sentence).toContain("Template 5 has no image")
    })
  )
})

describe("check", () => {
  it.scoped("looks at the engine and at the models on the list", () =>
    Effect.gen(function* () {
      const bench = yield* makeModelBench({ engine_image_id: 9, allowed_models: ["llama", "gone"] })
      const lines = (yield* check(bench.offering)).filter(({ subject }) => /model|engine/.test(subject))
      expect(lines.map(({ subject, status }) => [subject, status])).toEqual([
        ["engine image 9", "failed"],
        ["model llama", "ok"],
        ["model gone", "failed"]
      ])
      // What a customer would read is not what the provider has to do.
      expect(lines[0]?.detail).toBe("there is no such image in OpenNebula: correct engine_image_id")
    })
  )
})

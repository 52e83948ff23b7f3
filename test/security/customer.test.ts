/** A hostile customer, end to end: whatever an order holds, OpenNebula sees the values that were meant, and nothing that grew out of them. */
import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import type { Template } from "../../src/simulator/opennebula/world/template.js"
import { makeSite, type Site, scenario, sshKey } from "../support/agent.js"

/** What would break out of a template if anything could: quotes, the ends of vectors, other syntaxes, variables, line ends. */
const breakouts = [
  `x"]\nNIC=[NETWORK_ID="0"`,
  `x\\"]\nCPU="64`,
  "x\\",
  `x</NAME></TEMPLATE><TEMPLATE><CPU>64</CPU>`,
  "x]]><CPU>64</CPU>",
  "x\r\nVMGROUP=[VMGROUP_ID=0]",
  "$USER[TEMPLATE]"
]

/** Quicker to make, where the network is not the point. */
const withoutNetwork = { external_network_id: undefined, create_opennebula_user: false }

/** Names and keys of all attributes, without the values: the shape that an order gives an object. */
const shapeOf = (template: Template): ReadonlyArray<string> =>
  template.attributes
    .map((attribute) =>
      attribute._tag === "Single" ? attribute.name : `${attribute.name}[${[...attribute.values.keys()].sort().join()}]`
    )
    .sort()

const vmOf = ({ cloud }: Site, backendId: string) => {
  const vm = cloud.world.vms.find(Number(backendId))
  if (vm === undefined) throw new Error(`no VM ${backendId}`)
  return { name: vm.name, shape: [...shapeOf(vm.template), ...shapeOf(vm.userTemplate)], key: keyIn(vm.template) }
}
const keyIn = (template: Template) => template.vectors("CONTEXT")[0]?.values.get("SSH_PUBLIC_KEY")

describe("a customer who writes OpenNebula templates into", () => {
  scenario("names and the comment of an SSH key gets exactly one value of each", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      yield* site.start()
      const limits = { cpu: 16, ram: 16_384, storage: 102_400, floating_ip: 2 }
      const vdc = yield* site.order.vdc(`acme ${breakouts.join(" ")}`, { limits })
      expect(vdc).toMatchObject({ state: "done" })
      const parent = vdc.resource.backendId
      const plain = yield* site.order.vm("plain", parent)
      const expected = vmOf(site, plain.resource.backendId)

      const comments = [`a"],CPU="64`, `b\\`, `c</SSH_PUBLIC_KEY><X>`, `d' ; rm -rf / #`, "e ~ `id` €"]
      const orders = yield* Effect.forEach(
        comments,
        (comment, index) =>
          site.order.vm(breakouts[index] ?? "x", parent, { attributes: { ssh_public_key: `${sshKey} ${comment}` } }),
        { concurrency: "unbounded" }
      )
      for (const [index, order] of orders.entries()) {
        expect(order, comments[index]).toMatchObject({ state: "done", errorMessage: "" })
        const made = vmOf(site, order.resource.backendId)
        expect(made.key).toBe(`${sshKey} ${comments[index]}`)
        expect(made.shape).toEqual(expected.shape)
        expect(made.name).toMatch(/^[a-z0-9._-]+$/)
      }
      for (const group of site.cloud.world.groups) expect(group.name).toMatch(/^[a-z0-9._-]+$/)
      // And so nothing forged a line in the log.
      expect(site.logged.filter((line) => line.includes("\n") || line.includes("\u001b"))).toEqual([])
    })
  )

  scenario("what is checked is refused with one sentence, and nothing is made", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      yield* site.start()
      const vdc = yield* site.order.vdc("acme")
      const parent = vdc.resource.backendId
      const before = site.made()
      const wishes: ReadonlyArray<Readonly<Record<string, unknown>>> = [
        ...breakouts.map((text) => ({ parent_backend_id: text })),
        { ssh_public_key: breakouts[0] },
        { ssh_public_key: `${sshKey}\n${breakouts[0]}` },
        { template_id: breakouts[0] },
        // Somebody else's group, OpenNebula's own, and templates that are not on the list.
        { parent_backend_id: "0" },
        { parent_backend_id: "oneadmin" },
        { parent_backend_id: "users" },
        { template_id: 1 },
        { template_id: -1 },
        { template_id: { toString: "2" } },
        { parent_backend_id: ["100"] }
      ]
      const orders = yield* Effect.forEach(wishes, (attributes) => site.order.vm("vm", parent, { attributes }), {
        concurrency: "unbounded"
      })
      for (const [index, order] of orders.entries()) {
        expect(order, JSON.stringify(wishes[index])).toMatchObject({ state: "erred" })
        expect(order.errorMessage).toMatch(/^[^\p{Cc}]{10,400}$/u)
      }
      const subnets = [
        "10.0.0.0/8\u0000",
        `10.9.0.0/24"]`,
        "$NETWORK[x]",
        "10.0.2.0/24\nAR=[SIZE=9]",
        "::/0",
        "1e1.0.0.0/24"
      ]
      const others = yield* Effect.forEach(
        subnets,
        (subnet_cidr) => site.order.vdc("other", { attributes: { subnet_cidr } }),
        { concurrency: "unbounded" }
      )
      for (const [index, order] of others.entries()) {
        expect(order, subnets[index]).toMatchObject({ state: "erred" })
        expect(order.errorMessage).toMatch(/^[^\p{Cc}]{10,400}$/u)
      }
      expect(site.made()).toEqual(before)
    })
  )

  scenario(
    "an SSH key's comment a variable (it would show the guest the agent's own user) is refused, as text and as a stored key",
    () =>
      Effect.gen(function* () {
        const site = yield* makeSite({ vdcSettings: withoutNetwork })
        yield* site.start()
        const parent = (yield* site.order.vdc("acme")).resource.backendId
        const mallory = site.marketplace.addUser({ username: "mallory", fullName: "Mallory" })
        site.marketplace.addProjectRole(mallory, site.world.project, "PROJECT.MEMBER")
        const variables = ["$USER[TEMPLATE]", "$TEMPLATE", "$NETWORK[TEMPLATE, NETWORK_ID=0]", "$", "a$b"]
        const keys = variables.flatMap((variable) => {
          const publicKey = `${sshKey} ${variable}`
          return [publicKey, site.marketplace.addSshKey({ user: mallory, name: variable, publicKey }).uuid]
        })
        const orders = yield* Effect.forEach(
          keys,
          (ssh_public_key) => site.order.vm("vm", parent, { attributes: { ssh_public_key } }),
          { concurrency: "unbounded" }
        )
        for (const order of orders) {
          expect(order).toMatchObject({ state: "erred", errorMessage: expect.stringContaining("$ sign") })
        }
        expect(site.cloud.calls.filter(({ method }) => method === "one.template.instantiate")).toEqual([])
      })
  )
})

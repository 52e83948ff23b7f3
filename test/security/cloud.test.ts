/** A compromised OpenNebula or Waldur, seen from the whole agent: it says why it waits, goes on when it can, and believes nothing else. */
import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import { expectNothingLeft, makeSite, scenario } from "../support/agent.js"

const bomb = `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>`
const envelope = (value: string) =>
  `${value.startsWith("<?xml") ? "" : '<?xml version="1.0"?>'}<methodResponse><params><param><value><array><data><value><boolean>1</boolean></value><value><string>${value}</string></value><value><i4>0</i4></value></data></array></value></param></params></methodResponse>`
const hostile: ReadonlyArray<readonly [string, string]> = [
  ["entity bomb", `${bomb}<methodResponse>&b;</methodResponse>`],
  [
    "external entity",
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><methodResponse>&e;</methodResponse>'
  ],
  ["deep nesting", envelope("&lt;A&gt;".repeat(100_000))],
  [
    "a million elements",
    envelope(`&lt;GROUP_POOL&gt;&lt;GROUP&gt;${"&lt;A/&gt;".repeat(1_000_001)}&lt;/GROUP&gt;&lt;/GROUP_POOL&gt;`)
  ],
  ["no XML", "\u001b[2J\nlevel=ERROR message=forged"]
]

describe("an OpenNebula that was taken over", () => {
  scenario("cannot stop the agent with bombs: the order waits, and is done when the answers are sane again", () =>
    Effect.gen(function* () {
      const left = hostile.map(([, body]) => body)
      // Without networks: quick to make.
      const site = yield* makeSite({ vdcSettings: { external_network_id: undefined, create_opennebula_user: false } })
      site.cloud.intercept(({ method }) => {
        if (method !== "one.grouppool.info") return undefined
        const body = left.shift()
        return body === undefined ? undefined : { _tag: "Garbage", when: "before", body }
      })
      const agent = yield* site.start()
      const names = hostile.map((_, index) => `bombed-${index}`)
      const orders = yield* Effect.forEach(names, (name) => site.order.vdc(name), { concurrency: "unbounded" })
      expect(left).toEqual([])
      for (const order of orders) expect(order).toMatchObject({ state: "done", errorMessage: "" })
      const waits = site.logged.filter((line) => line.includes("Waits:"))
      expect(waits.length).toBeGreaterThanOrEqual(hostile.length)
      expect(waits.every((line) => line.includes("one.grouppool.info") && line.length < 1_000)).toBe(true)
      expect(site.logged.some((line) => line.includes("\n") || line.includes("\u001b"))).toBe(false)
      yield* Effect.forEach(orders, ({ resource }) => site.order.terminate(resource.uuid), { concurrency: "unbounded" })
      yield* expectNothingLeft(
        site,
        agent,
        names.map((name) => `${name} Terminated`)
      )
    })
  )
})

describe("a Waldur that was taken over", () => {
  scenario("cannot have things removed that were not made for the resource it names", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const maker = yield* site.start()
      const [one, other] = [yield* site.order.vdc("one"), yield* site.order.vdc("other")]
      const vm = yield* site.order.vm("vm", one.resource.backendId)
      const victim = yield* site.order.vm("victim", one.resource.backendId)
      // For some seconds after "done" it puts back a backend id that is not its own any more.
      yield* maker.stop
      yield* site.start()
      const before = site.made()
      // Waldur's database, in somebody else's hands.
      for (const backendId of [other.resource.backendId, "0", "1", "oneadmin", "users", "other-2"]) {
        one.resource.backendId = backendId
        const order = yield* site.order.terminate(one.resource.uuid)
        expect(order, backendId).toMatchObject({ state: "erred" })
      }
      vm.resource.backendId = victim.resource.backendId
      expect(yield* site.order.terminate(vm.resource.uuid)).toMatchObject({ state: "erred" })
      expect(site.made()).toEqual(before)
      expect(site.lost()).toEqual([])
    })
  )

  scenario("cannot point the agent at another front-end, switch off TLS or isolation by plugin_options", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      Object.assign(site.world.vdcOffering.pluginOptions, {
        api_url: "http://127.0.0.1:1/RPC2",
        credentials: "evil:evil",
        verify_ssl: false,
        proxy: "http://127.0.0.1:1",
        ca_file: "/etc/passwd",
        tenant_isolation: false,
        allocation_prefix: "evil-"
      })
      yield* site.start()
      const { state, resource } = yield* site.order.vdc("one")
      expect(state).toBe("done")
      expect(resource.backendMetadata.group_name).not.toContain("evil")
      const taken = site.cloud.calls.filter(({ method }) => method === "one.acl.delrule")
      expect(taken.length).toBeGreaterThan(0)
    })
  )
})

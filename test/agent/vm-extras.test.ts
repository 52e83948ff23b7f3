/** Attributes of machines beyond their size, from a customer's order in Waldur to OpenNebula, over real HTTP. */
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { makeSite, scenario } from "../support/agent.js"

scenario("a machine has the host name and the security groups that were ordered, and no network of somebody else", () =>
  Effect.gen(function* () {
    const site = yield* makeSite()
    yield* site.start()
    const { resource: vdc } = yield* site.order.vdc("extras")
    const own = [...site.cloud.world.securityGroups].find(({ gid }) => gid === Number(vdc.backendId))
    const ordered = yield* site.order.vm("named", vdc.backendId, {
      attributes: { hostname: "web1", security_groups: [own?.name], networks: [] }
    })
    expect(ordered.errorMessage).toBe("")
    const { template } = site.cloud.world.vms.get(Number(ordered.resource.backendId))
    expect(template.vectors("CONTEXT")[0]?.values.get("SET_HOSTNAME")).toBe("web1")
    expect(template.vectors("NIC")[0]?.values.get("SECURITY_GROUPS")?.split(",")).toContain(String(own?.id))
    const refused = yield* site.order.vm("curious", vdc.backendId, { attributes: { networks: "public" } })
    expect([refused.state, refused.errorMessage]).toEqual([
      "erred",
      expect.stringContaining('"public" is no network of the virtual data centre')
    ])
  })
)

/** Attributes of machines beyond their size, from a customer's order in Waldur to OpenNebula, over real HTTP. */
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { journalText, makeSite, scenario } from "../../support/agent.js"

scenario("cloud-init's user data reaches the machine, and neither journal nor log", () =>
  Effect.gen(function* () {
    const site = yield* makeSite()
    const agent = yield* site.start()
    const { resource: vdc } = yield* site.order.vdc("data")
    const user_data = "#cloud-config\npassword: $USER[hunter2-in-cloud-init]\n"
    const ordered = yield* site.order.vm("cloudy", vdc.backendId, { attributes: { user_data } })
    expect(ordered.errorMessage).toBe("")
    const context = site.cloud.world.vms.get(Number(ordered.resource.backendId)).template.vectors("CONTEXT")[0]?.values
    expect(context?.get("USERDATA_ENCODING")).toBe("base64")
    expect(Buffer.from(context?.get("USER_DATA") ?? "", "base64").toString()).toBe(user_data)
    const refused = yield* site.order.vm("odd", vdc.backendId, {
      attributes: { user_data: "hunter2-but-no-cloud-init" }
    })
    expect(refused.errorMessage).toContain("The user data cannot be used")
    expect(refused.errorMessage).not.toContain("hunter2")
    yield* agent.stop
    for (const text of [yield* journalText(site), site.logged.join("\n")]) {
      expect(text.length).toBeGreaterThan(1000)
      for (const secret of ["hunter2", context?.get("USER_DATA") ?? ""]) expect(text).not.toContain(secret)
    }
  })
)

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

/** Keys of the Python agent that are read, and mean less here than there: what is said about them. */
import { describe, expect, it } from "vitest"
import { accepted, file, noticed } from "./harness.js"

const withOffering = (line: string): string => file((lines) => [...lines, `    ${line}`])

describe("a key of the Python agent", () => {
  it("for usernames says in one line that it has no effect, and why", async () => {
    expect(await noticed(withOffering("username_management_backend: waldur_username"))).toEqual([
      expect.stringMatching(/^11:\d+: offerings\[0\]\.username_management_backend has no effect: members are named/)
    ])
    expect(await noticed(withOffering("username_reconciliation_enabled: true"))).toEqual([
      expect.stringMatching(/^11:\d+: offerings\[0\]\.username_reconciliation_enabled has no effect: OpenNebula gives/)
    ])
  })

  /** Source: waldur-site-agent, waldur_site_agent/common/structures.py (2026), and examples/waldur-site-agent-config.yaml.example (2025). */
  it("of newer and older versions is taken, and what becomes of it is said", async () => {
    expect(await noticed(withOffering("preserve_unmanaged_backend_users: true"))).toEqual([
      expect.stringMatching(
        /preserve_unmanaged_backend_users has no effect: users of OpenNebula that this agent did not/
      )
    ])
    expect(await noticed(withOffering("preserve_unmanaged_backend_users: false"))).toEqual([])
    expect(await noticed(withOffering("mqtt_enabled: false"))).toEqual([
      expect.stringMatching(/mqtt_enabled has no effect: events come over STOMP/)
    ])
  })

  it("that asks for nothing is not spoken of", async () => {
    for (const line of [
      "username_management_backend: base",
      'username_management_backend: ""',
      "username_reconciliation_enabled: false"
    ]) {
      expect(await noticed(withOffering(line))).toEqual([])
    }
  })

  it("for log shipping has no effect without an identity to ship under", async () => {
    const text = `agent_identity: false\nlog_shipping: { enabled: true }\n${file()}`
    expect(await noticed(text)).toEqual([
      expect.stringMatching(/log_shipping has no effect while agent_identity is false/)
    ])
    expect((await accepted(text)).agentIdentity).toBe(false)
  })
})

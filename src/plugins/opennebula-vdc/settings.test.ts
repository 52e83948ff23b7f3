import { describe, expect, it } from "@effect/vitest"
import { Effect, Redacted, Schema } from "effect"
import { connectionOf } from "../settings.js"
import { VdcSettings, withPluginOptions } from "./settings.js"

const minimal = { api_url: "http://one.example.org:2633/RPC2", credentials: "oneadmin:secret" }
const decode = Schema.decodeUnknownSync(VdcSettings)

describe("settings of a VDC offering", () => {
  it("have the Python agent's defaults", () => {
    expect(decode(minimal)).toMatchObject({
      zone_id: 0,
      cluster_ids: [],
      vn_mad: "vxlan",
      vxlan_phydev: "eth0",
      default_dns: "8.8.8.8",
      internal_network_base: "10.0.0.0",
      internal_network_prefix: 8,
      subnet_prefix_length: 24,
      security_group_defaults: [],
      create_opennebula_user: false,
      tenant_isolation: true,
      default_security_group: true,
      tenant_external_network: false,
      terminate_policy: "refuse"
    })
  })

  it("take every key that the Python agent's files have", () => {
    const file = {
      ...minimal,
      resource_type: "vdc",
      zone_id: 0,
      cluster_ids: [0, 100],
      external_network_id: "0",
      virtual_router_template_id: "1",
      security_group_defaults: [
        { direction: "INBOUND", protocol: "TCP", range: 22 },
        { direction: "inbound", protocol: "ICMP", type: 8 }
      ],
      keycloak_enabled: true,
      keycloak: { keycloak_url: "https://sso.example.org", keycloak_password: "hidden" },
      saml_mapping_file: "/var/lib/one/keycloak_groups.yaml",
      default_user_role: "user",
      vdc_roles: [{ name: "admin", one_group_suffix: "admins", group_admin: true }]
    }
    expect(() => Schema.decodeUnknownSync(VdcSettings, { onExcessProperty: "error" })(file)).not.toThrow()
    expect(decode(file)).toMatchObject({ external_network_id: 0, virtual_router_template_id: 1 })
  })

  it("show no password", () => {
    const shown = JSON.stringify(decode({ ...minimal, keycloak: { keycloak_password: "hidden" } }))
    expect(shown).not.toMatch(/secret|hidden/)
  })

  it("strip the line break that a password file ends in", () => {
    const { credentials } = connectionOf(decode({ ...minimal, credentials: "oneadmin:secret\n" }))
    expect(Redacted.value(credentials)).toBe("oneadmin:secret")
  })

  it.each([
    ["api_url", "one.example.org"],
    ["credentials", "oneadmin"],
    ["cluster_ids", "0"],
    ["external_network_id", -1],
    ["internal_network_prefix", 33],
    ["terminate_policy", "maybe"]
  ])("refuse a wrong %s", (key, value) => {
    expect(() => decode({ ...minimal, [key]: value })).toThrow(key)
  })
})

describe("name servers of tenants' networks", () => {
  it.each(["", "9.9.9.9", "9.9.9.9 149.112.112.112", "9.9.9.9, 2620:fe::fe"])("are addresses: %j", (text) => {
    expect(() => decode({ ...minimal, default_dns: text })).not.toThrow()
  })

  it.each(["nine", "9.9.9", "9.9.9.9;8.8.8.8", "dns.quad9.net"])("are nothing else: %j", (text) => {
    expect(() => decode({ ...minimal, default_dns: text })).toThrow("addresses of DNS servers")
  })
})

describe("rules of security groups", () => {
  it.each([
    { protocol: "tcp", range: "22,80,443" },
    { protocol: "UDP", range: "1000:2000,53", direction: "OUTBOUND" },
    { protocol: "TCP", range: 65_535 },
    { protocol: "Icmp", type: 8 },
    { protocol: "ICMPV6" },
    { protocol: "IPSEC" },
    { range: "", type: "" },
    {}
  ])("that OpenNebula takes: %j", (rule) => {
    expect(() => decode({ ...minimal, security_group_defaults: [rule] })).not.toThrow()
  })

  // As its `SecurityGroup::is_valid` has it: each data centre's order would be refused.
  it.each([
    [{ protocol: "XYZ" }, "TCP, UDP, ICMP"],
    [{ protocol: "TCP", range: "22, 80" }, "ports up to 65535 without blanks"],
    [{ protocol: "TCP", range: "22-25" }, "ports up to 65535 without blanks"],
    [{ protocol: "TCP", range: "22," }, "ports up to 65535 without blanks"],
    [{ protocol: "TCP", range: "22:70000" }, "ports up to 65535 without blanks"],
    [{ range: "22" }, "protocol TCP or UDP beside it"],
    [{ protocol: "ICMP", type: "echo" }, "the number of an ICMP type"],
    [{ protocol: "TCP", type: 8 }, "protocol ICMP beside it"]
  ])("that it refuses: %j", (rule, why) => {
    expect(() => decode({ ...minimal, security_group_defaults: [rule] })).toThrow(why)
  })
})

describe("an offering's plugin_options", () => {
  const merged = (options: Readonly<Record<string, unknown>>) =>
    Effect.runSync(Effect.either(withPluginOptions(decode({ ...minimal, vn_mad: "bridge" }), options)))

  it("win over the settings; empty ones and those of others say nothing", () => {
    expect(
      merged({ external_network_id: "7", vn_mad: null, default_dns: "", heappe_url: "x", sched_requirements: "A" })
    ).toMatchObject({
      right: { external_network_id: 7, vn_mad: "bridge", default_dns: "8.8.8.8", sched_requirements: "A" }
    })
  })

  it("cannot lift the isolation of tenants or point to another front-end", () => {
    expect(merged({ tenant_isolation: false, api_url: "http://elsewhere" })).toMatchObject({
      right: { tenant_isolation: true, api_url: minimal.api_url }
    })
  })

  it("that make no sense stop the offering, with every fault named", () => {
    expect(merged({ external_network_id: "public", terminate_policy: "perhaps" })).toMatchObject({
      left: { _tag: "OfferingFault", hint: expect.stringMatching(/external_network_id.*terminate_policy/s) }
    })
  })
})

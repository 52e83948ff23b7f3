/**
 * Whole files as the Python agent's guides have them (source: waldur-site-agent, plugins/opennebula/README.md, docs/saml-setup, examples and
 * tests/test_settings_schema.py; 2026), with the two plugins' own settings.
 */
import { describe, expect, it } from "@effect/vitest"
import { Redacted, Schema } from "effect"
import { VdcSettings } from "../../plugins/opennebula-vdc/settings.js"
import { VmSettings } from "../../plugins/opennebula-vm/settings.js"
import { accepted, noticed, refused, settingsOnly, uuid } from "./harness.js"

const own = {
  plugins: [settingsOnly("opennebula-vdc", "vdc", VdcSettings), settingsOnly("opennebula-vm", "vm", VmSettings)]
}

const offering = (...settings: ReadonlyArray<string>): string =>
  [
    "offerings:",
    '  - name: "cloud"',
    '    waldur_api_url: "https://waldur.example.com/api/"',
    '    waldur_api_token: "token"',
    `    waldur_offering_uuid: "${uuid}"`,
    '    backend_type: "opennebula"',
    '    order_processing_backend: "opennebula"',
    "    backend_components: {}",
    "    backend_settings:",
    '      api_url: "http://one.example.com:2633/RPC2"',
    '      credentials: "oneadmin:swordfish"',
    ...settings.map((line) => `      ${line}`)
  ].join("\n")

const saml = (verify: string) => [
  "zone_id: 0",
  "cluster_ids: [0, 100]",
  'resource_type: "vdc"',
  "keycloak_enabled: true",
  "keycloak:",
  '  keycloak_url: "https://keycloak.example.com/keycloak/"',
  '  keycloak_realm: "opennebula"',
  '  keycloak_user_realm: "master"',
  '  client_id: "admin-cli"',
  '  keycloak_username: "admin"',
  '  keycloak_password: "swordfish"',
  `  keycloak_ssl_verify: ${verify}`,
  'saml_mapping_file: "/var/lib/one/keycloak_groups.yaml"',
  'default_user_role: "user"'
]

const keycloakOf = async (verify: string) => {
  const [read] = (await accepted(offering(...saml(verify)), own)).offerings
  return Schema.decodeUnknownSync(VdcSettings)(read && Redacted.value(read.backendSettings)).keycloak
}

describe("a file of the Python agent's guides", () => {
  it("says nothing of what a resource is: a data centre", async () => {
    const text = offering("create_opennebula_user: true")
    expect((await accepted(text, own)).offerings.map(({ plugin }) => plugin.type)).toEqual(["opennebula-vdc"])
    expect(await noticed(text, own)).toEqual([])
  })

  it("sets up SAML, with a certificate that is verified, or not, or by an authority of one's own", async () => {
    expect((await keycloakOf("true"))?.keycloak_ssl_verify).toBe(true)
    expect((await keycloakOf('"no"'))?.keycloak_ssl_verify).toBe(false)
    expect((await keycloakOf("/etc/ssl/certs/own-ca.pem"))?.keycloak_ssl_verify).toBe("/etc/ssl/certs/own-ca.pem")
    expect(await refused(offering(...saml("perhaps")), own)).toEqual([
      expect.stringMatching(/keycloak_ssl_verify must be true, false, or the path of a PEM file, but is "perhaps"/)
    ])
  })

  it("keeps data centres that are terminated: not here, and so it is refused rather than forgotten", async () => {
    expect(await refused(offering("soft_delete: true"), own)).toEqual([
      expect.stringMatching(/soft_delete must be false: a Terminate order removes the data centre here, .* but is true/)
    ])
    expect(await noticed(offering("soft_delete: false"), own)).toEqual([])
    expect(await noticed(offering("resource_type: vm", "template_id: 0", "soft_delete: true"), own)).toEqual([])
  })

  it("has what newer versions know of networks, and what a component has of its own is named", async () => {
    const text = offering(
      "cluster_ids: [0, 100]",
      "external_network_id: 10",
      "virtual_router_template_id: 8",
      "security_group_defaults:",
      '  - { direction: "INBOUND", protocol: "TCP", range: "22:22" }',
      '  - { direction: "INBOUND", protocol: "ICMP", type: "8" }'
    ).replace("{}", "{ cpu: { type: cpu, label: CPU, measured_unit: cores, accounting_type: limit, unit_factor: 1 } }")
    expect(await noticed(text, own)).toEqual([
      expect.stringMatching(/backend_components\.cpu\.type is not a known key and has no effect/)
    ])
  })
})

import { describe, expect, it } from "@effect/vitest"
import { VdcSettings } from "../../plugins/opennebula-vdc/settings.js"
import { file, noticed, plugins, refused, settingsOnly, withLine, withMore } from "./harness.js"
import { ConfigInvalid, placed } from "./problem.js"

describe("A file that is no YAML is refused with the place", () => {
  it.each([
    [
      "a quote that is not closed",
      withLine("name", '  - name: "Private cloud'),
      "10:38: The file is not valid YAML: a closing quote, bracket or brace, a comma or a colon is missing."
    ],
    [
      "a colon in a value",
      withLine("name", "  - name: Private: cloud"),
      "2:11: The file is not valid YAML: there is a second colon in the line; put the value into quotes."
    ],
    [
      "a tab",
      withLine("waldur_api_url", "\twaldur_api_url: x"),
      "3:1: The file is not valid YAML: there is a tab in the indentation; use spaces."
    ],
    [
      "a list that is not closed",
      withMore("      cluster_ids: [1, 2"),
      "11:25: The file is not valid YAML: the indentation is wrong; what belongs together must begin in one column."
    ],
    [
      "a value that begins with @",
      withLine("name", "  - name: @home"),
      "2:11: The file is not valid YAML: a value begins with a character that has a meaning of its own; put the value into quotes."
    ],
    [
      "an alias of nothing",
      withLine("name", "  - name: *nothing"),
      "2:11: The file is not valid YAML: the alias (*) refers to an anchor (&) that does not exist."
    ],
    [
      "a tag of somebody else's",
      withLine("name", "  - name: !vault abc"),
      "2:11: The file is not valid YAML: there is a tag (!) that is not known here."
    ],
    [
      "two documents",
      `${file()}\n---\nofferings: []`,
      "11:1: The file is not valid YAML: there is more than one document in the file; remove the line with ---."
    ]
  ])("%s", async (_, text, sentence) => {
    expect(await refused(text)).toEqual([sentence])
  })

  it("a syntax error never quotes the line, which may hold a secret", async () => {
    const errors = await refused(withLine("waldur_api_token", '    waldur_api_token: "supersecret" supersecret'))
    expect(errors).toHaveLength(1)
    expect(errors.join()).not.toContain("supersecret")
  })

  it("a key that is written twice", async () => {
    expect(await refused(withMore("      api_url: http://two.example.com:2633/RPC2"))).toEqual([
      "11:7: offerings[0].backend_settings.api_url is written twice: it stands on line 9 already. Remove one of the two."
    ])
  })

  it("aliases that grow beyond reason", async () => {
    const bomb = Array.from({ length: 9 }, (_, n) => `a${n + 1}: &a${n + 1} [${`*a${n},`.repeat(9)}]`)
    expect(await refused(["a0: &a0 [x]", ...bomb, file()].join("\n"))).toEqual([
      "1:1: The file has too many aliases (*)."
    ])
  })
})

describe("A file that is not there, or has nothing in it", () => {
  it.each([
    ["empty", "", "The file is empty. It needs at least a list of offerings."],
    ["only a comment", "# nothing yet\n", "The file is empty. It needs at least a list of offerings."],
    [
      "in another encoding than UTF-8",
      "offerings:\n  - name: Universit\ufffdt\n",
      "2:20: The file is not in UTF-8: there is a character here that cannot be read. Save it as UTF-8."
    ],
    [
      "in UTF-16, as PowerShell writes it",
      "\ufffd\ufffdo\u0000f\u0000",
      "1:1: The file is not in UTF-8: there is a character here that cannot be read. Save it as UTF-8."
    ],
    ["a word", "hello", '1:1: The file must be a mapping, but is "hello".'],
    ["a list", "- name: x", "1:1: The file must be a mapping, but is a list."],
    ["no offerings", "timezone: UTC", "1:1: offerings is missing."],
    ["nothing behind offerings", "offerings:", "1:1: offerings is missing."],
    ["an empty list", "offerings: []", "1:1: offerings must be a list of at least one offering, but is an empty list."],
    ["a mapping", "offerings: { one: two }", "1:1: offerings must be a list, but is a mapping."],
    ["a word in the list", "offerings:\n  - hello", '2:5: offerings[0] must be a mapping, but is "hello".']
  ])("%s", async (_, text, sentence) => {
    expect(await refused(text)).toEqual([sentence])
  })
})

describe("A value of the wrong type is refused with what it must be", () => {
  it("and with the value also where a rule for the mapping around it says so", async () => {
    const rule = withMore("      security_group_defaults: [{ range: 22 }]")
    expect(await refused(rule, { plugins: [settingsOnly("opennebula-vdc", "vdc", VdcSettings)] })).toEqual([
      '11:42: offerings[0].backend_settings.security_group_defaults[0].range must be left out, or have protocol TCP or UDP beside it, but is "22".'
    ])
  })

  it.each([
    ["name", "  - name: [a]", "2:5: offerings[0].name must be text, but is a list."],
    ["name", '  - name: ""', "2:11: offerings[0].name is empty."],
    [
      "waldur_api_url",
      "    waldur_api_url: waldur.example.com",
      '3:21: offerings[0].waldur_api_url must be a URL that begins with https:// or http:// and has no user name in it, but is "waldur.example.com".'
    ],
    [
      "waldur_api_url",
      "    waldur_api_url: ftp://waldur.example.com",
      '3:21: offerings[0].waldur_api_url must be a URL that begins with https:// or http:// and has no user name in it, but is "ftp://waldur.example.com".'
    ],
    [
      "waldur_offering_uuid",
      "    waldur_offering_uuid: abc",
      '5:27: offerings[0].waldur_offering_uuid must be a uuid: 32 hexadecimal digits, dashes or not, but is "abc".'
    ],
    [
      "backend_type",
      "    backend_type: slurm",
      '6:19: offerings[0].backend_type names a backend that is not known: "slurm". Known backends: opennebula-vdc, opennebula-vm.'
    ],
    [
      "backend_type",
      "    backend_type: opennebulla",
      '6:19: offerings[0].backend_type names a backend that is not known: "opennebulla". Did you mean opennebula? Known backends: opennebula-vdc, opennebula-vm.'
    ],
    [
      "order_processing_backend",
      "    order_processing_backend: slurm",
      '7:31: offerings[0].order_processing_backend must name the backend of the offering, opennebula, but is "slurm". Write the same, or leave it empty to switch the function off.'
    ],
    [
      "      api_url",
      "      api_url: one:2633",
      '9:16: offerings[0].backend_settings.api_url must be a URL that begins with http:// or https://, but is "one:2633".'
    ]
  ])("%s: %s", async (key, line, sentence) => {
    expect(await refused(withLine(key, line))).toEqual([sentence])
  })

  it.each([
    ["      zone_id: many", '11:16: offerings[0].backend_settings.zone_id must be a number, but is "many".'],
    ["      zone_id: 1.5", "11:16: offerings[0].backend_settings.zone_id must be an integer, but is 1.5."],
    ["      cluster_ids: 0", "11:20: offerings[0].backend_settings.cluster_ids must be a list, but is 0."],
    ["      cluster_ids: [0, x]", '11:24: offerings[0].backend_settings.cluster_ids[1] must be a number, but is "x".'],
    [
      "      resource_type: container",
      "11:22: offerings[0].backend_settings.resource_type names no resource type of the backend opennebula. Known here: vdc, vm."
    ],
    ["    verify_ssl: perhaps", '11:17: offerings[0].verify_ssl must be true or false, but is "perhaps".'],
    [
      "    stomp_ws_port: 70000",
      "11:20: offerings[0].stomp_ws_port must be a whole number from 1 to 65535, but is 70000."
    ],
    ["    backend_components: { ram: 5 }", "11:32: offerings[0].backend_components.ram must be a mapping, but is 5."],
    [
      "    backend_components: { ram: { unit_factor: 0 } }",
      "11:47: offerings[0].backend_components.ram.unit_factor must be a number above 0, but is 0."
    ],
    [
      "    backend_components: { ram: { accounting_type: limits } }",
      '11:51: offerings[0].backend_components.ram.accounting_type must be "usage", "limit", "fixed" or "one", but is "limits".'
    ],
    ["timezone: Mars", '11:11: timezone must be the name of a time zone, such as "Europe/Tallinn", but is "Mars".'],
    ["poll_interval: fast", '11:16: poll_interval must be a number, but is "fast".'],
    ["http: { port: 99999 }", "11:15: http.port must be a whole number from 0 to 65535, but is 99999."],
    ["http: { port: on }", "11:15: http.port must be a number or false, but is true."],
    ["events_poll_interval: 0", "11:23: events_poll_interval must be a number of seconds from 0.1 to 86400, but is 0."],
    ["poll_interval: 0", "11:16: poll_interval must be a number of seconds from 0.1 to 86400, but is 0."],
    ["log_level: LOUD", '11:12: log_level must be DEBUG, INFO, WARNING, ERROR or CRITICAL, but is "LOUD".'],
    ["reporting_periods: 13", "11:20: reporting_periods must be a whole number from 1 to 12, but is 13."],
    [
      "log_shipping: { ship_interval_seconds: 5 }",
      "11:40: log_shipping.ship_interval_seconds must be a whole number from 10 to 2147483647, but is 5."
    ]
  ])("%s", async (line, sentence) => {
    expect(await refused(withMore(line))).toEqual([sentence])
  })
})

describe("What is missing is named, at the place that lacks it", () => {
  it.each([
    [
      "waldur_api_token",
      "2:5: offerings[0].waldur_api_token is missing. Set it to the token of the agent's user, or set oidc_token_url, oidc_client_id and oidc_client_secret."
    ],
    ["waldur_api_url", "2:5: offerings[0].waldur_api_url is missing."],
    ["waldur_offering_uuid", "2:5: offerings[0].waldur_offering_uuid is missing."],
    ["backend_type", "2:5: offerings[0].backend_type is missing."],
    ["credentials", "8:5: offerings[0].backend_settings.credentials is missing."]
  ])("%s", async (key, sentence) => {
    expect(await refused(withLine(key))).toEqual([sentence])
  })

  it("a token that is empty, or an OIDC client that is not complete", async () => {
    expect(await refused(withLine("waldur_api_token", '    waldur_api_token: ""'))).toEqual([
      "4:5: offerings[0].waldur_api_token is empty. Set it to the token of the agent's user, or set oidc_token_url, oidc_client_id and oidc_client_secret."
    ])
    expect(await refused(withLine("waldur_api_token", "    oidc_client_id: agent"))).toEqual([
      "2:5: offerings[0].waldur_api_token is missing. Set it, or set the rest of the OIDC client as well: oidc_token_url, oidc_client_secret."
    ])
  })
})

describe("A key that is not known is named, with the one that was probably meant", () => {
  it.each([
    ["ofering: 1", "11:1: ofering is not a known key. Did you mean offerings?"],
    ["    verify_sll: false", "11:5: offerings[0].verify_sll is not a known key. Did you mean verify_ssl?"],
    ["      api_ulr: x", "11:7: offerings[0].backend_settings.api_ulr is not a known key. Did you mean api_url?"],
    [
      "      colour: red",
      "11:7: offerings[0].backend_settings.colour is not a known key. Known here: api_url, cluster_ids, credentials, keycloak, pin, resource_type, zone_id."
    ],
    ["log_shipping: { enable: true }", "11:17: log_shipping.enable is not a known key. Did you mean enabled?"],
    [
      "    oidc_client_secret_file: /run/x",
      `11:5: offerings[0].oidc_client_secret_file is not a known key. To take it from a file, write oidc_client_secret: \${file:/path}.`
    ]
  ])("%s", async (line, sentence) => {
    expect(await refused(withMore(line))).toEqual([sentence])
  })

  it("in a component, where the Python agent takes any, it is a notice", async () => {
    expect(await noticed(withMore("    backend_components: { ram: { unit_faktor: 1024 } }"))).toEqual([
      "11:34: offerings[0].backend_components.ram.unit_faktor is not a known key and has no effect. Did you mean unit_factor?"
    ])
  })
})

describe("Several offerings", () => {
  it("cannot have one uuid, in whatever spelling", async () => {
    const second = file()
      .split("\n")
      .slice(1)
      .map((line) => line.replace("c6c4f7b2a1d84e0f9a3b5c7d9e1f2a3b", "C6C4F7B2-A1D8-4E0F-9A3B-5C7D9E1F2A3B"))
    expect(await refused(withMore(...second))).toEqual([
      "14:27: offerings[1].waldur_offering_uuid is that of offerings[0] too, on line 5. Each offering may stand in the file once."
    ])
  })

  it("have all their errors named at once, in the order of the file", async () => {
    const second = ["  - name: Second", "    backend_type: slurm", "    waldur_offering_uuid: zzz"]
    expect(await refused(withMore("      zone_id: many", ...second, "poll_interval: fast"))).toEqual([
      '11:16: offerings[0].backend_settings.zone_id must be a number, but is "many".',
      "12:5: offerings[1].waldur_api_token is missing. Set it to the token of the agent's user, or set oidc_token_url, oidc_client_id and oidc_client_secret.",
      "12:5: offerings[1].waldur_api_url is missing.",
      '13:19: offerings[1].backend_type names a backend that is not known: "slurm". Known backends: opennebula-vdc, opennebula-vm.',
      '14:27: offerings[1].waldur_offering_uuid must be a uuid: 32 hexadecimal digits, dashes or not, but is "zzz".',
      '15:16: poll_interval must be a number, but is "fast".'
    ])
  })
})

describe("What a plain reader would see", () => {
  it("is a line for each error, with a place that editors make a link of", () => {
    const problem = { path: "offerings[0].name", position: { line: 2, column: 5 }, what: "is missing" }
    expect(new ConfigInvalid({ file: "config.yaml", problems: [problem] }).message).toBe(
      "The configuration has an error:\n  config.yaml:2:5: offerings[0].name is missing."
    )
    expect(placed("config.yaml", { path: "", what: "is empty" })).toBe("config.yaml: The file is empty.")
  })

  it("names an offering of which nothing is switched on, as the Python agent's rule has it", async () => {
    expect(await noticed(withLine("order_processing_backend"))).toEqual([
      "2:5: offerings[0].order_processing_backend is empty, as are membership_sync_backend and reporting_backend: nothing is done for this offering. Write order_processing_backend: opennebula to have its orders processed."
    ])
  })

  it("names what works for nobody but a wiretapper", async () => {
    expect(await noticed(withMore("    stomp_enabled: true", "    websocket_use_tls: off"))).toEqual([
      "12:5: offerings[0].websocket_use_tls is off: anybody on the way can read the token. Use TLS outside of tests."
    ])
    expect(await noticed(withMore("    verify_ssl: off"), { plugins })).toEqual([
      "11:5: offerings[0].verify_ssl is off: anybody on the way can read the token. Set ca_file instead."
    ])
  })
})

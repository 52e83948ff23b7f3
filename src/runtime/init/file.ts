/** The configuration file of some answers: everything that was asked, and in comments what else there is to decide. */
import { Redacted } from "effect"
import { printable } from "../../core/index.js"
import type { Answers, Named, OfferingAnswers, Secret } from "./answers.js"

/** Text as the file has it. The loader takes `${` for a reference to something outside. */
const quoted = (text: string): string => JSON.stringify(text.replaceAll("${", () => "$${"))

const secret = (one: Secret): string => {
  switch (one._tag) {
    case "Environment":
      return `\${${one.name}}`
    case "File":
      return JSON.stringify(`\${file:${one.path}}`)
    case "Typed":
      return quoted(Redacted.value(one.value))
  }
}

/** Names are others' words: on one line, and short. */
const named = ({ name }: Named): string => printable(name)

const idsOf = (all: ReadonlyArray<Named>): string => `[${all.map(({ id }) => id).join(", ")}]`

const ca = (indent: string, path: string | undefined): ReadonlyArray<string> =>
  path === undefined ? [] : [`${indent}ca_file: ${quoted(path)}`]

const own = (offering: OfferingAnswers): ReadonlyArray<string> => {
  if (offering.kind === "opennebula-vm") {
    return [
      "",
      `      template_id: ${offering.template.id} # ${named(offering.template)}`,
      "      # allowed_template_ids: []       # further templates that an order may name",
      "      # parent_vdc_backend_id: 100     # the data centre (a group's id) of orders that name none",
      "      # disk_shrink: reject            # or keep: carry out the rest of an order that asks for a smaller disk"
    ]
  }
  const { network } = offering
  return [
    "",
    ...(network === undefined
      ? [
          "# Without both of these a data centre has no network, router and security group.",
          "# external_network_id: 0",
          "# virtual_router_template_id: 7   # a VM template with VROUTER=YES"
        ].map((line) => `      ${line}`)
      : [
          `      external_network_id: ${network.external.id} # ${named(network.external)}: routers' uplinks, floating addresses`,
          `      virtual_router_template_id: ${network.routerTemplate.id} # ${named(network.routerTemplate)}`,
          "      # How the tenants' networks are carried. Look whether these fit your hosts.",
          "      vn_mad: vxlan",
          "      vxlan_phydev: eth0",
          "      # Each data centre gets the next free subnet of the pool.",
          "      internal_network_base: 10.0.0.0",
          "      internal_network_prefix: 8",
          "      subnet_prefix_length: 24",
          "      default_dns: 9.9.9.9",
          "      # default_security_group: false    # without it these rules let nothing less in: OpenNebula's own group (0) is on every network too",
          "      security_group_defaults:",
          '        - { direction: inbound, protocol: TCP, range: "22,80,443" }',
          "        - { direction: outbound, protocol: ALL }"
        ]),
    "      create_opennebula_user: true # a user for each data centre, whose password is shown in Waldur",
    "      terminate_policy: refuse # or cascade: machines that are left are ended with their data centre"
  ]
}

const offeringLines = (answers: Answers, offering: OfferingAnswers): ReadonlyArray<string> => {
  const { openNebula, waldur } = answers
  const { clusters, zone } = openNebula
  return [
    `  - name: ${quoted(offering.name)}`,
    `    waldur_api_url: ${quoted(waldur.apiUrl)}`,
    `    waldur_api_token: ${secret(waldur.token)}`,
    ...ca("    ", waldur.caFile),
    `    waldur_offering_uuid: ${offering.uuid}`,
    "    # What the agent does for this offering: the backend's name switches it on, nothing switches it off.",
    `    backend_type: ${offering.kind}`,
    `    order_processing_backend: ${offering.kind}`,
    `    # reporting_backend: ${offering.kind}         # usage reports (docs/usage.md)`,
    ...(offering.kind === "opennebula-vdc"
      ? [`    # membership_sync_backend: ${offering.kind}   # members of projects get access (docs/membership.md)`]
      : []),
    "    # stomp_enabled: true                # events from Waldur: orders start at once (docs/events.md)",
    "    # order_deadlines: { create: 1d, update: 1d, terminate: never }   # then an order is undone",
    `    # Components in Waldur: ${offering.components.join(", ") || "none yet"}. backend_components would win over them.`,
    "    backend_settings:",
    `      api_url: ${quoted(openNebula.apiUrl)}`,
    `      credentials: ${secret(openNebula.credentials)}`,
    ...ca("      ", openNebula.caFile),
    `      zone_id: ${zone.id} # ${named(zone)}`,
    `      cluster_ids: ${idsOf(clusters)} # ${clusters.length === 0 ? "all of the zone" : clusters.map(named).join(", ")}`,
    ...own(offering)
  ]
}

const secretsTold = ({ openNebula, waldur }: Answers): ReadonlyArray<string> => {
  const typed = [waldur.token, openNebula.credentials].some(({ _tag }) => _tag === "Typed")
  return typed
    ? [
        `# It holds secrets: keep it readable for the agent alone (mode 0600). To have them elsewhere, write \${NAME} for an`,
        `# environment variable, or \${file:/path} for the text of a file.`
      ]
    : [`# It holds no secrets: \${NAME} is an environment variable, \${file:/path} the text of a file.`]
}

/** YAML, with comments. Holds the secrets that were typed in. */
export const fileOf = (answers: Answers): string =>
  [
    "# The configuration of site-actors, as `site-actors init` wrote it. What is commented out shows a default or an example;",
    "# examples/config.yaml and docs/configuration.md have every key.",
    ...secretsTold(answers),
    "",
    "# Folder of the journal: what the agent has done and has still to do. Keep it on a disk that survives a restart.",
    `data_dir: ${quoted(answers.dataDir)}`,
    "",
    "poll_interval: 5 # seconds between two looks for orders",
    "log_level: INFO # DEBUG, INFO, WARNING, ERROR, CRITICAL",
    "timezone: UTC # billing months begin and end at midnight here",
    "# Health, metrics and the page for operators: http://127.0.0.1:8090/ (docs/page.md).",
    "# http: { host: 127.0.0.1, port: 8090 }",
    "",
    "offerings:",
    ...answers.offerings.flatMap((offering, index) => [
      ...(index === 0 ? [] : [""]),
      ...offeringLines(answers, offering)
    ]),
    ""
  ].join("\n")

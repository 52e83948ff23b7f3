/**
 * `backend_settings` of a VDC offering. Key names and defaults are the Python agent's; what it does not know is marked "new".
 *
 * Some of them may be overridden per order by the offering's `plugin_options` in Waldur (`withPluginOptions`): what describes networks
 * and places. What protects tenants from each other, and which front-end it is, stands in the configuration file alone.
 */
import { isIP } from "node:net"
import { Effect, ParseResult, Schema } from "effect"
import { OfferingFault } from "../../plugin/index.js"
import { HttpUrl, listOf, ObjectId, openNebulaFields, pauseFields, Seconds, WholeNumber } from "../settings.js"

const TextOrNumber = Schema.Union(
  Schema.String,
  Schema.transform(Schema.Number, Schema.String, {
    strict: true,
    decode: String,
    encode: Number
  })
)

const NameServers = Schema.String.pipe(
  Schema.filter((text) => text.split(/[\s,]+/).every((one) => one === "" || isIP(one) !== 0), {
    message: () => "Expected addresses of DNS servers, with blanks between them"
  })
)

/** "22", "80,443", "1000:2000". */
const isPorts = (text: string): boolean =>
  /^\d+(:\d+)?(,\d+(:\d+)?)*$/.test(text) && text.split(/[,:]/).every((port) => Number(port) <= 65535)

/**
 * One of `security_group_defaults`: `{ protocol: TCP, direction: inbound, range: "22", type: "8" }`. What OpenNebula takes of it is asked here, as it
 * would else refuse each order (recording 424; 7.4 `SecurityGroup::is_valid`).
 */
export const SecurityRule = Schema.Struct({
  protocol: Schema.optionalWith(
    Schema.String.pipe(
      Schema.filter((text) => /^(tcp|udp|icmp|icmpv6|ipsec|all)$/i.test(text), {
        message: () => "Expected TCP, UDP, ICMP, ICMPV6, IPSEC or ALL"
      })
    ),
    { default: () => "ALL" }
  ),
  direction: Schema.optionalWith(
    Schema.Literal("inbound", "outbound", "INBOUND", "OUTBOUND").annotations({
      message: () => 'Expected the direction "inbound" or "outbound"'
    }),
    { default: () => "inbound" as const }
  ),
  /** Ports: "22", "80,443", "1000:2000". */
  range: Schema.optional(
    TextOrNumber.pipe(
      Schema.filter((text) => text === "" || isPorts(text), {
        message: () => 'Expected ports up to 65535 without blanks, as in "22", "80,443" or "1000:2000"'
      })
    )
  ),
  /** ICMP type. */
  type: Schema.optional(
    TextOrNumber.pipe(
      Schema.filter((text) => /^\d*$/.test(text), { message: () => "Expected the number of an ICMP type" })
    )
  )
}).pipe(
  Schema.filter(({ protocol, range, type }) => [
    ...((range ?? "") === "" || /^(tcp|udp)$/i.test(protocol)
      ? []
      : [{ path: ["range"], message: "Expected left out, or have protocol TCP or UDP beside it" }]),
    ...((type ?? "") === "" || /^icmp$/i.test(protocol)
      ? []
      : [{ path: ["type"], message: "Expected left out, or have protocol ICMP beside it" }])
  ])
)
export type SecurityRule = typeof SecurityRule.Type

const PrefixLength = WholeNumber.pipe(
  Schema.between(0, 32, { message: () => "Expected a prefix length between 0 and 32" })
)

/** Cores, or MB. */
const Limit = Schema.Number.pipe(Schema.nonNegative({ message: () => "Expected a number, 0 or more" }))

/** Without a default each: what an offering's `plugin_options` may set. */
const overridable = {
  zone_id: ObjectId,
  cluster_ids: listOf(ObjectId),
  /** The router's uplink. Without it, or without the router's template, a VDC has no network, router and security group. */
  external_network_id: ObjectId,
  /** The VM template of routers (VROUTER=YES). */
  virtual_router_template_id: ObjectId,
  /** VN_MAD of the tenants' networks. */
  vn_mad: Schema.NonEmptyString,
  /** PHYDEV of vxlan and 802.1Q networks. */
  vxlan_phydev: Schema.NonEmptyString,
  /** New: drivers other than vxlan and 802.1Q take a BRIDGE of the hosts instead of a device (OpenNebula 7.4). */
  network_bridge: Schema.NonEmptyString,
  /** DNS of the tenants' networks; empty: none. */
  default_dns: NameServers,
  /** The pool that subnets come from: its address. */
  internal_network_base: Schema.NonEmptyString,
  /** The pool's prefix length: 8 with 10.0.0.0 is 10.0.0.0/8. */
  internal_network_prefix: PrefixLength,
  /** The size of a subnet that nobody asked for: 24 is a /24. */
  subnet_prefix_length: PrefixLength,
  /** Rules of the security group `<name>_default`; none: no security group. */
  security_group_defaults: listOf(SecurityRule),
  /** SCHED_REQUIREMENTS of the router's VM. Empty: one of the clusters. */
  sched_requirements: Schema.String,
  /** A user `<name>_admin` in the VDC's group, whose password is shown in Waldur. */
  create_opennebula_user: Schema.Boolean,
  /** New: what happens to VMs that are left when a VDC is terminated. */
  terminate_policy: Schema.Literal("refuse", "cascade")
} as const

/**
 * Whether Keycloak's certificate is verified, or the path of the authority's file, which the Python agent hands to its client as it is (source:
 * waldur-site-agent, plugins/keycloak-client/.../schemas.py). A path has a slash, so that a "no" in quotes is none.
 */
const SslVerify = Schema.Union(
  Schema.Boolean,
  Schema.String.pipe(
    Schema.filter((text) => text.includes("/"), { message: () => "Expected true, false, or the path of a PEM file" })
  )
)

const Keycloak = Schema.Struct({
  keycloak_url: Schema.optional(Schema.String),
  keycloak_realm: Schema.optional(Schema.String),
  keycloak_user_realm: Schema.optional(Schema.String),
  client_id: Schema.optional(Schema.String),
  keycloak_username: Schema.optional(Schema.String),
  keycloak_password: Schema.optional(Schema.Redacted(Schema.String)),
  keycloak_ssl_verify: Schema.optional(SslVerify),
  /** New: of `client_id`, whose service account is used where there is no keycloak_username. */
  client_secret: Schema.optional(Schema.Redacted(Schema.NonEmptyString)),
  /** New: PEM file of the authority that signed Keycloak's certificate. */
  keycloak_ca_file: Schema.optional(Schema.NonEmptyString),
  /** New: HTTP proxy to Keycloak: `http://[user:password@]proxy.example.org:3128`. */
  keycloak_proxy: Schema.optional(Schema.Redacted(HttpUrl)),
  /** New: for one call, in seconds. */
  keycloak_timeout: Schema.optional(Seconds)
})

const VdcRole = Schema.Struct({
  name: Schema.NonEmptyString,
  one_group_suffix: Schema.NonEmptyString,
  default_view: Schema.optional(Schema.String),
  views: Schema.optional(Schema.String),
  group_admin: Schema.optional(Schema.Boolean)
})

export const VdcSettings = Schema.Struct({
  ...openNebulaFields,
  /** The Python agent's way to name this plugin. */
  resource_type: Schema.optional(Schema.Literal("vdc")),
  external_network_id: Schema.optional(overridable.external_network_id),
  virtual_router_template_id: Schema.optional(overridable.virtual_router_template_id),
  vn_mad: Schema.optionalWith(overridable.vn_mad, { default: () => "vxlan" }),
  vxlan_phydev: Schema.optionalWith(overridable.vxlan_phydev, { default: () => "eth0" }),
  network_bridge: Schema.optional(overridable.network_bridge),
  default_dns: Schema.optionalWith(overridable.default_dns, { default: () => "8.8.8.8" }),
  internal_network_base: Schema.optionalWith(overridable.internal_network_base, { default: () => "10.0.0.0" }),
  internal_network_prefix: Schema.optionalWith(overridable.internal_network_prefix, { default: () => 8 }),
  subnet_prefix_length: Schema.optionalWith(overridable.subnet_prefix_length, { default: () => 24 }),
  security_group_defaults: Schema.optionalWith(overridable.security_group_defaults, { default: () => [] }),
  sched_requirements: Schema.optionalWith(overridable.sched_requirements, { default: () => "" }),
  create_opennebula_user: Schema.optionalWith(overridable.create_opennebula_user, { default: () => false }),
  terminate_policy: Schema.optionalWith(overridable.terminate_policy, { default: () => "refuse" as const }),
  /** New: a tenant may use its own network only, not every network of its clusters. */
  tenant_isolation: Schema.optionalWith(Schema.Boolean, { default: () => true }),
  /**
   * New: whether tenants may put machines on the external network too, where `floating_ip` is sold: as many as they have ordered, the router's among
   * them.
   */
  tenant_external_network: Schema.optionalWith(Schema.Boolean, { default: () => false }),
  /**
   * New: whether OpenNebula's own security group `default` (0) stays on new tenants' networks. As it comes, it lets everything through, whatever
   * `security_group_defaults` say.
   */
  default_security_group: Schema.optionalWith(Schema.Boolean, { default: () => true }),
  /** New: how long the router's VM may take until it runs, in seconds (always 300 in the Python agent); the time in which no agent ran, the offering was stopped or one of its servers away does not count. */
  router_start_timeout: Schema.optionalWith(Seconds, { default: () => 300 }),
  /** New: how long routers, VMs and leases may take until they are gone, in seconds. */
  teardown_timeout: Schema.optionalWith(Seconds, { default: () => 300 }),
  ...pauseFields,
  /** New: how much of a data centre that Waldur calls downscaled may run at once. Without it, that is only shown. */
  downscaled_limits: Schema.optional(Schema.Struct({ cpu: Limit, ram: Limit })),
  /** New: who knows the members. Where it is left out: `keycloak` if `keycloak_enabled`, else OpenNebula itself. */
  identity_provider: Schema.optional(Schema.Literal("opennebula", "keycloak")),
  /** New: Waldur's role in the project -> one of `vdc_roles`. Others get `default_user_role`, as all do in the Python agent. */
  role_mapping: Schema.optionalWith(Schema.Record({ key: Schema.String, value: Schema.NonEmptyString }), {
    default: () => ({})
  }),
  /** New: AUTH_DRIVER of members' own users. With `core` OpenNebula checks their passwords itself. */
  member_auth_driver: Schema.optionalWith(Schema.NonEmptyString, { default: () => "core" }),
  /** Members come by Keycloak and SAML (docs/membership.md). */
  keycloak_enabled: Schema.optionalWith(Schema.Boolean, { default: () => false }),
  /** Where Keycloak is, and who the agent is there. */
  keycloak: Schema.optional(Keycloak),
  /** The file that tells OpenNebula's SAML driver which group is which. */
  saml_mapping_file: Schema.optionalWith(Schema.String, { default: () => "/var/lib/one/keycloak_groups.yaml" }),
  /** The role of members whose role is in no mapping. */
  default_user_role: Schema.optionalWith(Schema.String, { default: () => "user" }),
  /** The roles, and the groups and views they stand for. */
  vdc_roles: Schema.optional(listOf(VdcRole)),
  // The Python agent's VM offerings share the file's layout; in a VDC offering these say nothing.
  /** Of the Python agent's VM offerings; says nothing here. */
  parent_vdc_backend_id: Schema.optional(Schema.String),
  /** Of the Python agent's VM offerings; says nothing here. */
  template_id: Schema.optional(ObjectId),
  /** Of the Python agent's VM offerings; says nothing here. */
  engine_image_id: Schema.optional(ObjectId),
  /** Of the Python agent, which then keeps what a Terminate order ends. Here it must be false: such an order removes the data centre. */
  soft_delete: Schema.optional(
    Schema.Literal(false).annotations({
      message: () => "Expected false: a Terminate order removes the data centre here, and keeps nothing of it"
    })
  ),
  /** Of the Python agent; says nothing here. */
  customer_prefix: Schema.optional(Schema.String),
  /** Of the Python agent; says nothing here. */
  project_prefix: Schema.optional(Schema.String)
})
export type VdcSettings = typeof VdcSettings.Type

const PluginOptions = Schema.partialWith(Schema.Struct(overridable), { exact: true })

/** The settings that hold for one order. Options of other names are Waldur's or other plugins' own; empty ones say nothing. */
export const withPluginOptions = (
  settings: VdcSettings,
  pluginOptions: Readonly<Record<string, unknown>>
): Effect.Effect<VdcSettings, OfferingFault> => {
  const said = Object.entries(pluginOptions).filter(
    ([, value]) => value !== null && value !== undefined && value !== ""
  )
  return Schema.decodeUnknown(PluginOptions, { errors: "all" })(Object.fromEntries(said)).pipe(
    Effect.map((overrides) => ({ ...settings, ...overrides })),
    Effect.mapError(
      (error) =>
        new OfferingFault({
          reason: "The offering's plugin_options in Waldur do not fit opennebula-vdc.",
          hint: ParseResult.ArrayFormatter.formatErrorSync(error)
            .map((issue) => `${issue.path.map(String).join(".")}: ${issue.message}`)
            .join("; ")
        })
    )
  )
}

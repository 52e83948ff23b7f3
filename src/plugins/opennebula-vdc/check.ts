/** `site-actors check`: does everything that the settings name exist, and does it fit? */
import { Effect } from "effect"
import { type Vector, vectorsOf } from "../../opennebula/index.js"
import type { CheckResult } from "../../plugin/index.js"
import { administrator, datastores, line, look, noSuch, release } from "../looks.js"
import { type Cloud, namesOf } from "./cloud.js"
import { mappingWritable } from "./mapping-file.js"
import { rolesOf } from "./members/roles.js"
import { defaultSecurityGroup } from "./network.js"
import { networkProblem, takesDevice } from "./plan.js"
import { limited } from "./quotas.js"

const zone = ({ one, settings }: Cloud) => {
  const subject = `zone ${settings.zone_id}`
  return look(
    subject,
    Effect.map(one.zone.list(), (zones) => {
      const found = zones.find(({ id }) => id === settings.zone_id)
      return found === undefined
        ? line(subject, "failed", `no such zone; there are: ${namesOf(zones.map(({ id, name }) => `${id} (${name})`))}`)
        : line(subject, "ok", found.name)
    })
  )
}

const clusters = ({ one, settings }: Cloud): Effect.Effect<ReadonlyArray<CheckResult>> =>
  one.cluster.list().pipe(
    Effect.map((found) => {
      if (settings.cluster_ids.length === 0) {
        return [line("clusters", "ok", `all: ${namesOf(found.map(({ id, name }) => `${id} (${name})`))}`)]
      }
      return settings.cluster_ids.map((id) => {
        const cluster = found.find((candidate) => candidate.id === id)
        return cluster === undefined
          ? line(`cluster ${id}`, "failed", noSuch("cluster", "cluster_ids"))
          : line(`cluster ${id}`, "ok", `${cluster.name}, ${cluster.hosts.length} hosts`)
      })
    }),
    Effect.catchAll((error) => Effect.succeed([line("clusters", "failed", error.message)]))
  )

const externalNetwork = ({ one }: Cloud, id: number) => {
  const subject = `external network ${id}`
  return look(
    subject,
    Effect.map(one.network.info(id), (network) => {
      const size = network.addressRanges.reduce((sum, range) => sum + range.size, 0)
      const detail = `${network.name}, ${size - network.usedLeases} of ${size} addresses free`
      return line(subject, size > network.usedLeases ? "ok" : "warning", detail)
    }).pipe(Effect.catchTag("NoSuchObject", () => missing(subject, "network", "external_network_id")))
  )
}

const missing = (subject: string, kind: string, key: string) =>
  Effect.succeed(line(subject, "failed", noSuch(kind, key)))

const routerTemplate = ({ one }: Cloud, id: number) => {
  const subject = `router template ${id}`
  return look(
    subject,
    Effect.map(one.template.info(id), (template) =>
      template.isVirtualRouter
        ? line(subject, "ok", template.name)
        : line(subject, "failed", `${template.name} is not a virtual router's (VROUTER="YES")`)
    ).pipe(Effect.catchTag("NoSuchObject", () => missing(subject, "VM template", "virtual_router_template_id")))
  )
}

const isOpen = (rule: Vector): boolean => {
  const { PROTOCOL = "", RULE_TYPE = "", ...others } = rule.values
  return /^all$/i.test(PROTOCOL) && /^inbound$/i.test(RULE_TYPE) && Object.keys(others).length === 0
}

/**
 * Do the rules of `security_group_defaults` keep anything out? Not beside a group that lets everything in, and OpenNebula's own is on each network.
 */
const securityRules = ({ one, settings }: Cloud): Effect.Effect<ReadonlyArray<CheckResult>> => {
  if (settings.security_group_defaults.length === 0) return Effect.succeed([])
  const subject = "security_group_defaults"
  if (!settings.default_security_group) return Effect.succeed([line(subject, "ok", "hold alone")])
  const found = look(
    subject,
    Effect.map(one.securityGroup.info(defaultSecurityGroup), ({ id, name, template }) =>
      vectorsOf(template, "RULE").some(isOpen)
        ? line(
            subject,
            "warning",
            `without effect: OpenNebula's own security group ${name} (${id}) is on every network too, and lets everything in; default_security_group: false takes it off new networks`
          )
        : line(subject, "ok", `hold beside those of OpenNebula's own security group ${name} (${id})`)
    )
  )
  return Effect.map(found, (result) => [result])
}

const networking = (cloud: Cloud): Effect.Effect<ReadonlyArray<CheckResult>> => {
  const { settings, components } = cloud
  const { external_network_id: external, virtual_router_template_id: template } = settings
  if (external === undefined || template === undefined) {
    const sold = components.some(({ type }) => type === "floating_ip")
    return Effect.succeed([
      line("networks", "warning", "none: external_network_id and virtual_router_template_id are not both given"),
      ...(sold && external === undefined
        ? [line("component floating_ip", "warning", "not limited: there is no external_network_id")]
        : [])
    ])
  }
  const problem = networkProblem(settings)
  const device = takesDevice(settings.vn_mad) ? settings.vxlan_phydev : settings.network_bridge
  return Effect.map(
    Effect.all([externalNetwork(cloud, external), routerTemplate(cloud, template), securityRules(cloud)], {
      concurrency: "unbounded"
    }),
    ([network, router, rules]) => [
      network,
      router,
      ...rules,
      problem === undefined
        ? line(
            "subnets",
            "ok",
            `/${settings.subnet_prefix_length} of ${settings.internal_network_base}/${settings.internal_network_prefix}, ${settings.vn_mad} on ${device}`
          )
        : line("subnets", "failed", problem),
      ...addresses(cloud)
    ]
  )
}

/** Of an offering with networks: is what is sold of any use? */
const addresses = ({ components, settings }: Cloud): ReadonlyArray<CheckResult> => {
  if (!components.some(({ type }) => type === "floating_ip")) return []
  return settings.tenant_isolation && !settings.tenant_external_network
    ? [
        line(
          "component floating_ip",
          "warning",
          "tenants have no right to the external network, so beyond the router's own address they can use none of what they order, unless the network's own permissions let them; tenant_external_network: true gives new data centres the right"
        )
      ]
    : [line("component floating_ip", "ok", "tenants may use the external network")]
}

/** Orders name what is sold by limit or by plan, and those that name what a data centre does not have are refused. */
const sold = ({ components }: Cloud): ReadonlyArray<CheckResult> => {
  const named = components.filter(({ accountingType }) => accountingType === "limit" || accountingType === "fixed")
  const unknown = named.filter(({ type }) => !limited.includes(type))
  if (unknown.length < named.length)
    return unknown.map(({ type }) =>
      line(
        `component ${type}`,
        "warning",
        "billed by plan, and a data centre has none of it, so orders of a plan that says how much are refused; have it billed in another way"
      )
    )
  if (named.length === 0) return []
  return [
    line(
      "what is sold",
      "failed",
      `${namesOf(named.map(({ type }) => type))}, and a data centre has none of these, so its orders would be refused. It has ${limited.join(", ")}. If this is the offering of something else, correct waldur_offering_uuid`
    )
  ]
}

const isolation = ({ settings }: Cloud): CheckResult => {
  const subject = "tenant isolation"
  if (!settings.tenant_isolation) {
    return line(subject, "warning", "off: every tenant can use every network of its clusters")
  }
  const { external_network_id: external, network_bridge: bridge, virtual_router_template_id: router, vn_mad } = settings
  const isOneWire = external !== undefined && router !== undefined && !takesDevice(vn_mad) && bridge !== undefined
  return isOneWire
    ? line(
        subject,
        "warning",
        `all tenants' networks are on the bridge ${bridge}, so a machine can reach those of others: vxlan and 802.1Q keep them apart`
      )
    : line(subject, "ok", "tenants use their own networks only")
}

/** Whoever's role is not among `vdc_roles` gets no access; only the log of each round would say so. */
const roles = ({ settings }: Cloud): ReadonlyArray<CheckResult> => {
  const known = rolesOf(settings).map(({ name }) => name)
  const named = [
    ["default_user_role", settings.default_user_role] as const,
    ...Object.entries(settings.role_mapping).map(([from, to]) => [`role_mapping.${from}`, to] as const)
  ]
  return named
    .filter(([, role]) => !known.includes(role))
    .map(([key, role]) =>
      line(
        "roles",
        "warning",
        `${key} is ${JSON.stringify(role)}, and vdc_roles has ${known.join(", ")}: where members are synchronised, those with this role get no access. Correct it, or add the role to vdc_roles`
      )
    )
}

/** Not asked: OpenNebula's configuration has passwords in it. */
const memberDriver = ({ keycloak, settings }: Cloud): ReadonlyArray<CheckResult> =>
  keycloak !== undefined || settings.member_auth_driver === "core"
    ? []
    : [
        line(
          "member_auth_driver",
          "warning",
          `members' users have the driver ${settings.member_auth_driver}: it must not manage their groups. ldap and saml do, unless their AUTH_MAD_CONF in oned.conf has DRIVER_MANAGED_GROUPS = "NO"; then members cannot be put into a second data centre, nor taken out of one, and it cannot be ended`
        )
      ]

/** Passwords in clear that the Python agent left in users' templates. */
const storedPasswords = ({ one }: Cloud): Effect.Effect<ReadonlyArray<CheckResult>> =>
  one.user.list().pipe(
    Effect.map((users) => {
      const names = users.filter(({ hasStoredPassword }) => hasStoredPassword).map(({ name }) => name)
      const detail = `in clear in the templates of ${namesOf(names)}: \`site-actors reset-password --remove-stored\``
      return names.length === 0 ? [] : [line("stored passwords", "warning", detail)]
    }),
    // That users cannot be read is said elsewhere.
    Effect.orElseSucceed(() => [])
  )

/** Keycloak, and the file by which logins find their groups. */
const identityProvider = ({ keycloak, settings }: Cloud): Effect.Effect<ReadonlyArray<CheckResult>> => {
  if (keycloak === undefined) return Effect.succeed([])
  const { saml_mapping_file: file } = settings
  return Effect.all([
    look("Keycloak", Effect.as(keycloak.ping, line("Keycloak", "ok", keycloak.endpoint))),
    file === ""
      ? Effect.succeed(line("SAML mapping file", "ok", "none: OpenNebula keeps it itself"))
      : mappingWritable(file).pipe(
          Effect.as(line("SAML mapping file", "ok", file)),
          Effect.catchAll((error) => Effect.succeed(line("SAML mapping file", "warning", error.message)))
        )
  ])
}

export const check = (cloud: Cloud): Effect.Effect<ReadonlyArray<CheckResult>> =>
  Effect.gen(function* () {
    const { one, settings } = cloud
    const frontEnd = yield* release(one)
    // Nobody there, or the wrong password: every other line would say the same again.
    if (frontEnd.status === "failed") return [frontEnd]
    const [user, place, groups, stores, networks, identity, stored] = yield* Effect.all(
      [
        administrator(one),
        zone(cloud),
        clusters(cloud),
        datastores(one, settings.cluster_ids),
        networking(cloud),
        identityProvider(cloud),
        storedPasswords(cloud)
      ],
      { concurrency: "unbounded" }
    )
    const own = [...sold(cloud), isolation(cloud), ...roles(cloud), ...memberDriver(cloud)]
    return [frontEnd, user, place, ...groups, ...stores, ...networks, ...own, ...identity, ...stored]
  })

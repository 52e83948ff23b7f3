/**
 * What an order may ask of a machine beyond its size: a host name, further networks and security groups. Each is asked for by an attribute,
 * and costs an order without it no call.
 *
 * Networks and security groups must be the virtual data centre's own, by its group: a name or an id alone could be another tenant's.
 */
import { Effect, Schema } from "effect"
import { type OpenNebulaService, type Vector, vector } from "../../../opennebula/index.js"
import { OrderRefused, printable, type SiteError } from "../../../plugin/index.js"
import { field, given, textOf } from "../fields.js"
import type { Parent } from "../parent.js"

/** RFC 1123: labels of letters, digits and hyphens; no `$`, which OpenNebula would take for a variable in CONTEXT. */
const hostName = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i

/** A list, or what a form has instead of one: texts between commas. */
const Names = Schema.transform(
  Schema.Union(Schema.Array(Schema.Union(Schema.String, Schema.Int)), Schema.String, Schema.Int),
  Schema.Array(Schema.String),
  {
    strict: true,
    decode: (value) =>
      (Array.isArray(value) ? value.map(String) : String(value).split(",")).map((name) => name.trim()).filter(Boolean),
    encode: (names) => names
  }
)
/** More than any order needs; a template of thousands would hold up the front-end. */
const most = 8
const names = (what: string) =>
  field(Names.pipe(Schema.filter((list) => list.length <= most)), `up to ${most} ${what}, by name or id`)

export const extraFields = {
  hostname: field(
    textOf.pipe(Schema.filter((text) => hostName.test(text))),
    "a host name such as web1 or web1.example.org"
  ),
  networks: names("networks"),
  security_groups: names("security groups")
}

export interface ExtraAttributes {
  readonly hostname?: string | undefined
  readonly networks?: ReadonlyArray<string> | "" | undefined
  readonly security_groups?: ReadonlyArray<string> | "" | undefined
}

/** Ids, found to be the data centre's own. */
export const Extras = Schema.Struct({
  hostname: Schema.optional(Schema.String),
  networks: Schema.Array(Schema.Int),
  securityGroups: Schema.Array(Schema.Int)
})
export type Extras = typeof Extras.Type

export const chooseExtras = (
  one: OpenNebulaService,
  attributes: ExtraAttributes,
  parent: Parent
): Effect.Effect<Extras | undefined, SiteError> =>
  Effect.gen(function* () {
    const hostname = given(attributes.hostname)
    const networks = [...(attributes.networks ?? [])]
    const groups = [...(attributes.security_groups ?? [])]
    if (hostname === undefined && networks.length === 0 && groups.length === 0) return undefined
    return {
      ...(hostname === undefined ? {} : { hostname }),
      networks:
        networks.length === 0
          ? []
          : // The first interface is there anyway.
            (yield* ownOf("network", networks, one.network.list(), parent.group)).filter((id) => id !== parent.network),
      securityGroups:
        groups.length === 0 ? [] : yield* ownOf("security group", groups, one.securityGroup.list(), parent.group)
    }
  })

/** 0 is oneadmin, 1 users. */
const lastOwnGroup = 1

interface Owned {
  readonly id: number
  readonly name: string
  readonly gid: number
}

/** The ids of those that are named, each once. */
const ownOf = (
  what: string,
  asked: ReadonlyArray<string>,
  pool: Effect.Effect<ReadonlyArray<Owned>, SiteError>,
  group: number
): Effect.Effect<ReadonlyArray<number>, SiteError> =>
  Effect.gen(function* () {
    // OpenNebula's own groups are nobody's data centre: what is theirs is the provider's.
    const own = (yield* pool).filter(({ gid }) => gid === group && gid > lastOwnGroup)
    const found = yield* Effect.forEach(asked, (name) => {
      const called = own.filter((one) => (/^\d{1,9}$/.test(name) ? one.id === Number(name) : one.name === name))
      const [first] = called
      if (first !== undefined && called.length === 1) return Effect.succeed(first.id)
      const shown = own.map((one) => `${printable(one.name)} (${one.id})`).join(", ")
      return new OrderRefused({
        customerMessage:
          first === undefined
            ? `"${printable(name)}" is no ${what} of the virtual data centre${shown === "" ? "" : ` (it has ${shown})`}: choose another and order again.`
            : `The virtual data centre has several ${what}s named "${printable(name)}": name one by its id.`
      })
    })
    return [...new Set(found)]
  })

/** The data centre's own security group stays: what was asked for comes on top. */
export const securityGroupsOf = (parent: Parent, extras: Extras | undefined): string | undefined => {
  const all = [...(parent.securityGroup === undefined ? [] : [parent.securityGroup]), ...(extras?.securityGroups ?? [])]
  return all.length === 0 ? undefined : [...new Set(all)].join(",")
}

/** Interfaces behind all others, in the order in which they were asked for. */
export const extraInterfaces = (parent: Parent, extras: Extras | undefined): ReadonlyArray<Vector> =>
  (extras?.networks ?? []).map((network) =>
    vector("NIC", { NETWORK_ID: network, SECURITY_GROUPS: securityGroupsOf(parent, extras) })
  )

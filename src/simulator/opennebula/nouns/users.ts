/** Users: who may log in, with what password, in which groups. Deleting one orphans what it owns. */
import { createHash } from "node:crypto"
import type { Call, Methods } from "../method.js"
import { actionRefused, badApiCall, internalError, type Refusal } from "../wire/refusals.js"
import { int, string } from "../wire/values.js"
import { cdata, element, idList, wrap } from "../wire/xml.js"
import { isAdministrator, mayDo, requireRight, type Target } from "../world/access.js"
import type { Right } from "../world/acl-bits.js"
import { claimName, nameFault } from "../world/names.js"
import type { User } from "../world/objects.js"
import { updateTemplate } from "../world/owned.js"
import { defaultQuotaDocument, quotaDocument, setQuotas } from "../world/quotas.js"
import { single, Template } from "../world/template.js"
import { noQuotas, type World } from "../world/world.js"
import { dropRulesOfUser } from "./acl.js"

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex")

/** The last password and its hash: nearly all calls come with the same. */
let lastHashed = { secret: "", hash: sha256("") }

const hashOf = (secret: string): string => {
  if (lastHashed.secret !== secret) lastHashed = { secret, hash: sha256(secret) }
  return lastHashed.hash
}

const target = (user: User): Target => ({ kind: "USER", id: user.id, uid: user.id, gid: user.gid })

/** Finds who `name:password` is, or undefined. The password may also be a login token. */
export const authenticate = (world: World, session: string): User | undefined => {
  const colon = session.indexOf(":")
  if (colon <= 0) return undefined
  const user = world.users.byName(session.slice(0, colon))
  const secret = session.slice(colon + 1)
  if (user === undefined || !user.enabled || secret === "") return undefined
  const byToken = user.tokens.some(({ expires, token }) => token === secret && (expires === -1 || expires > world.now))
  return byToken || user.passwordHash === hashOf(secret) ? user : undefined
}

const headDocument = (world: World, user: User): string =>
  element("ID", user.id) +
  element("GID", user.gid) +
  idList(
    "GROUPS",
    [...user.groups].sort((a, b) => a - b)
  ) +
  element("GNAME", world.groups.find(user.gid)?.name ?? "") +
  element("NAME", user.name) +
  cdata("PASSWORD", user.passwordHash) +
  cdata("AUTH_DRIVER", user.authDriver) +
  element("ENABLED", user.enabled ? 1 : 0) +
  user.tokens
    .map(({ egid, expires, token }) =>
      wrap("LOGIN_TOKEN", element("TOKEN", token) + element("EXPIRATION_TIME", expires) + element("EGID", egid))
    )
    .join("") +
  wrap("TEMPLATE", user.template.toXml())

const userDocument = (world: World, user: User): string =>
  wrap(
    "USER",
    headDocument(world, user) +
      quotaDocument(world, { kind: "user", id: user.id }) +
      defaultQuotaDocument(world, "user")
  )

const forUser = (call: Call, right: Right): User => {
  const id = call.args.int(0)
  const user = call.world.users.get(id === -1 ? call.caller.id : id)
  requireRight(call.world, call.caller, right, target(user))
  return user
}

export const makeUser = (
  world: World,
  name: string,
  password: string,
  authDriver: string,
  groups: ReadonlyArray<number>
): User =>
  world.users.add((id) => ({
    id,
    name,
    gid: groups[0] ?? 1,
    groups: new Set(groups.length === 0 ? [1] : groups),
    passwordHash: sha256(password),
    authDriver: authDriver === "" ? "core" : authDriver,
    enabled: true,
    tokens: [],
    template: new Template([single("TOKEN_PASSWORD", sha256(`token of ${name} ${id}`))]),
    quotas: noQuotas()
  }))

const requireGroupsByHand = (
  { managingGroups }: World,
  { authDriver }: User,
  refused: (message: string) => Refusal
): void => {
  if (managingGroups.has(authDriver)) throw refused(`Groups cannot be manually managed for auth driver ${authDriver}`)
}

export const userMethods: Methods = {
  "one.user.allocate": ({ args, caller, world }) => {
    const [name, password, driver, groups] = [args.string(0), args.string(1), args.string(2, ""), args.ints(3)]
    requireRight(world, caller, "CREATE", { kind: "USER" })
    for (const gid of groups) world.groups.get(gid)
    const fault = nameFault(name, " :")
    if (fault !== undefined) throw internalError(`${fault}.`)
    if (password === "") throw internalError("Invalid password, it cannot be empty.")
    claimName(name, "USER", world.users, { alsoForbidden: " :" })
    return int(makeUser(world, name, password, driver, groups).id)
  },
  "one.user.info": (call) => string(userDocument(call.world, forUser(call, "USE"))),
  "one.userpool.info": ({ caller, world }) => {
    const users = world.users.newestFirst().filter((user) => mayDo(world, caller, "USE", target(user)))
    return string(
      wrap(
        "USER_POOL",
        users
          .map(
            (user) =>
              wrap("USER", headDocument(world, user)) +
              wrap("QUOTAS", element("ID", user.id) + quotaDocument(world, { kind: "user", id: user.id }))
          )
          .join("") + defaultQuotaDocument(world, "user")
      )
    )
  },
  "one.user.update": (call) => {
    const user = forUser(call, "MANAGE")
    updateTemplate(user.template, call.args.string(1), call.args.int(2, 0) === 1)
    return int(user.id)
  },
  "one.user.passwd": (call) => {
    const password = call.args.string(1)
    const user = forUser(call, "MANAGE")
    if (password === "") throw actionRefused("Invalid password, it cannot be empty.")
    user.passwordHash = sha256(password)
    return int(user.id)
  },
  "one.user.chauth": (call) => {
    const [driver, password] = [call.args.string(1), call.args.string(2, "")]
    const user = forUser(call, "ADMIN")
    user.authDriver = driver
    if (password !== "") user.passwordHash = sha256(password)
    return int(user.id)
  },
  "one.user.login": ({ args, caller, requestId, world }) => {
    const [name, given, seconds, egid] = [args.string(0), args.string(1), args.int(2), args.int(3, -1)]
    const user = world.users.byName(name) ?? caller
    requireRight(world, caller, "MANAGE", target(user))
    const token = given === "" ? sha256(`login ${user.id} ${world.nowMillis} ${requestId}`) : given
    if (seconds === 0) user.tokens = user.tokens.filter((known) => known.token !== token)
    else user.tokens = [...user.tokens, { token, expires: seconds < 0 ? -1 : world.now + seconds, egid }]
    return string(seconds === 0 ? "" : token)
  },
  "one.user.enable": (call) => {
    const enabled = call.args.boolean(1)
    const user = forUser(call, "ADMIN")
    user.enabled = enabled
    if (!enabled) user.tokens = []
    return int(user.id)
  },
  "one.user.chgrp": (call) => {
    const gid = call.args.int(1)
    const user = forUser(call, "MANAGE")
    const isNew = !user.groups.has(gid)
    if (isNew) requireGroupsByHand(call.world, user, badApiCall)
    call.world.groups.get(gid)
    // Whoever is in it already stays in the old one, too (7.4 `UserAPI::chown`).
    if (isNew) user.groups.delete(user.gid)
    user.groups.add(gid)
    user.gid = gid
    return int(user.id)
  },
  "one.user.addgroup": (call) => {
    const gid = call.args.int(1)
    const user = forUser(call, "MANAGE")
    requireGroupsByHand(call.world, user, actionRefused)
    call.world.groups.get(gid)
    if (user.groups.has(gid)) throw actionRefused("User is already in this group")
    user.groups.add(gid)
    return int(user.id)
  },
  "one.user.delgroup": (call) => {
    const gid = call.args.int(1)
    const user = forUser(call, "MANAGE")
    requireGroupsByHand(call.world, user, actionRefused)
    call.world.groups.get(gid)
    if (gid === user.gid) throw actionRefused("Cannot remove user from the primary group")
    if (!user.groups.delete(gid)) throw actionRefused("User is not part of this group")
    return int(user.id)
  },
  "one.user.quota": ({ args, caller, world }) => {
    const [id, text] = [args.int(0), args.string(1)]
    const user = world.users.get(id)
    requireRight(world, caller, "ADMIN", target(user))
    if (id === 0) throw actionRefused("Cannot set quotas for oneadmin user")
    setQuotas(world, user.quotas, text, { kind: "user", id })
    return int(id)
  },
  "one.user.delete": (call) => {
    const user = forUser(call, "ADMIN")
    if (user.id === 0) throw actionRefused("Cannot delete user. oneadmin cannot be deleted.")
    call.world.users.remove(user.id)
    for (const group of call.world.groups) group.admins.delete(user.id)
    dropRulesOfUser(call.world, user.id)
    return int(user.id)
  },
  "one.userquota.info": ({ caller, world }) => {
    requireRight(world, caller, "ADMIN", { kind: "USER" })
    return string(defaultQuotaDocument(world, "user"))
  },
  "one.userquota.update": ({ args, caller, world }) => {
    const text = args.string(0)
    if (!isAdministrator(caller)) requireRight(world, caller, "ADMIN", { kind: "USER" })
    setQuotas(world, world.defaultQuotas.user, text, undefined)
    return string(defaultQuotaDocument(world, "user"))
  }
}

/** `one.user.*`: users. */
import { Effect, Redacted } from "effect"
import type { OpenNebulaClient } from "../client.js"
import { documentOf, poolOf } from "../model/element.js"
import { UserQuotas } from "../model/quotas.js"
import { User } from "../model/user.js"
import { type Call, command, id, updates } from "./support.js"

const info = documentOf(User)
const quotas = documentOf(UserQuotas)

export interface NewUser {
  readonly name: string
  readonly password: Redacted.Redacted<string>
  /** `core` where it is left out: OpenNebula checks the password itself. */
  readonly driver?: string
  /** The first is the primary group; the group `users` where there is none (recordings 059, 418). */
  readonly groups?: ReadonlyArray<number>
}

export const userCalls = (client: OpenNebulaClient) => ({
  /** `one.userpool.info` (recording 209). */
  list: (): Call<ReadonlyArray<User>> => client.call("one.userpool.info", [], poolOf("USER", User)),

  /** `one.user.info` (recording 061). -1 is the caller. NoSuchObject. */
  info: (userId: number): Call<User> => client.call("one.user.info", [userId, false], info),

  /** The same answer, of which the quotas are read: its own and all users' (recordings 084, 256). NoSuchObject. */
  quotas: (userId: number): Call<UserQuotas> => client.call("one.user.info", [userId, false], quotas),

  /** `one.user.allocate` (recordings 059, 418): the new id. NameTaken, InvalidName (recordings 411 to 417). */
  allocate: (user: NewUser): Call<number> => {
    const groups = user.groups ?? []
    const own = [user.name, Redacted.value(user.password), user.driver ?? "core"]
    return client.call("one.user.allocate", groups.length === 0 ? own : [...own, groups], id)
  },

  /**
   * `one.user.update` (recording 356). `append` keeps OpenNebula's own secrets in the template; `replace` would not.
   */
  ...updates(client, "one.user.update"),

  /** `one.user.delete` (recordings 346, 452). What the user owns is orphaned, not stopped. */
  delete: (userId: number): Call<void> => command(client, "one.user.delete", [userId]),

  /** `one.user.passwd` (recording 269). */
  passwd: (userId: number, password: Redacted.Redacted<string>): Call<void> =>
    command(client, "one.user.passwd", [userId, Redacted.value(password)]),

  /** `one.user.chgrp`: the primary group, in the place of the old one (recording 060). */
  chgrp: (userId: number, groupId: number): Call<void> => command(client, "one.user.chgrp", [userId, groupId]),

  /** `one.user.addgroup`: a further group (recording 062). ActionRefused if the user is in it. */
  addGroup: (userId: number, groupId: number): Call<void> => command(client, "one.user.addgroup", [userId, groupId]),

  /** `one.user.delgroup` (recording 063). ActionRefused for the primary group and for one that the user is not in (recordings 351, 352). */
  deleteGroup: (userId: number, groupId: number): Call<void> => command(client, "one.user.delgroup", [userId, groupId]),

  /**
   * Fails with GroupsManagedByDriver if this user's groups cannot be changed. Asked by `one.user.addgroup` of its primary group: whether its driver manages
   * groups comes first, and else it is refused as the user is in it already, so nothing is changed (7.4 `UserAPI::edit_group`, `UserAPI::add_group`).
   */
  requireGroupsByHand: ({ gid, id: userId }: Pick<User, "gid" | "id">): Call<void> =>
    Effect.catchTag(command(client, "one.user.addgroup", [userId, gid]), "ActionRefused", () => Effect.void),

  /** `one.user.enable` (recordings 275, 277). Whoever is disabled cannot log in, whatever the driver. */
  enable: (userId: number, enabled: boolean): Call<void> => command(client, "one.user.enable", [userId, enabled])
})

/** Roles: what Waldur calls a member, and what the data centre has for it. */
import type { VdcSettings } from "../settings.js"

export interface Role {
  readonly name: string
  readonly one_group_suffix: string
  readonly default_view: string
  readonly views: string
  readonly group_admin: boolean
}

/** The Python agent's. */
const defaultRoles: ReadonlyArray<Role> = [
  {
    name: "admin",
    one_group_suffix: "admins",
    default_view: "groupadmin",
    views: "groupadmin,user,cloud",
    group_admin: true
  },
  { name: "user", one_group_suffix: "users", default_view: "user", views: "user", group_admin: false },
  { name: "cloud", one_group_suffix: "cloud", default_view: "cloud", views: "cloud", group_admin: false }
]

export const rolesOf = (settings: VdcSettings): ReadonlyArray<Role> =>
  settings.vdc_roles?.map((role) => ({
    name: role.name,
    one_group_suffix: role.one_group_suffix,
    default_view: role.default_view ?? role.name,
    views: role.views ?? role.default_view ?? role.name,
    group_admin: role.group_admin ?? false
  })) ?? defaultRoles

/** The data centre's role of somebody who is `waldurRole` in the project; the default where nothing is said of it. */
export const roleNameOf = (settings: VdcSettings, waldurRole: string): string =>
  settings.role_mapping[waldurRole] ?? settings.default_user_role

export const roleOf = (settings: VdcSettings, waldurRole: string): Role | undefined =>
  rolesOf(settings).find(({ name }) => name === roleNameOf(settings, waldurRole))

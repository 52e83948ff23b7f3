/**
 * Members of a data centre: who may use it, by one of two providers of identity.
 *
 * - `opennebula` (`own-users.ts`, `people.ts`): users of OpenNebula itself, made by the agent.
 * - `keycloak` (`keycloak.ts`): groups in Keycloak (`keycloak-groups.ts`), which SAML maps to groups in OpenNebula (`role-groups.ts`,
 *   `../mapping-file.ts`). Made with the data centre (`access.ts`) or by the first synchronisation, and removed with it.
 */
import { Effect, type Scope } from "effect"
import { connectKeycloak, type KeycloakService, type Keycloaks } from "../../../keycloak/index.js"
import { type Members, OfferingFault } from "../../../plugin/index.js"
import type { Cloud } from "../cloud.js"
import type { VdcSettings } from "../settings.js"
import { keycloakMembers } from "./keycloak.js"
import { ownUsers } from "./own-users.js"

export const membersOf = (cloud: Cloud): Members =>
  cloud.keycloak === undefined ? ownUsers(cloud) : keycloakMembers(cloud, cloud.keycloak)

const usesKeycloak = (settings: VdcSettings): boolean =>
  (settings.identity_provider ?? (settings.keycloak_enabled ? "keycloak" : "opennebula")) === "keycloak"

/** The Keycloak that the settings name; none where they name none. Sends nothing. */
export const keycloakOf = (
  settings: VdcSettings
): Effect.Effect<KeycloakService | undefined, OfferingFault, Scope.Scope | Keycloaks> => {
  if (!usesKeycloak(settings)) return Effect.succeed(undefined)
  const given = settings.keycloak
  if (given?.keycloak_url === undefined) {
    return new OfferingFault({
      reason: "The offering uses Keycloak, but its backend_settings do not say where it is.",
      hint: "Set keycloak: { keycloak_url, keycloak_realm, ... }, or keycloak_enabled: false."
    })
  }
  const hasUser = given.keycloak_username !== undefined && given.keycloak_username !== ""
  if (hasUser ? given.keycloak_password === undefined : given.client_secret === undefined) {
    return new OfferingFault({
      reason: "The offering uses Keycloak, but its backend_settings have no credentials for it.",
      hint: "Set keycloak_username and keycloak_password, or client_id and client_secret, under keycloak."
    })
  }
  return connectKeycloak({
    url: given.keycloak_url,
    realm: given.keycloak_realm ?? "waldur",
    userRealm: given.keycloak_user_realm ?? "master",
    clientId: given.client_id ?? "admin-cli",
    clientSecret: given.client_secret,
    username: given.keycloak_username ?? "",
    password: given.keycloak_password,
    verifySsl: given.keycloak_ssl_verify !== false,
    caFile:
      given.keycloak_ca_file ?? (typeof given.keycloak_ssl_verify === "string" ? given.keycloak_ssl_verify : undefined),
    proxy: given.keycloak_proxy,
    timeout: (given.keycloak_timeout ?? 30) * 1000
  })
}

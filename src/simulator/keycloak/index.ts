/**
 * A simulated Keycloak, on real HTTP: realms with clients, users and groups, the token endpoint, and the part of the admin API that deals
 * with them. It is held to recordings of a real server (`test/conformance/keycloak.test.ts`) and imports nothing of the agent.
 *
 * Where to begin: `serve` puts one on a port, with a master realm and its administrator; `world.ts` has the nouns, `tokens.ts` who may have
 * a token, `rights.ts` what it is good for, `users.ts`, `groups.ts` and `realms.ts` the admin API, `dispatch.ts` its paths.
 */
export type { Answer, Request } from "./http.js"
export { type KeycloakOptions, type Served, serve } from "./server.js"
export type { Fault, Group, KeycloakUser, Realm, World } from "./world.js"
export { addClient, addGroup, addRealm, addUser, pathOf } from "./world.js"

/**
 * Keycloak, as the plugins see it: users looked up, groups made, members read and changed. Over Keycloak's own admin client.
 *
 * ```
 * connectKeycloak(settings)      service.ts    one connection per server, realm and credentials, shared by all offerings that name it
 *   keycloak.members(group)      calls.ts      what is asked, and what the answers mean
 *                                requests.ts   one request: with a token that is good, in time, tried again, its failure named
 *                                tokens.ts     tokens, got and renewed
 * errors.ts                                    what can go wrong, and what follows from it
 * ```
 *
 * How a server really behaves stands at the calls, with the number of the recording (`test/fixtures/keycloak`) that shows it.
 */
export type { KeycloakGroup, KeycloakService, KeycloakUser } from "./calls.js"
export * from "./errors.js"
export { connectKeycloak, Keycloaks, keycloakShared } from "./service.js"
export type { KeycloakSettings } from "./settings.js"

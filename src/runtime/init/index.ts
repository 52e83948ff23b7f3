/**
 * `site-actors init`: from a few answers to a configuration file.
 *
 * `interview.ts` has the questions in their order; what the command line does not say is asked for (`asking.ts`), and everything is held
 * against the servers as it is said (`servers.ts`, `picking.ts`). `file.ts` writes the answers (`answers.ts`) as YAML with comments.
 */
export type { Answers, OfferingAnswers } from "./answers.js"
export { fileOf } from "./file.js"
export { credentialsVariable, type Given, interview, tokenVariable } from "./interview.js"

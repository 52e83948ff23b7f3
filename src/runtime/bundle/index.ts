/**
 * The support bundle: what somebody who helps needs to see, in one archive, without secrets.
 *
 * `redact.ts` takes secrets out of the configuration, `gather.ts` collects the parts, `archive.ts` writes them. Three nets lie over each
 * other: the log and the journal hold no secrets in the first place; the configuration loses the value of each key that may hold one; and
 * whatever was taken out there is struck out of everything else.
 */
export { writeArchive } from "./archive.js"
export { gather, type Wanted } from "./gather.js"
export { redactYaml } from "./redact.js"

/**
 * The configuration file: `loadConfig` makes a `Config` of it (`model.ts`), or fails with everything that is wrong with
 * it at once.
 *
 * The way of a file: `yaml-file.ts` parses it and knows where each value stands; `outside.ts` puts in environment
 * variables and secret files; `load.ts` reads the root, `offering.ts` each offering, `backend.ts` its
 * `backend_settings` by the plugin's own schema. `keys.ts` lists every key with its default: begin there. `read.ts`
 * decodes by a schema, `findings.ts` turns what a schema has against a value into `problem.ts`'s sentences without
 * quoting secrets. `components.ts` joins the file's components with Waldur's.
 */
export { components, componentsOfFile, unchanged } from "./components.js"
export { dataDirOf, postgresOf } from "./data-dir.js"
export { textOfFile } from "./file-text.js"
export { loadConfig } from "./load.js"
export type {
  ComponentOverride,
  Config,
  DriftPolicies,
  EventSettings,
  LogLevelName,
  OfferingConfig,
  OrderDeadlines,
  PageSettings,
  WaldurConnection
} from "./model.js"
export { ConfigInvalid, type Path, type Position, type Problem, sentence } from "./problem.js"

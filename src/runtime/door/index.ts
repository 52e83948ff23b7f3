/**
 * The door: how a plugin comes in, our own and others' alike.
 *
 * `admit.ts` looks at what a module exports: the contract's version, the shape, a name that nobody else has. `load.ts` finds and imports the
 * modules that the configuration's `plugins` names. `guard.ts` stands around an admitted plugin, so that a bug in it stops its own offerings
 * and nothing else. What cannot be right is an error of the file; a module that breaks while it is imported is not, and its offerings wait.
 */
export { type LoadedPlugins, loadPlugins } from "./load.js"

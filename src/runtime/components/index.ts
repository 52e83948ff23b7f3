/**
 * An offering's components, from all three sides: the file (`backend_components`), the offering in Waldur, and what the backend sells and
 * measures. `compare.ts` puts them side by side, `load.ts` makes Waldur's as the file has them, `yaml.ts` writes Waldur's for the file.
 */
export { type ComponentRow, compared } from "./compare.js"
export { type Loaded, load } from "./load.js"
export { asYaml } from "./yaml.js"

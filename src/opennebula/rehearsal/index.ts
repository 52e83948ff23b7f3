/** An order rehearsed against a real front-end, of which nothing is changed: for `site-actors plan`. */
export { readOnly } from "./read-only.js"
export { rehearsed } from "./rehearsed.js"

/**
 * What Waldur answers, as schemas.
 *
 * Begin with `order.ts`. `lenient.ts` holds the building blocks and says why reading is lenient.
 */
export { uuidOf, type Word } from "./lenient.js"
export * from "./offering.js"
export * from "./order.js"
export * from "./others.js"
export * from "./resource.js"

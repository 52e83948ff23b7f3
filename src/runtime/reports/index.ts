/**
 * Usage reports: what each resource uses, told to Waldur.
 *
 * `round.ts` is one report of one offering; begin there. It takes the billing months from `periods.ts`, what to measure from `measured.ts`, reads
 * Waldur's resources and the backend once (`read.ts`), makes figures of it (`figures.ts`), decides which have changed (`verdicts.ts`), tells
 * Waldur (`tell.ts`) and remembers it (`memory.ts`). `loop.ts` does it again and again, `last.ts` for a resource that ends, `summary.ts` says it
 * in a line.
 */
export { makeLastHours } from "./last.js"
export { reportUsage } from "./loop.js"
export type { Reporter } from "./measured.js"
export { layer as usageMemory, UsageMemory } from "./memory.js"
export { type Report, type ReportOptions, report } from "./round.js"
export { summaryOf } from "./summary.js"
export type { Outcome, ReportRow } from "./tell.js"

/**
 * Traces over OTLP: one for each order, whose id is the order's uuid; a span for each attempt, step and call in it.
 *
 * `environment.ts` reads OpenTelemetry's own environment variables, `exporting.ts` has its SDK, which is only loaded when there is somewhere
 * to send to, and `bridge.ts` gives Effect's spans to it. Where nothing is exported Effect makes no spans at all.
 */
export { type Environment, type Sampling, tracingEnvironment } from "./environment.js"
export { tracing } from "./layer.js"

/**
 * What the agent says and takes over HTTP. The endpoints are declared in `src/api`.
 *
 * `serve.ts` listens, and before there is a database, for the health alone. For probes: `health.ts` (what makes an offering ready stands in
 * `offerings/readiness.ts`); `metrics.ts` is for Prometheus. For people: `guard.ts` stands before everything, `visitor.ts` finds out who asks (`sessions.ts`,
 * `tokens.ts`), `page.ts` answers from the views (`runtime/views`), `live.ts` tells of changes, `assets.ts` sends the built page.
 */
export { listenBeforehand, serveHttp } from "./serve.js"

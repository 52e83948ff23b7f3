/**
 * What the agent says over HTTP: how it is, for probes and for people. Nothing here changes anything, and nothing secret is in it.
 *
 * `api.ts` declares the endpoints, `readiness.ts` says what makes an offering ready, `health.ts` gathers the facts, `metrics.ts` is for Prometheus, `serve.ts` listens.
 */
export { serveHttp } from "./serve.js"

/** OpenTelemetry's SDK at work. Its own file, as it is only loaded where traces are wanted: it takes a tenth of a second and some megabytes. */
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto"
import { detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources"
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  RandomIdGenerator,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider
} from "@opentelemetry/sdk-trace"
import { Effect, type Scope, type Tracer } from "effect"
import { version } from "../version.js"
import { bridge } from "./bridge.js"
import type { Sampling } from "./environment.js"

const samplerOf = ({ kind, parentBased, ratio }: Sampling): Sampler => {
  const root =
    kind === "on"
      ? new AlwaysOnSampler()
      : kind === "off"
        ? new AlwaysOffSampler()
        : new TraceIdRatioBasedSampler(ratio)
  return parentBased ? new ParentBasedSampler({ root }) : root
}

/** `startSpan` asks for its ids at once, so what is set around it is for that span alone. */
const makeIds = () => {
  const random = new RandomIdGenerator()
  let next: string | undefined
  return {
    generateTraceId: () => next ?? random.generateTraceId(),
    generateSpanId: () => random.generateSpanId(),
    beginning: <A>(traceId: string | undefined, begin: () => A): A => {
      next = traceId
      try {
        return begin()
      } finally {
        next = undefined
      }
    }
  }
}

/** Says once when traces cannot be delivered, and once when they can again. Nobody waits for them. */
const telling = (inner: SpanExporter, say: (trouble: string | undefined) => void): SpanExporter => {
  let failing = false
  return {
    export: (spans, done) =>
      inner.export(spans, (result) => {
        const failed = result.code !== 0
        if (failed !== failing) say(failed ? (result.error?.message ?? "no reason given") : undefined)
        failing = failed
        done(result)
      }),
    shutdown: () => inner.shutdown(),
    forceFlush: () => inner.forceFlush?.() ?? Promise.resolve()
  }
}

/** What is waiting to be sent is sent when the scope closes. */
export const exportingTracer = (sampling: Sampling): Effect.Effect<Tracer.Tracer, never, Scope.Scope> =>
  Effect.gen(function* () {
    const run = yield* Effect.map(Effect.runtime<never>(), (runtime) => runtime)
    const say = (trouble: string | undefined) =>
      Effect.runFork(
        Effect.provide(
          trouble === undefined
            ? Effect.logInfo("Traces can be delivered again")
            : Effect.logWarning(`Traces cannot be delivered: ${trouble}`),
          run
        )
      )
    const ids = makeIds()
    const provider = yield* Effect.acquireRelease(
      Effect.sync(
        () =>
          new TracerProvider({
            resource: resourceFromAttributes({ "service.name": "site-actors", "service.version": version }).merge(
              detectResources({ detectors: [envDetector] })
            ),
            sampler: samplerOf(sampling),
            idGenerator: ids,
            spanProcessors: [new BatchSpanProcessor({ exporter: telling(new OTLPTraceExporter(), say) })]
          })
      ),
      (made) =>
        Effect.ignore(
          Effect.timeout(
            // In a release: a limit ends only what may be interrupted.
            Effect.interruptible(Effect.promise(() => made.shutdown())),
            "5 seconds"
          )
        )
    )
    return bridge(provider.getTracer("site-actors", version), ids)
  })

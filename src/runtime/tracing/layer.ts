/** Tracing as the environment wants it. */
import { Effect, Either, Layer } from "effect"
import { type Environment, tracingEnvironment } from "./environment.js"

const off = Layer.setTracerEnabled(false)

/** What cannot be done is said, and the agent works without traces. */
export const tracing = (environment: Environment): Layer.Layer<never> =>
  Either.match(tracingEnvironment(environment), {
    onLeft: (sentence) => Layer.merge(off, Layer.effectDiscard(Effect.logWarning(`No traces: ${sentence}`))),
    onRight: (sampling) =>
      sampling === undefined
        ? off
        : Layer.unwrapScoped(
            Effect.promise(() => import("./exporting.js")).pipe(
              Effect.flatMap(({ exportingTracer }) => exportingTracer(sampling)),
              Effect.map(Layer.setTracer)
            )
          )
  })

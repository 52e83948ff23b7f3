/**
 * Spans where somebody wants them. Where no traces go out, `Effect.withSpan` still makes a span that nobody sees and puts it into the fiber's
 * context: some forty steps of a fiber, and there is one around each call and each step of an order.
 */
import { Effect, FiberRef, type Tracer } from "effect"

const areWanted = FiberRef.get(FiberRef.currentTracerEnabled)

/** `Effect.withSpan`, and nothing at all where tracing is off. */
export const spanned =
  (name: string, options: Omit<Tracer.SpanOptions, "captureStackTrace"> = {}) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.flatMap(areWanted, (wanted) =>
      wanted ? Effect.withSpan(effect, name, { ...options, captureStackTrace: false }) : effect
    )

/** `Effect.annotateCurrentSpan`, in the same way. */
export const annotateSpan = (attributes: Record<string, unknown>): Effect.Effect<void> =>
  Effect.flatMap(areWanted, (wanted) => (wanted ? Effect.annotateCurrentSpan(attributes) : Effect.void))

/**
 * Spans where somebody wants them. Where no traces go out, `Effect.withSpan` still makes a span that nobody sees and puts it into the fiber's
 * context, and there is one around each call and each step of an order: some twenty steps of a fiber each.
 */
import { Effect, FiberRef, type Tracer } from "effect"

/** `Effect.withSpan`, and nothing at all where tracing is off. */
export const spanned =
  (name: string, options: Omit<Tracer.SpanOptions, "captureStackTrace"> = {}) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.withFiberRuntime<A, E, R>((fiber) =>
      fiber.getFiberRef(FiberRef.currentTracerEnabled)
        ? Effect.withSpan(effect, name, { ...options, captureStackTrace: false })
        : effect
    )

/** `Effect.annotateCurrentSpan`, in the same way. */
export const annotateSpan = (attributes: Record<string, unknown>): Effect.Effect<void> =>
  Effect.withFiberRuntime((fiber) =>
    fiber.getFiberRef(FiberRef.currentTracerEnabled) ? Effect.annotateCurrentSpan(attributes) : Effect.void
  )

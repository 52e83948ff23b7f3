/**
 * Layers one upon the other, in fewer steps of a fiber than `Layer.provideMerge` takes. That makes three layers more for each, remembers what came of
 * all of them, and builds what stands side by side on fibers of its own: of the steps of an agent's start that was nearly half.
 */
import { Context, Effect, ExecutionStrategy, Layer, Scope } from "effect"

/**
 * Builds `layer` with all that was built before it at hand, and adds what it gives. It has a scope of its own, which closes before those of the
 * layers that it stands on. What it is made of is shared with the others of its stack, as with any layer; the layer itself is built wherever it
 * stands.
 */
type Upon = <A2, E2, R2>(
  layer: Layer.Layer<A2, E2, R2>
) => <A, E, R>(
  below: Effect.Effect<Context.Context<A>, E, R>
) => Effect.Effect<Context.Context<A | A2>, E | E2, R | Exclude<R2, A> | Scope.Scope>

export const stacked = <A, E, R>(
  build: (upon: Upon, nothing: Effect.Effect<Context.Context<never>>) => Effect.Effect<Context.Context<A>, E, R>
): Layer.Layer<A, E, Exclude<R, Scope.Scope>> =>
  Layer.scopedContext(
    Effect.flatMap(Layer.makeMemoMap, (memoMap) =>
      build(
        (layer) => (below) =>
          Effect.flatMap(below, (context) =>
            Effect.flatMap(Effect.scope, (scope) => Scope.fork(scope, ExecutionStrategy.sequential)).pipe(
              Effect.flatMap((scope) => Layer.buildWithMemoMap(layer, memoMap, scope)),
              Effect.provide(context),
              Effect.map((built) => Context.merge(context, built))
            )
          ),
        Effect.succeed(Context.empty())
      )
    )
  )

/** One offering, looked at from both sides: Waldur's and the backend's. Changes nothing, never fails, always ends. */
import { Cause, Deferred, Effect, Either, Exit, Option, Ref, type Scope } from "effect"
import type { Backend } from "../../core/backend.js"
import type { Component } from "../../core/components.js"
import type { OfferingFault, SiteError } from "../../core/errors.js"
import type { WaldurService } from "../../waldur/index.js"
import { components, componentsOfFile, type OfferingConfig } from "../config/index.js"
import { backendIdFindings } from "./backend-ids.js"
import { componentFindings } from "./components.js"
import { eventsFinding } from "./events.js"
import { membersFindings } from "./members.js"
import { resourceFindings } from "./resources.js"
import { about, type CheckRow, type Finding, failed, ok } from "./row.js"
import { tokenFindings } from "./token.js"

export interface OfferingAccess {
  readonly offering: OfferingConfig
  readonly waldur: Effect.Effect<WaldurService, SiteError, Scope.Scope>
  /** Opens the backend, given the offering's components; those of the file alone if Waldur does not say. */
  readonly backend: (
    components: ReadonlyArray<Component>
  ) => Effect.Effect<Backend<unknown>, OfferingFault, Scope.Scope>
}

/** For all of one offering. */
const limit = "30 seconds"
/** How long the backend's side waits for the components that Waldur's side finds. */
const componentsWithin = "10 seconds"

type Note = (...findings: ReadonlyArray<Finding>) => Effect.Effect<void>

/** Rows of one offering. What was found before a side hung or broke is kept. */
export const checkOffering = ({ offering, waldur, backend }: OfferingAccess): Effect.Effect<ReadonlyArray<CheckRow>> =>
  Effect.gen(function* () {
    const known = yield* Deferred.make<ReadonlyArray<Component>>()
    const componentsForBackend = Deferred.await(known).pipe(
      Effect.timeoutOption(componentsWithin),
      Effect.map(Option.getOrElse(() => componentsOfFile(offering)))
    )
    const sides = [
      side("Waldur", (note) =>
        waldurSide(offering, waldur, note).pipe(
          Effect.tap((found) => Deferred.succeed(known, found)),
          Effect.ensuring(Deferred.succeed(known, componentsOfFile(offering)))
        )
      ),
      side("backend", (note) =>
        Effect.gen(function* () {
          const opened = yield* backend(yield* componentsForBackend)
          yield* note(ok("backend", `Plugin ${offering.plugin.type}.`))
          yield* note(...(yield* opened.check))
          // What is wrong with Waldur its own side says, and what is wrong with the backend has been said.
          const resources = Effect.flatMap(waldur, (service) => resourceFindings(offering, service, opened))
          yield* note(...(yield* Effect.orElseSucceed(resources, () => [])))
        })
      ),
      side("events", (note) => Effect.flatMap(eventsFinding(offering, waldur), (findings) => note(...findings)))
    ]
    const findings = yield* Effect.all(sides, { concurrency: "unbounded" })
    return about(offering.name, findings.flat())
  })

/** Runs one side to its end, its failure, its defect or the time-out, and gives all that it noted on the way. */
const side = (
  name: string,
  look: (note: Note) => Effect.Effect<unknown, SiteError, Scope.Scope>
): Effect.Effect<ReadonlyArray<Finding>> =>
  Effect.gen(function* () {
    const noted = yield* Ref.make<ReadonlyArray<Finding>>([])
    const exit = yield* look((...findings) => Ref.update(noted, (all) => [...all, ...findings])).pipe(
      Effect.scoped,
      // A call that does not let itself be interrupted must not hold up the others.
      Effect.disconnect,
      Effect.timeoutOption(limit),
      Effect.exit
    )
    const findings = yield* Ref.get(noted)
    if (Exit.isFailure(exit)) return [...findings, failed(name, reasonOf(exit.cause))]
    return Option.isSome(exit.value) ? findings : [...findings, failed(name, `No answer within ${limit}.`)]
  })

const reasonOf = (cause: Cause.Cause<SiteError>): string =>
  Option.match(Cause.failureOption(cause), {
    // A defect's text may hold anything, secrets too.
    onNone: () => "The look at it broke off, because of a bug.",
    onSome: (error) => error.message
  })

/** What Waldur knows, and whether the agent's user may do what an agent does. Gives the offering's components. */
const waldurSide = (
  offering: OfferingConfig,
  waldur: OfferingAccess["waldur"],
  note: Note
): Effect.Effect<ReadonlyArray<Component>, SiteError, Scope.Scope> =>
  Effect.gen(function* () {
    yield* note(...(yield* tokenFindings(offering.waldur.credentials)))
    const service = yield* waldur
    const probed = yield* service.probe(offering.id)
    yield* note(...probed.map(({ what, ok: passed, detail }) => (passed ? ok(what, detail) : failed(what, detail))))
    const found = yield* Effect.either(service.offering(offering.id))
    if (Either.isLeft(found)) {
      // Said already, by the probe.
      return probed.some((result) => !result.ok) ? componentsOfFile(offering) : yield* found.left
    }
    yield* note(...componentFindings(offering, found.right.components), ...backendIdFindings(found.right))
    yield* note(...(yield* membersFindings(offering, found.right, service)))
    return Either.getOrElse(components(offering, found.right.components), () => componentsOfFile(offering))
  })

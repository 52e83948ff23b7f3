#!/usr/bin/env node
/** The `site-actors` command. Exit codes: 0 fine, 1 what was asked for did not work out, 2 a command line that is none, 70 a bug. */
import { ValidationError } from "@effect/cli"
import { NodeContext, NodeHttpClient, NodeRuntime } from "@effect/platform-node"
import { Cause, Console, Effect, Layer, Logger, Option } from "effect"
import * as Plain from "./cli/plain.js"
import { commandLine } from "./cli/site-actors.js"
import { commandLogger, visibleLines } from "./logging.js"

/** An expected error is one sentence; only a bug shows its stack. */
const explain = (cause: Cause.Cause<unknown>): Effect.Effect<number> => {
  if (Cause.isInterruptedOnly(cause)) return Effect.succeed(0)
  return Option.match(Cause.failureOption(cause), {
    onNone: () =>
      Effect.as(
        Console.error(`This is a bug in site-actors, please report it:\n${visibleLines(Cause.pretty(cause))}`),
        70
      ),
    onSome: (error) =>
      // The command line's own errors have been printed by then.
      ValidationError.isValidationError(error)
        ? Effect.succeed(2)
        : Effect.as(Console.error(visibleLines(error instanceof Error ? error.message : String(error))), 1)
  })
}

const exitWith = (code: number): void => {
  process.exitCode = code
}

// Whatever file is made from here on, whoever makes it, is its owner's alone.
process.umask(0o077)
// A diagnostic report has the whole environment, where secrets are (Node 22.13 and later can leave it out).
if (process.report !== undefined && "excludeEnv" in process.report) process.report.excludeEnv = true

commandLine(process.argv).pipe(
  Effect.as(0),
  Effect.catchAllCause(explain),
  Effect.tap((code) => Effect.sync(() => exitWith(code))),
  Effect.provide(
    Layer.mergeAll(
      NodeContext.layer,
      NodeHttpClient.layerUndici,
      Logger.replace(Logger.defaultLogger, commandLogger),
      Plain.layer
    )
  ),
  NodeRuntime.runMain({ disableErrorReporting: true, disablePrettyLogger: true })
)

#!/usr/bin/env node
/** The `site-actors` command. Its exit codes: `exit-codes.ts`. */
import * as Runtime from "@effect/platform/Runtime"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Cause, Console, Effect, Exit, FiberRef, Layer, Logger, Option } from "effect"
import { commandLine } from "./cli/site-actors.js"
import { type Ending, endingOf, exitCodes } from "./exit-codes.js"
import { commandLogger, visibleLines } from "./logging.js"
import { heedOutputs, writeToTheEnd } from "./terminal/outputs.js"
import * as Plain from "./terminal/plain.js"
import { fromCommand, goesOn, heedFurtherSignals, heedOtherSignals } from "./terminal/signals.js"

/** What is printed of it. An expected error is one sentence; only a bug shows its stack. */
const said = (ending: Ending, cause: Cause.Cause<unknown>): Option.Option<string> => {
  switch (ending) {
    case "fine":
    // The command line's own errors have been printed by then.
    case "usage":
      return Option.none()
    case "bug":
      return Option.some(`This is a bug in site-actors, please report it:\n${visibleLines(Cause.pretty(cause))}`)
    case "brokenOff":
      return Option.some(
        Cause.isInterruptedOnly(cause)
          ? "Broken off before it was done: run it again."
          : "Broken off: nothing was written."
      )
    case "configuration":
    case "failed":
      return Option.map(Cause.failureOption(cause), (error) =>
        visibleLines(error instanceof Error ? error.message : String(error))
      )
  }
}

const explain = (cause: Cause.Cause<unknown>): Effect.Effect<Ending> => {
  const ending = endingOf(cause, lasts)
  return Effect.as(Effect.transposeMapOption(said(ending, cause), Console.error), ending)
}

/** What a signal has ended comes by here alone: nothing of the program is run any more by then that could say it. */
const teardown: Runtime.Teardown = (exit, onExit) => {
  if (Exit.isSuccess(exit) || !Cause.isInterruptedOnly(exit.cause) || lasts)
    return Runtime.defaultTeardown(exit, onExit)
  const text = said("brokenOff", exit.cause)
  if (Option.isSome(text)) process.stderr.write(`${text.value}\n`)
  onExit(exitCodes.brokenOff.code)
}

const exitWith = (ending: Ending): void => {
  process.exitCode = exitCodes[ending].code
}

// Whatever file is made from here on, whoever makes it, is its owner's alone.
process.umask(0o077)
// A diagnostic report has the whole environment, where secrets are (Node 22.13 and later can leave it out).
if (process.report !== undefined && "excludeEnv" in process.report) process.report.excludeEnv = true
const words = fromCommand(process.argv.slice(2))
const isAgent = words[0] === "run"
const lasts = goesOn(words)
heedOutputs(isAgent)
writeToTheEnd(process.stdout)
if (isAgent) {
  heedFurtherSignals()
  heedOtherSignals()
}

commandLine(process.argv).pipe(
  Effect.as("fine" as const),
  Effect.catchAllCause(explain),
  Effect.tap((ending) => Effect.sync(() => exitWith(ending))),
  // Of a plugin that has an `effect` of its own it would be said at each step of each of its fibers; the door says it once (`door/guard.ts`).
  Effect.locally(FiberRef.versionMismatchErrorLogLevel, Option.none()),
  Effect.provide(
    Layer.mergeAll(
      NodeContext.layer,
      NodeHttpClient.layerUndici,
      Logger.replace(Logger.defaultLogger, commandLogger),
      Plain.layer
    )
  ),
  NodeRuntime.runMain({ disableErrorReporting: true, disablePrettyLogger: true, teardown })
)

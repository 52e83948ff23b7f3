#!/usr/bin/env node
/** The `site-actors` command. Exit codes: 0 fine, 1 what was asked for did not work out, 2 a command line that is none, 70 a bug. */
import { Command, ValidationError } from "@effect/cli"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Cause, Console, Effect, Layer, Logger, Option } from "effect"
import { bundle } from "./cli/bundle.js"
import { check } from "./cli/check.js"
import { components } from "./cli/components.js"
import { demo } from "./cli/demo.js"
import { journal } from "./cli/journal.js"
import { logLevel, logs } from "./cli/logs.js"
import { members } from "./cli/members.js"
import { migration } from "./cli/migrate.js"
import { orderTest } from "./cli/order-test.js"
import { order, orders } from "./cli/orders.js"
import { orphans } from "./cli/orphans.js"
import * as Plain from "./cli/plain.js"
import { plan } from "./cli/plan.js"
import { report } from "./cli/report.js"
import { resetPassword } from "./cli/reset-password.js"
import { resource } from "./cli/resource.js"
import { drift, resources } from "./cli/resources.js"
import { run } from "./cli/run.js"
import { simulate } from "./cli/simulate.js"
import { token } from "./cli/token.js"
import { top } from "./cli/top.js"
import { leftovers, quarantine, retry } from "./cli/troubles.js"
import { commandLogger, visibleLines } from "./logging.js"
import { version } from "./version.js"

const cli = Command.run(
  Command.make("site-actors").pipe(
    Command.withDescription(
      "Carries out a Waldur marketplace's orders on a cloud: exactly once, or undone completely."
    ),
    Command.withSubcommands([
      run,
      check,
      plan,
      orderTest,
      migration,
      resources,
      resource,
      top,
      drift,
      orphans,
      orders,
      order,
      leftovers,
      retry,
      quarantine,
      logs,
      logLevel,
      bundle,
      journal,
      report,
      components,
      members,
      resetPassword,
      token,
      demo,
      simulate
    ])
  ),
  { name: "Site Actors", version }
)

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

cli(process.argv).pipe(
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

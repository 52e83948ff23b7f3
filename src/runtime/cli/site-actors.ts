/** `site-actors` with all its commands. */
import { Command } from "@effect/cli"
import { version } from "../version.js"
import { bundle } from "./bundle.js"
import { check } from "./check.js"
import { components } from "./components.js"
import { demo } from "./demo.js"
import { init } from "./init.js"
import { journal } from "./journal.js"
import { logLevel, logs } from "./logs.js"
import { members } from "./members.js"
import { migration } from "./migrate.js"
import { orderTest } from "./order-test.js"
import { order, orders } from "./orders.js"
import { orphans } from "./orphans.js"
import { plan } from "./plan.js"
import { report } from "./report.js"
import { resetPassword } from "./reset-password.js"
import { resource } from "./resource.js"
import { drift, resources } from "./resources.js"
import { run } from "./run.js"
import { simulate } from "./simulate.js"
import { token } from "./token.js"
import { top } from "./top.js"
import { leftovers, quarantine, retry } from "./troubles.js"

export const siteActors = Command.make("site-actors").pipe(
  Command.withDescription("Carries out a Waldur marketplace's orders on a cloud: exactly once, or undone completely."),
  Command.withSubcommands([
    init,
    check,
    run,
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
)

/** Of the words of a command line, as `process.argv` has them. */
export const commandLine = Command.run(siteActors, { name: "Site Actors", version })

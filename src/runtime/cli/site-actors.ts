/** `site-actors` with all its commands (`commands/`). What they print goes by `terminal/`. */
import { CliConfig, Command, HelpDoc, ValidationError } from "@effect/cli"
import { isPlatformError, type SystemError } from "@effect/platform/Error"
import { Console, Effect, Option } from "effect"
import { nameOfUser } from "../database/whose.js"
import { fromCommand, levelFirst } from "../terminal/signals.js"
import { version } from "../version.js"
import { wrongWords } from "./command-words.js"
import { bundle } from "./commands/bundle.js"
import { check } from "./commands/check.js"
import { components } from "./commands/components.js"
import { demo } from "./commands/demo.js"
import { init } from "./commands/init.js"
import { journal, journalCommands } from "./commands/journal.js"
import { logLevel, logs } from "./commands/logs.js"
import { members } from "./commands/members.js"
import { migration } from "./commands/migrate.js"
import { orderTest } from "./commands/order-test.js"
import { order, orders } from "./commands/orders.js"
import { orphans } from "./commands/orphans.js"
import { plan } from "./commands/plan.js"
import { report } from "./commands/report.js"
import { resetPassword } from "./commands/reset-password.js"
import { resource } from "./commands/resource.js"
import { drift, resources } from "./commands/resources.js"
import { run } from "./commands/run.js"
import { simulate, simulateCommands } from "./commands/simulate.js"
import { token } from "./commands/token.js"
import { top } from "./commands/top.js"
import { leftovers, quarantine, retry } from "./commands/troubles.js"
import { completing } from "./completion.js"
import { helpConfig, helpOf, nameOf, overview, summaryOf, type Told } from "./help.js"
import { mistyped, noShell } from "./mistyped.js"
import { NotPossible } from "./open-journal.js"

export const commands = [
  init,
  check,
  run,
  plan,
  orders,
  order,
  retry,
  leftovers,
  quarantine,
  resources,
  resource,
  drift,
  orphans,
  top,
  logs,
  logLevel,
  bundle,
  journal,
  report,
  components,
  members,
  resetPassword,
  migration,
  token,
  orderTest,
  demo,
  simulate
] as const

/** Those that are made of others. */
export const nested: Readonly<Record<string, ReadonlyArray<Told>>> = {
  journal: journalCommands,
  simulate: simulateCommands
}

const purpose = "Carries out a Waldur marketplace's orders on a cloud: exactly once, or undone completely."

const siteActors = Command.make("site-actors").pipe(Command.withDescription(purpose), Command.withSubcommands(commands))

const parsed = (words: ReadonlyArray<string>) =>
  Effect.provideService(
    Command.run(siteActors, { name: "Site Actors", version })(words),
    CliConfig.CliConfig,
    helpConfig
  ).pipe(Effect.catchSomeDefect((defect) => Option.map(Option.liftPredicate(isOutOfSight)(defect), outOfSight)))

/** The parser looks whether a file or a folder that is named is there, and dies where the system does not let it. */
const isOutOfSight = (defect: unknown): defect is SystemError =>
  isPlatformError(defect) && defect._tag === "SystemError" && defect.method === "access"

const outOfSight = ({ description, pathOrDescriptor, reason }: SystemError) =>
  new NotPossible({
    reason:
      reason === "PermissionDenied"
        ? `${pathOrDescriptor} cannot be looked at: permission denied. Let ${nameOfUser()} into the folders above it, or run this as the user whose it is (sudo -u).`
        : `${pathOrDescriptor} cannot be looked at: ${description ?? reason}. Name another.`
  })

const names = new Map(commands.map((command) => [nameOf(command), (nested[nameOf(command)] ?? []).map(nameOf)]))

const isHelp = (word: string): boolean => word === "--help" || word === "-h"

/** Fails as the library does, which has printed it by then. */
const notUsable = (text: string) =>
  Effect.zipRight(Console.error(text), Effect.fail(ValidationError.invalidValue(HelpDoc.p(text))))

/** Of the words of a command line, as `process.argv` has them. */
export const commandLine = (argv: ReadonlyArray<string>): ReturnType<typeof parsed> => {
  const ordered = levelFirst(argv.slice(2))
  // `help` is typed by those who do not know yet how it is asked for.
  const asked = ordered[0] === "help" ? ["--help", ...ordered.slice(1)] : ordered
  const words = [...argv.slice(0, 2), ...asked]
  const typed = words.slice(2).filter((word) => !isHelp(word))
  if (typed.length === 0) return Console.log(overview([], purpose, commands))
  const forShell = typed.some((word) => word.startsWith("--completions"))
  const wrong = forShell ? noShell(typed) : mistyped(typed, names)
  if (wrong !== undefined) return notUsable(wrong)
  if (forShell) return completing(parsed(words))
  const [name = "", inner, ...further] = fromCommand(typed)
  const group = commands.find((command) => nameOf(command) === name)
  if (group === undefined) return parsed(words)
  const inside = nested[name]
  if (inside !== undefined && inner === undefined) return Console.log(overview([name], summaryOf(group), inside))
  const path = inside === undefined ? [] : [name]
  const told = inside?.find((command) => nameOf(command) === inner) ?? group
  if (words.some(isHelp)) return Console.log(helpOf(path, told))
  const own = ["site-actors", ...path, nameOf(told)].join(" ")
  const unfit = wrongWords(own, told, inside === undefined ? fromCommand(typed).slice(1) : further)
  if (unfit !== undefined) return notUsable(`${unfit}\n\nHow it is typed: ${own} --help`)
  return Effect.tapError(parsed(words), (error) =>
    Effect.when(Console.error(`How it is typed: ${own} --help`), () => ValidationError.isValidationError(error))
  )
}

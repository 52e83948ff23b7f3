/** What commands say of themselves: a sentence or two, and command lines to copy. The overview of all is made from that. */
import { stripVTControlCharacters } from "node:util"
import { CliConfig, CommandDescriptor, HelpDoc, Span, Usage } from "@effect/cli"
import { HashSet } from "effect"
import { exitCodes } from "../exit-codes.js"
import { version } from "../version.js"

/** A command's description: what it does, the first sentence for the overview too, and what somebody would type. */
export const described = (text: string, ...examples: readonly [string, ...ReadonlyArray<string>]): HelpDoc.HelpDoc =>
  HelpDoc.blocks([
    HelpDoc.p(text),
    HelpDoc.h1("EXAMPLES"),
    ...examples.map((example) => HelpDoc.p(Span.text(`$ ${example}`)))
  ])

/** As far as a command is told here. */
export interface Told {
  readonly descriptor: CommandDescriptor.Command<unknown>
}

export const nameOf = ({ descriptor }: Told): string =>
  [...HashSet.values(CommandDescriptor.getNames(descriptor))][0] ?? ""

/** What every command has is told once, in the overview. */
export const helpConfig = CliConfig.make({ showBuiltIns: false })

/** Without colours. */
const plainHelpOf = ({ descriptor }: Told): string =>
  stripVTControlCharacters(HelpDoc.toAnsiText(CommandDescriptor.getHelp(descriptor, helpConfig)))

/**
 * What `--help` prints of a command that does something. The library's own has the command's name alone in its usage, as if that could be typed
 * (`$ retry ...`): here the words before it stand there too. `path`: what is typed before its own name, as ["journal"].
 */
export const helpOf = (path: ReadonlyArray<string>, { descriptor }: Told): string => {
  const typed = ["$ site-actors", ...path, ""].join(" ")
  const usage = Usage.enumerate(CommandDescriptor.getUsage(descriptor), helpConfig).map((one) =>
    HelpDoc.p(Span.concat(Span.text(typed), one))
  )
  return HelpDoc.toAnsiText(
    HelpDoc.blocks([
      HelpDoc.p(`Site Actors ${version}`),
      HelpDoc.h1("USAGE"),
      ...usage,
      CommandDescriptor.getHelp(descriptor, helpConfig)
    ])
  )
}

/** The first sentence of its description. */
export const summaryOf = (command: Told): string => {
  const description = /^DESCRIPTION\s+(.*)$/m.exec(plainHelpOf(command))?.[1] ?? ""
  return /^.*?\.(?= |$)/.exec(description)?.[0] ?? description
}

const everyCommand: ReadonlyArray<readonly [string, string]> = [
  ["-h, --help", "What a command does, with examples."],
  ["--json", "Where a command shows data: the same for programs, one JSON document on stdout."],
  ["--completions bash", "A script for the shell's completion; also zsh, fish, sh."],
  ["--wizard", "Asks for a command's options one by one, and shows the command line."],
  ["--log-level debug", "Says more on the way: site-actors --log-level debug <command>."],
  ["--version", "Prints the version."]
]

const rows = (all: ReadonlyArray<readonly [string, string]>): ReadonlyArray<string> => {
  const widest = Math.max(...all.map(([name]) => name.length))
  return all.map(([name, text]) => `  ${name.padEnd(widest)}  ${text}`)
}

/** `path`: [] for `site-actors` itself, ["journal"] for a command of commands. */
export const overview = (path: ReadonlyArray<string>, text: string, commands: ReadonlyArray<Told>): string => {
  const words = ["site-actors", ...path].join(" ")
  const own = rows(commands.map((command) => [nameOf(command), summaryOf(command)]))
  return [
    `Site Actors ${version}`,
    "",
    text,
    "",
    "USAGE",
    `  ${words} <command> [options]`,
    `  ${words} <command> --help`,
    "",
    "COMMANDS",
    ...own,
    ...(path.length > 0
      ? []
      : [
          "",
          "OPTIONS",
          ...rows(everyCommand),
          "",
          "EXIT CODES",
          ...rows(Object.values(exitCodes).map(({ code, when }) => [String(code), when]))
        ])
  ].join("\n")
}

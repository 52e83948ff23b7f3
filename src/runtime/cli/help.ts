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

/** What the library (@effect/cli 0.77.2) says of every option and argument before ours, and the usage says as well. */
const fillers =
  /^(An integer|A user-defined piece of text|A true or false value|A file or directory|One of the following: .*|This setting is optional|This option may be repeated zero or more times)\.?$/

const textOf = (span: Span.Span): string => HelpDoc.toAnsiText(HelpDoc.p(span)).trimEnd()

const paragraphsOf = (doc: HelpDoc.HelpDoc): ReadonlyArray<string> => {
  switch (doc._tag) {
    case "Sequence":
      return [...paragraphsOf(doc.left), ...paragraphsOf(doc.right)]
    case "Paragraph":
      return [textOf(doc.value)]
    default:
      return []
  }
}

/** An option or argument with what there is to say of it. */
const entry = ([name, about]: readonly [Span.Span, HelpDoc.HelpDoc]): string =>
  [
    `  ${textOf(name).replace(/\(([^()]*)\)/, "$1")}`,
    ...paragraphsOf(about)
      .filter((text) => !fillers.test(stripVTControlCharacters(text)))
      .map((text) => `      ${text}`)
  ].join("\n")

/** As the library prints it, without its fillers and its empty lines within a list. */
const rendered = (doc: HelpDoc.HelpDoc): string => {
  switch (doc._tag) {
    case "Sequence":
      return `${rendered(doc.left)}${rendered(doc.right)}`
    case "DescriptionList":
      return doc.definitions.map((one) => `${entry(one)}\n`).join("")
    case "Header":
      return `\n${HelpDoc.toAnsiText(doc).trimEnd()}\n\n`
    default:
      return HelpDoc.toAnsiText(doc)
  }
}

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
  return rendered(
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

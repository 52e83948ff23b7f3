/**
 * Words that are no command line, found before the library parses them: it names every command of site-actors, whichever word is wrong
 * ("Invalid subcommand for site-actors - use one of ...", @effect/cli 0.77.2), and not the word.
 */
import { LogLevel } from "effect"
import { closest } from "../config/closest.js"
import { fromCommand, ofEveryCommand } from "../terminal/signals.js"

const levels = LogLevel.allLevels.map(({ _tag }) => _tag.toLowerCase())
const shells = ["bash", "zsh", "fish", "sh"]

const ofOptions = (before: ReadonlyArray<string>): string | undefined => {
  const unknown = before.find((word) => word.startsWith("-") && !ofEveryCommand.includes(word.split("=", 1)[0] ?? ""))
  if (unknown !== undefined)
    return `There is no option ${JSON.stringify(unknown)} before a command. \`site-actors --help\` lists those that there are; a command's own stand behind it.`
  const text = before.join("=")
  const level = /(?:^|=)--log-level=([^=]*)/.exec(text)?.[1]
  return level === undefined || levels.includes(level)
    ? undefined
    : `There is no level ${JSON.stringify(level)}: --log-level takes one of ${levels.join(", ")}.`
}

/** Of words that ask for a shell's completion: what is wrong with the shell. */
export const noShell = (words: ReadonlyArray<string>): string | undefined => {
  const shell = /(?:^|=)--completions(?:=([^=]*))?/.exec(words.join("="))?.[1] ?? ""
  return shells.includes(shell)
    ? undefined
    : `There is no completion for ${JSON.stringify(shell)}: --completions takes one of ${shells.join(", ")}.`
}

/**
 * What is wrong, as a sentence with what to do. `words`: what was typed behind `site-actors`. `names`: the commands, and of those that are made of
 * others which.
 */
export const mistyped = (
  words: ReadonlyArray<string>,
  names: ReadonlyMap<string, ReadonlyArray<string>>
): string | undefined => {
  const rest = fromCommand(words)
  const [name, inner] = rest
  const options = ofOptions(words.slice(0, words.length - rest.length))
  if (options !== undefined || name === undefined) return options
  const inside = names.get(name)
  if (inside === undefined) {
    const near = closest(name, [...names.keys()])
    return `There is no command ${JSON.stringify(name)}.${near === undefined ? "" : ` Did you mean ${near}?`} \`site-actors --help\` lists all.`
  }
  if (inner === undefined || inside.length === 0 || inside.includes(inner)) return undefined
  return inner.startsWith("-")
    ? `site-actors ${name} needs the name of what to do before its options: ${inside.join(", ")}.`
    : `There is no command ${JSON.stringify(`${name} ${inner}`)}: there are ${inside.map((one) => `${name} ${one}`).join(", ")}.`
}

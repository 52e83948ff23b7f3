/**
 * The words behind a command, held against its usage before the library parses them. It (@effect/cli 0.77.2) takes an unknown option for an
 * argument where one is due (`journal backup --nonsense` made a file of that name), says of others what is wrong with them and not what to do
 * ("Expected to find option: '--config'"), and of a value not whose it is.
 */
import { CommandDescriptor, type Usage } from "@effect/cli"
import { Option } from "effect"
import { closest } from "../config/closest.js"
import { ofEveryCommand } from "../terminal/signals.js"
import type { Told } from "./help.js"

interface Part {
  /** "-c", "--config"; of an argument "<file>". */
  readonly names: ReadonlyArray<string>
  /** What its value is, for an option that has one: "file", "integer", "operator | viewer". */
  readonly takes: string | undefined
  readonly needed: boolean
  readonly repeats?: boolean
}

const partsOf = (usage: Usage.Usage, needed: boolean = true): ReadonlyArray<Part> => {
  switch (usage._tag) {
    case "Empty":
    case "Mixed":
      return []
    case "Named":
      return [{ names: usage.names, takes: Option.getOrUndefined(usage.acceptedValues), needed }]
    case "Optional":
      return partsOf(usage.usage, false)
    case "Repeated":
      return partsOf(usage.usage, false).map((part) => ({ ...part, repeats: true }))
    case "Alternation":
      return [...partsOf(usage.left, false), ...partsOf(usage.right, false)]
    case "Concat":
      return [...partsOf(usage.left, needed), ...partsOf(usage.right, needed)]
  }
}

/** "-c/--config <file>" */
const shown = ({ names, takes }: Part): string => `${names.join("/")}${takes === undefined ? "" : ` <${takes}>`}`

const isOption = (word: string): boolean => /^-./.test(word)

/** What an option's value has to be, where this one is not. */
const unfit = (takes: string, value: string): string | undefined => {
  const choices = takes.split(" | ")
  if (choices.length > 1) return choices.includes(value) ? undefined : `one of ${choices.join(", ")}`
  return takes === "integer" && !/^[+-]?\d+$/.test(value) ? "a whole number" : undefined
}

interface Read {
  readonly given: ReadonlyArray<Part>
  readonly others: ReadonlyArray<string>
}

/** The parts that the words name, and the words that are arguments; or what is wrong. */
const read = (own: string, options: ReadonlyArray<Part>, words: ReadonlyArray<string>): Read | string => {
  const optionOf = (word: string) => {
    const name = word.split("=", 1)[0] ?? ""
    return options.find(({ names }) => names.includes(name))
  }
  const given: Array<Part> = []
  const others: Array<string> = []
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? ""
    if (word === "--") return { given, others: [...others, ...words.slice(at + 1)] }
    if (!isOption(word)) {
      others.push(word)
      continue
    }
    const option = optionOf(word)
    if (option === undefined) {
      // "-fc" is "-f -c", and the library finds no value behind it.
      const letters = [...word.slice(1)].map((letter) => optionOf(`-${letter}`))
      const isCluster = letters.length > 1 && letters.every((one) => one !== undefined)
      return isCluster
        ? `Write the options ${JSON.stringify(word)} apart: -${[...word.slice(1)].join(" -")}.`
        : unknown(own, options, word)
    }
    if (given.includes(option) && option.repeats !== true)
      return `${shown(option)} is given twice: leave one of the two out.`
    given.push(option)
    if (option.takes === undefined) continue
    const inWord = word.includes("=")
    if (inWord && (!word.startsWith("--") || word.split("=").length > 2))
      return `Write the value of ${JSON.stringify(word)} behind a blank: ${word.replace("=", " ")}.`
    const value = inWord ? word.slice(word.indexOf("=") + 1) : words[at + 1]
    if (value === undefined || value === "" || (!inWord && isOption(value) && optionOf(value) !== undefined))
      return `${word.split("=", 1)[0]} needs its value behind it: ${shown(option)}.`
    const wanted = unfit(option.takes, value)
    if (wanted !== undefined) return `${option.names.at(-1)} takes ${wanted}, and not ${JSON.stringify(value)}.`
    if (!inWord) at += 1
  }
  return { given, others }
}

const unknown = (own: string, options: ReadonlyArray<Part>, word: string): string => {
  const name = word.split("=", 1)[0] ?? ""
  const near = closest(
    name,
    options.flatMap(({ names }) => names.filter((one) => one.startsWith("--")))
  )
  return [
    `${own} has no option ${JSON.stringify(name)}.`,
    ...(near === undefined ? [] : [`Did you mean ${near}?`]),
    options.length === 0 ? "It has none." : `It has ${options.map(shown).join(", ")}.`
  ].join(" ")
}

/** What is wrong, as a sentence with what to do. `own`: the command as it is typed. `words`: those behind it. */
export const wrongWords = (own: string, { descriptor }: Told, words: ReadonlyArray<string>): string | undefined => {
  if (words.some((word) => ofEveryCommand.includes(word.split("=", 1)[0] ?? ""))) return undefined
  const parts = partsOf(CommandDescriptor.getUsage(descriptor)).slice(1)
  const options = parts.filter(({ names }) => names.every(isOption))
  const places = parts.filter(({ names }) => !names.every(isOption))
  const found = read(own, options, words)
  if (typeof found === "string") return found
  const { given, others } = found
  const choice = places.flatMap(({ names, takes }, index) => {
    const value = others[index]
    const wanted = takes === undefined || value === undefined ? undefined : unfit(takes, value)
    return wanted === undefined ? [] : [`${names.join("/")} is ${wanted}, and not ${JSON.stringify(value)}.`]
  })
  if (choice[0] !== undefined) return choice[0]
  const missing = [
    ...options.filter((option) => option.needed && !given.includes(option)),
    ...places.filter((place, index) => place.needed && index >= others.length)
  ]
  const blank = places.find((_, index) => others[index] === "")
  if (blank !== undefined) return `${own} needs ${shown(blank)}, and what stands there is empty.`
  if (missing.length > 0) return `${own} needs ${missing.map(shown).join(" and ")}.`
  const extra = others[places.length]
  if (extra === undefined) return undefined
  const takes =
    places.length === 0 ? "nothing but options" : `nothing behind ${places.map(shown).join(" ")} but options`
  return `${own} takes ${takes}, and ${JSON.stringify(extra)} is none.`
}

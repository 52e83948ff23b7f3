/** What is wrong in a configuration file: where, what, and what to do about it. */
import { Data } from "effect"
import { printable } from "../../core/components.js"

/** The way to a value in the file: keys of mappings, indexes of lists. */
export type Path = ReadonlyArray<string | number>

export interface Position {
  /** Both from 1. */
  readonly line: number
  readonly column: number
}

export interface Problem {
  /** `offerings[1].backend_settings.api_url`; empty for the file as a whole. */
  readonly path: string
  /** Absent if the file could not even be read. */
  readonly position?: Position
  /** Goes on after the path: "is missing". Without a full stop. Never holds a secret. */
  readonly what: string
  /** Whole sentences: what to do. */
  readonly hint?: string
}

const plainKey = /^[\w-]+$/

/** `["offerings", 1, "name"]` as `offerings[1].name`. A key that is no plain word is quoted. */
export const pathText = (path: Path): string =>
  path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`
    if (!plainKey.test(part)) return `${text}[${JSON.stringify(printable(part))}]`
    return text === "" ? part : `${text}.${part}`
  }, "")

/** "offerings[0].name is missing. Every offering needs one." */
export const sentence = (problem: Problem): string =>
  `${problem.path === "" ? "The file" : problem.path} ${problem.what}.${problem.hint === undefined ? "" : ` ${problem.hint}`}`

/** The sentence behind its place in the file, as editors and terminals make a link of: "config.yaml:4:5: ...". */
export const placed = (file: string, problem: Problem): string => {
  const place = problem.position === undefined ? "" : `:${problem.position.line}:${problem.position.column}`
  return `${file}${place}: ${sentence(problem)}`
}

/** In the order of the file. */
export const inOrder = (problems: ReadonlyArray<Problem>): ReadonlyArray<Problem> =>
  problems.toSorted(
    (a, b) =>
      (a.position?.line ?? 0) - (b.position?.line ?? 0) ||
      (a.position?.column ?? 0) - (b.position?.column ?? 0) ||
      a.path.localeCompare(b.path)
  )

/** The configuration cannot be used. Has every problem that was found, not only the first. */
export class ConfigInvalid extends Data.TaggedError("ConfigInvalid")<{
  readonly file: string
  readonly problems: ReadonlyArray<Problem>
}> {
  override get message(): string {
    const count = this.problems.length === 1 ? "an error" : `${this.problems.length} errors`
    return [
      `The configuration has ${count}:`,
      ...this.problems.map((problem) => `  ${placed(this.file, problem)}`)
    ].join("\n")
  }
}

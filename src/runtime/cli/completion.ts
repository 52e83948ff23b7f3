/**
 * The shell's completion. The library's script for bash (@effect/cli 0.77.2) finds no command with a dash in its name, ours among them, and none of a
 * command.
 */
import { Effect } from "effect"

/** Script -> the same, with each command found by the word that is typed. Other shells' scripts have nothing of this. */
export const mended = (script: string): string =>
  script
    .replace('cmd="site-actors"', 'cmd="site__actors"')
    .replace(/^( +)site-actors\)$/m, "$1site__actors)")
    .replace(/^( +)site__actors((?:,\w+)+)\)$/gm, (_, indent: string, path: string) => {
      const parts = path.slice(1).split(",")
      const before = ["site__actors", ...parts.slice(0, -1)].join("__")
      return `${indent}${before},${(parts.at(-1) ?? "").replaceAll("__", "-")})`
    })

/** What is printed inside is such a script. */
export const completing = <A, E, R>(printing: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.consoleWith((own) =>
    Effect.withConsole(printing, {
      ...own,
      log: (...words) => own.log(...words.map((word) => (typeof word === "string" ? mended(word) : word)))
    })
  )

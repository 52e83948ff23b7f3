/**
 * The shell's completion. The library's script for bash (@effect/cli 0.77.2) finds no command with a dash in its name, ours among them, and none of a
 * command. Of options that are paths no script of its knows that they are (`options.ts`, `path`).
 */
import { Effect } from "effect"

/** The names of options that take a file; `data-dir` takes a folder. */
const files = "config|output|[a-z-]+-file"

const withPaths = (script: string): string =>
  script
    // bash
    .replace(/(--data-dir\)\n +COMPREPLY=\( \$\(compgen) -f/g, "$1 -d")
    // zsh
    .replace(new RegExp(`^( +'(?:-c|-o|--(?:${files}))\\[.*\\])' `, "gm"), "$1:PATH:_files' ")
    .replace(/^( +'--data-dir\[.*\])' /gm, "$1:PATH:_files -/' ")
    // fish
    .replace(new RegExp(` -l (${files}) -r -f `, "g"), " -l $1 -r -F ")
    .replaceAll(" -l data-dir -r -f ", ' -l data-dir -r -f -a "(__fish_complete_directories (commandline -ct))" ')

/** Script -> the same, with each command found by the word that is typed, and what is a path. */
export const mended = (script: string): string =>
  withPaths(script)
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

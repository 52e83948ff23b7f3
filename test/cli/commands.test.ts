/** What all commands have in common: help that teaches, data for programs, completion, and colours for people alone. */
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { helpOf, nameOf } from "../../src/runtime/cli/help.js"
import { commands, nested } from "../../src/runtime/cli/site-actors.js"
import { coloured, painted } from "../../src/runtime/cli/terminal/paint.js"
import { exitCodes } from "../../src/runtime/exit-codes.js"
import { typed } from "../support/commands.js"

interface Leaf {
  readonly path: string
  readonly help: string
}

/** Every command that does something. */
const leaves: ReadonlyArray<Leaf> = commands.flatMap((command) => {
  const name = nameOf(command)
  const inside = nested[name]
  return inside === undefined
    ? [{ path: name, help: helpOf([], command) }]
    : inside.map((one) => ({ path: `${name} ${nameOf(one)}`, help: helpOf([name], one) }))
})

/** What shows no data, or shows nothing else: why it has no `--json`. */
const withoutJson: Readonly<Record<string, string>> = {
  init: "writes a file",
  run: "goes on; its log can be JSON (log_format)",
  demo: "is for people",
  retry: "does something",
  "log-level": "does something",
  "journal export": "is JSON"
}

const examplesIn = (help: string): ReadonlyArray<string> =>
  [...help.matchAll(/^\s*\$ (.*)$/gm)].map(([, example = ""]) => example.trim())

describe("every command", () => {
  it("has examples in its help, of options that it has", () => {
    for (const { help, path } of leaves) {
      const examples = examplesIn(help)
      expect(examples, path).not.toEqual([])
      for (const example of examples) {
        expect(example.startsWith(`site-actors ${path}`), example).toBe(true)
        const [own = ""] = example.split(/ [|>] /)
        for (const [option] of own.matchAll(/ --?[a-z-]+/g)) expect(help, example).toContain(option.trim())
      }
    }
  })

  it.effect("has its usage in its help as it is typed, whatever else is typed with it", () =>
    Effect.gen(function* () {
      for (const { path } of leaves) {
        const { out, ok } = yield* typed(...path.split(" "), "--help")
        expect(ok, path).toBe(true)
        expect(examplesIn(out)[0], path).toMatch(new RegExp(`^site-actors ${path}( |$)`))
      }
      for (const words of ["retry 3f2a -c none.yaml -h", "-h retry", "--log-level debug retry --help"])
        expect((yield* typed(...words.split(" "))).out, words).toContain("$ site-actors retry [(-c, --config file)]")
    })
  )

  it("that takes a configuration takes the data directory beside it: nobody remembers which of them look at the journal", () => {
    const without = leaves.filter(({ help }) => help.includes("--config") && !help.includes("--data-dir"))
    // Its journal goes with it.
    expect(without.map(({ path }) => path)).toEqual(["order-test"])
  })

  it("that shows data has --json, and the others are these", () => {
    const without = leaves.filter(({ help }) => !help.includes("--json")).map(({ path }) => path)
    expect(without.toSorted()).toEqual(Object.keys(withoutJson).toSorted())
  })

  it.effect("is in the overview, with the exit codes", () =>
    Effect.gen(function* () {
      for (const words of [[], ["--help"], ["-h"]]) {
        const { out, ok } = yield* typed(...words)
        expect(ok).toBe(true)
        for (const command of commands) expect(out).toMatch(new RegExp(`^  ${nameOf(command)} +\\S`, "m"))
        for (const { code, when } of Object.values(exitCodes))
          expect(out).toContain(`${String(code).padEnd(3)}  ${when}`)
      }
      const { out } = yield* typed("journal", "--help")
      for (const name of ["export", "check", "backup"]) expect(out).toMatch(new RegExp(`^  ${name} +\\S`, "m"))
      expect((yield* typed("journal", "export", "--help")).out).toContain("$ site-actors journal export")
    })
  )
})

describe("what is no command line", () => {
  const said = (line: string) =>
    Effect.map(typed(...line.split(" ")), ({ ending, err, out }) => {
      expect({ ending, out }, line).toEqual({ ending: "usage", out: "" })
      return err
    })

  it.effect("is told by the word that is wrong, with the one that was meant", () =>
    Effect.gen(function* () {
      expect(yield* said("ordrs --json")).toBe(
        'There is no command "ordrs". Did you mean orders? `site-actors --help` lists all.'
      )
      expect(yield* said("version")).toBe('There is no command "version". `site-actors --help` lists all.')
      expect(yield* said("journal restore b.db")).toBe(
        'There is no command "journal restore": there are journal export, journal check, journal backup, journal move.'
      )
      expect(yield* said("journal -c config.yaml check")).toBe(
        "site-actors journal needs the name of what to do before its options: export, check, backup, move."
      )
      expect(yield* said("--jsn orders")).toContain('There is no option "--jsn" before a command.')
      for (const line of ["--log-level loud orders", "--log-level=loud orders"])
        expect(yield* said(line)).toMatch(/^There is no level "loud": --log-level takes one of .*debug/)
    })
  )

  it.effect("of a command that there is ends with where its help is", () =>
    Effect.gen(function* () {
      for (const [line, what] of [
        ["retry", "Missing argument <order>"],
        ["orders --jsn", "unknown argument: '--jsn'"],
        ["order-test -c a.yaml --set name", "text options"]
      ] as const) {
        const err = yield* said(line)
        expect(err).toContain(what)
        expect(err).toMatch(new RegExp(`^How it is typed: site-actors ${line.split(" ")[0]} --help$`, "m"))
      }
      expect(yield* said("journal backup")).toMatch(/^How it is typed: site-actors journal backup --help$/m)
    })
  )
})

describe("completion", () => {
  it.effect("is a script that bash takes, and that knows commands and options", () =>
    Effect.gen(function* () {
      const { out } = yield* typed("--completions", "bash")
      const ask = (...words: ReadonlyArray<string>) =>
        Effect.promise(() =>
          promisify(execFile)("bash", [
            "-c",
            `${out}\nCOMP_WORDS=(site-actors ${words.map((word) => `"${word}"`).join(" ")}); COMP_CWORD=${words.length}
_site-actors_bash_completions site-actors "$1" "" 2>&1; echo "\${COMPREPLY[@]}"`
          ])
        ).pipe(Effect.map(({ stdout }) => stdout.trim().split(/\s+/)))
      expect(yield* ask("ord")).toEqual(expect.arrayContaining(["orders", "order"]))
      expect(yield* ask("orders", "--")).toEqual(expect.arrayContaining(["--json", "--all"]))
      expect(yield* ask("order-test", "--k")).toEqual(["--keep"])
      expect(yield* ask("journal", "ex")).toEqual(["export"])
      expect(yield* ask("journal", "export", "--or")).toEqual(["--order"])
    })
  )
})

describe("colours", () => {
  it("are for terminals, and for nobody who does not want them", () => {
    expect(coloured({ isTTY: true }, {})).toBe(true)
    expect(coloured({}, {})).toBe(false)
    expect(coloured({ isTTY: true }, { NO_COLOR: "1" })).toBe(false)
    expect(coloured({ isTTY: true }, { TERM: "dumb" })).toBe(false)
    expect(painted("erred", true)).toBe("\u001b[31merred\u001b[0m")
    expect(painted("erred", false)).toBe("erred")
  })
})

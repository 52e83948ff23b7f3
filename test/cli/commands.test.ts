/** What all commands have in common: help that teaches, data for programs, completion, and colours for people alone. */
import { execFile } from "node:child_process"
import { promisify, stripVTControlCharacters } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { wrongWords } from "../../src/runtime/cli/command-words.js"
import { helpOf, nameOf, type Told } from "../../src/runtime/cli/help.js"
import { commands, nested } from "../../src/runtime/cli/site-actors.js"
import { exitCodes } from "../../src/runtime/exit-codes.js"
import { coloured, painted } from "../../src/runtime/terminal/paint.js"
import { typed } from "../support/commands.js"

interface Leaf {
  readonly path: string
  readonly help: string
  readonly told: Told
}

/** Every command that does something. */
const leaves: ReadonlyArray<Leaf> = commands.flatMap((command) => {
  const name = nameOf(command)
  const inside = nested[name]
  return inside === undefined
    ? [{ path: name, help: helpOf([], command), told: command }]
    : inside.map((one) => ({ path: `${name} ${nameOf(one)}`, help: helpOf([name], one), told: one }))
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
    for (const { help, path, told } of leaves) {
      const examples = examplesIn(help)
      expect(examples, path).not.toEqual([])
      for (const example of examples) {
        expect(example.startsWith(`site-actors ${path}`), example).toBe(true)
        const [own = ""] = example.split(/ [|>] /)
        for (const [option] of own.matchAll(/ --?[a-z-]+/g)) expect(help, example).toContain(option.trim())
        // The usage, which is none to copy.
        if (own.includes("[")) continue
        const words = own.replaceAll(/'[^']*'/g, "quoted").split(" ")
        const behind = words.slice(1 + path.split(" ").length).filter((word) => word !== "")
        expect(wrongWords(path, told, behind), example).toBe(undefined)
      }
    }
  })

  it("says of its options what they are for, and none of the library's fillers", () => {
    for (const { help, path } of leaves) {
      const options = stripVTControlCharacters(help).split("OPTIONS")[1] ?? ""
      expect(options, path).not.toMatch(
        /^ +(An integer|A true or false|A user-defined|A file or|This setting|This option|One of the following)/m
      )
      const lines = options.split("\n").filter((line) => line.trim() !== "")
      // An option, and below it a sentence.
      for (const [at, line] of lines.entries()) expect(line, path).toMatch(at % 2 === 0 ? /^ {2}-/ : /^ {6}\S/)
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
      for (const [line, shell] of [
        ["--completions", ""],
        ["--completions tcsh", "tcsh"],
        ["--completions=tcsh", "tcsh"]
      ] as const)
        expect(yield* said(line)).toBe(
          `There is no completion for "${shell}": --completions takes one of bash, zsh, fish, sh.`
        )
      expect(yield* said("--jsn orders")).toContain('There is no option "--jsn" before a command.')
      for (const line of ["--log-level loud orders", "--log-level=loud orders"])
        expect(yield* said(line)).toMatch(/^There is no level "loud": --log-level takes one of .*debug/)
    })
  )

  it.effect("of a command that there is ends with where its help is", () =>
    Effect.gen(function* () {
      for (const [line, what] of [
        ["retry", "site-actors retry needs <order>."],
        ["orders --jsn", 'site-actors orders has no option "--jsn". Did you mean --json? It has -c/--config <file>'],
        ["logs --lines 9999999", "--lines must be"]
      ] as const) {
        const err = yield* said(line)
        expect(err).toContain(what)
        expect(err).toMatch(new RegExp(`^How it is typed: site-actors ${line.split(" ")[0]} --help$`, "m"))
      }
      expect(yield* said("journal backup")).toMatch(/^How it is typed: site-actors journal backup --help$/m)
    })
  )
})

describe("words behind a command", () => {
  const said = (line: string) =>
    Effect.map(typed(...line.split(" ")), ({ ending, err, out }) => {
      expect({ ending, out }, line).toEqual({ ending: "usage", out: "" })
      return err.split("\n")[0]
    })

  it.effect("that cannot be are told, each with what can", () =>
    Effect.gen(function* () {
      // Taken for the file's name, and written.
      expect(yield* said("journal backup --nonsense")).toMatch(/has no option "--nonsense". It has -c\/--config <file>/)
      // Passed over by the library, and with it the directory.
      expect(yield* said("orders --DATA-DIR x")).toContain("Did you mean --data-dir?")
      for (const [line, what] of [
        ["run", "site-actors run needs -c/--config <file>."],
        ["run config.yaml", "site-actors run needs -c/--config <file>."],
        ["run -c", "-c needs its value behind it: -c/--config <file>."],
        ["run --config --data-dir x", "--config needs its value behind it: -c/--config <file>."],
        ["order-test", "site-actors order-test needs -c/--config <file> and <order.yaml>."],
        ["orders 3f2a", 'site-actors orders takes nothing but options, and "3f2a" is none.'],
        ["retry 3f2a 4a5b", 'site-actors retry takes nothing behind <order> but options, and "4a5b" is none.'],
        ["order -fc x 3f2a", 'Write the options "-fc" apart: -f -c.'],
        ["orders --data-dir=/a=b", 'Write the value of "--data-dir=/a=b" behind a blank: --data-dir /a=b.'],
        ["orders -c=x", 'Write the value of "-c=x" behind a blank: -c x.'],
        ["simulate waldur --port many", '--port takes a whole number, and not "many".'],
        ["simulate waldur --port=", "--port needs its value behind it: --port <integer>."],
        [
          "order-test -c package.json x.yaml --set name",
          "--set takes name=value, as in --set name=trial; once for each"
        ],
        [
          "order-test -c a.yaml x.yaml --set a=1 b=2",
          'site-actors order-test takes nothing behind <order.yaml> but options, and "b=2" is none.'
        ],
        // Of an empty variable; as a place for a backup it was said to be there already.
        ["order ", "site-actors order needs <uuid>, and what stands there is empty."],
        ["journal backup  --data-dir x", "site-actors journal backup needs <file>, and what stands there is empty."],
        ["orders -c a.yaml --config b.yaml", "-c/--config <file> is given twice: leave one of the two out."],
        ["orders --json --json", "--json is given twice: leave one of the two out."],
        ["token --role boss", '--role takes one of operator, viewer, and not "boss".'],
        ["log-level loud", '<level> is one of debug, info, warning, error, critical, reset, and not "loud".']
      ] as const)
        expect(yield* said(line), line).toBe(what)
    })
  )

  it.effect("that ask for different things at once are not done at all", () =>
    Effect.gen(function* () {
      for (const [line, names] of [
        ["orphans -c none.yaml --remove vm:17 --remove-all --yes", "--remove and --remove-all"],
        ["components -c none.yaml --load --yaml", "--load and --yaml"],
        ["reset-password -c none.yaml 9f96 --print --remove-stored", "--remove-stored and --print"],
        ["reset-password -c none.yaml 9f96 --member eve --remove-stored", "--remove-stored and --member"]
      ] as const)
        expect(yield* typed(...line.split(" ")), line).toMatchObject({
          ending: "failed",
          failure: `${names} ask for different things: give one of them.`
        })
    })
  )

  it.effect("may be written in each of the usual ways", () =>
    Effect.gen(function* () {
      const nowhere = "/nowhere/at/all"
      for (const line of [
        `orders --data-dir ${nowhere}`,
        `orders --data-dir=${nowhere} --all`,
        `order 3f2a --data-dir ${nowhere} -f`,
        `order -f --data-dir ${nowhere} -- 3f2a`,
        `orders --data-dir ${nowhere} --log-level debug`,
        `orders --log-level=debug --data-dir ${nowhere}`,
        `journal check --data-dir ${nowhere} --log-level debug`
      ])
        expect((yield* typed(...line.split(" "))).failure, line).toContain(`no journal at ${nowhere}/journal.db`)
      expect((yield* typed("help", "journal", "backup")).out).toContain("$ site-actors journal backup")
      expect((yield* typed("help")).out).toContain("COMMANDS")
    })
  )

  it.effect("have the level checked wherever it stands", () =>
    Effect.gen(function* () {
      for (const line of ["orders --log-level loud", "orders --log-level=loud"])
        expect(yield* said(line)).toMatch(/^There is no level "loud"/)
      expect(yield* said("orders --log-level")).toMatch(/^There is no level ""/)
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
      // A file, and a folder, whichever shell it is.
      expect(out).toMatch(/--config\)\n.*compgen -f/)
      expect(out).toMatch(/--data-dir\)\n.*compgen -d/)
      const { out: zsh } = yield* typed("--completions", "zsh")
      expect(zsh).toMatch(/'--config\[.*\]:PATH:_files'/)
      expect(zsh).toMatch(/'--data-dir\[.*\]:PATH:_files -\/'/)
      const { out: fish } = yield* typed("--completions", "fish")
      expect(fish).toMatch(/-l config -r -F -d/)
      expect(fish).toMatch(/-l data-dir -r -f -a "\(__fish_complete_directories/)
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

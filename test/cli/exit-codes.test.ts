/** Each exit code, by what leads to it. */
import { mkdtemp, readFile, rm, symlink } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Terminal } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Cause, Effect, FiberId } from "effect"
import { endingOf, exitCodes } from "../../src/runtime/exit-codes.js"
import { fromCommand, goesOn } from "../../src/runtime/terminal/signals.js"
import { typed } from "../support/commands.js"

describe("an exit code", () => {
  it.effect("is 0 where it was done, and where somebody ended what would go on", () =>
    Effect.gen(function* () {
      expect((yield* typed("simulate")).ending).toBe("fine")
      expect(endingOf(Cause.interrupt(FiberId.none), true)).toBe("fine")
      for (const words of [
        "run -c c.yaml",
        "top",
        "simulate waldur --json",
        "logs 3f2a --follow",
        "logs -f",
        "demo --ui"
      ])
        expect(goesOn(words.split(" ")), words).toBe(true)
      expect(exitCodes.fine.code).toBe(0)
    })
  )

  it.effect("is 1 where it did not work out", () =>
    Effect.gen(function* () {
      const { ending, failure } = yield* typed("orders", "--data-dir", "/nowhere/at/all")
      expect(ending).toBe("failed")
      expect(failure).toContain("There is no journal at /nowhere/at/all/journal.db")
      expect(exitCodes.failed.code).toBe(1)
    })
  )

  it.effect("is 1 where the system does not let somebody look at what is named, which is no bug", () =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(tmpdir(), "site-actors-exit-"))),
        (made) => Effect.promise(() => rm(made, { recursive: true }))
      )
      const path = join(folder, "loop")
      yield* Effect.promise(() => symlink("loop", path))
      for (const [words, said] of [
        [["orders", "--data-dir", path], `${path} is a link that leads back to itself`],
        [["journal", "backup", path], `${path} cannot be looked at: ELOOP`]
      ] as const) {
        const { ending, failure } = yield* typed(...words)
        expect(ending).toBe("failed")
        expect(failure).toContain(said)
      }
    }).pipe(Effect.scoped)
  )

  it.effect("is 2 for a command line that is none", () =>
    Effect.gen(function* () {
      for (const words of [["ordres"], ["orders", "--nonsense"], ["logs", "--lines", "-1"], ["order"]]) {
        expect((yield* typed(...words)).ending, words.join(" ")).toBe("usage")
      }
      expect(exitCodes.usage.code).toBe(2)
    })
  )

  it("is 70 for a bug", () => {
    expect(endingOf(Cause.die(new TypeError("x is undefined")), false)).toBe("bug")
    expect(exitCodes.bug.code).toBe(70)
  })

  it.effect("is 78 for a configuration file that is wrong, whichever command reads it", () =>
    Effect.gen(function* () {
      for (const command of ["run", "plan", "members"]) {
        const { ending } = yield* typed(command, "-c", `${import.meta.dirname}/exit-codes.test.ts`)
        expect(ending, command).toBe("configuration")
      }
      for (const [file, why] of [
        ["/nowhere/config.yaml", "there is no such file. Name it with -c (--config)"],
        [import.meta.dirname, "it is a folder. Name it with -c (--config)"],
        [`${import.meta.dirname}/exit-codes.test.ts/config.yaml`, "a folder on its path is a file"]
      ] as const)
        for (const command of ["run", "orders"])
          expect(yield* typed(command, "-c", file), command).toMatchObject({
            ending: "configuration",
            failure: expect.stringContaining(`${file}: The file cannot be read: ${why}`)
          })
      expect(exitCodes.configuration.code).toBe(78)
    })
  )

  it("is 130 where somebody broke off, at a question or before it was done", () => {
    expect(endingOf(Cause.fail(new Terminal.QuitException()), false)).toBe("brokenOff")
    expect(endingOf(Cause.interrupt(FiberId.none), false)).toBe("brokenOff")
    for (const words of ["journal backup b.db", "init", "order 3f2a --follow", "order-test o.yaml", "demo", ""])
      expect(goesOn(words.split(" ")), words).toBe(false)
    expect(exitCodes.brokenOff.code).toBe(130)
  })

  it("is 0 where what goes on was ended, wherever the options stand", () => {
    for (const words of ["run -c c.yaml", "--log-level debug run -c c.yaml", "--log-level=debug run", "--wizard top"])
      expect(goesOn(fromCommand(words.split(" "))), words).toBe(true)
    for (const words of ["--log-level debug orders", "--log-level run orders", "--log-level", "--help"])
      expect(goesOn(fromCommand(words.split(" "))), words).toBe(false)
  })

  it("stands in the documentation", async () => {
    const page = await readFile("docs/operations.md", "utf8")
    for (const { code, when } of Object.values(exitCodes)) expect(page).toContain(`| ${code} | ${when} |`)
    expect(page.match(/^\| \d+ \| /gm)).toHaveLength(Object.keys(exitCodes).length)
  })
})

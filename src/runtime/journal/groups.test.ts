import { describe, expect, it } from "@effect/vitest"
import { Effect, Either } from "effect"
import type { File } from "./file.js"
import { makeGroups } from "./groups.js"

/** Files that write down what they are asked to run, and refuse what `refuses` says. */
const recorded = (refuses: (text: string) => boolean = () => false) => {
  const said: Array<string> = []
  let opened = 0
  const open = (): File => {
    opened += 1
    let inTransaction = false
    return {
      run: (text) => {
        said.push(text)
        if (refuses(text)) throw new Error(`refused: ${text}`)
        if (text.startsWith("BEGIN")) inTransaction = true
        if (text === "COMMIT" || text === "ROLLBACK") inTransaction = false
        return text.startsWith("SELECT") ? [{ one: 1 }] : []
      },
      inTransaction: () => inTransaction,
      close: () => said.push("closed")
    }
  }
  return { groups: makeGroups(open), said, opened: () => opened }
}

const all = ({ groups }: ReturnType<typeof recorded>, ...texts: ReadonlyArray<string>) =>
  Effect.forEach(texts, (text) => Effect.either(groups.run(text, [])), { concurrency: "unbounded" })

describe("statements that are asked for in one moment", () => {
  it.live("are written in one transaction, in their order, and each gets its own answer", () =>
    Effect.gen(function* () {
      const file = recorded()
      const answers = yield* all(file, "INSERT a", "SELECT b", "INSERT c")
      expect(file.said).toEqual(["BEGIN IMMEDIATE", "INSERT a", "SELECT b", "INSERT c", "COMMIT"])
      expect(answers).toEqual([Either.right([]), Either.right([{ one: 1 }]), Either.right([])])
    })
  )

  it.live("need no transaction if only one writes", () =>
    Effect.gen(function* () {
      const file = recorded()
      yield* all(file, "SELECT a", "INSERT b", "SELECT c")
      expect(file.said).toEqual(["SELECT a", "INSERT b", "SELECT c"])
    })
  )

  it.live("are written without the one that cannot be", () =>
    Effect.gen(function* () {
      const file = recorded((text) => text === "INSERT bad")
      const answers = yield* all(file, "INSERT a", "INSERT bad", "INSERT c")
      expect(answers.map(Either.isRight)).toEqual([true, false, true])
      // The first attempt came to nothing, so nothing of it may stay.
      expect(file.said.slice(0, 5)).toEqual(["BEGIN IMMEDIATE", "INSERT a", "INSERT bad", "ROLLBACK", "closed"])
      expect(file.said.slice(5).filter((text) => text !== "closed")).toEqual(["INSERT a", "INSERT bad", "INSERT c"])
    })
  )

  it.live("have all failed when their transaction could not be written, and the file is opened anew", () =>
    Effect.gen(function* () {
      let full = true
      const file = recorded((text) => full && text === "COMMIT")
      expect((yield* all(file, "INSERT a", "INSERT b")).map(Either.isRight)).toEqual([false, false])
      full = false
      expect((yield* all(file, "INSERT a", "INSERT b")).map(Either.isRight)).toEqual([true, true])
      expect(file.opened()).toBe(2)
    })
  )

  it.live("have all failed while somebody else writes", () =>
    Effect.gen(function* () {
      const file = recorded((text) => text.startsWith("BEGIN"))
      expect((yield* all(file, "INSERT a", "INSERT b")).map(Either.isRight)).toEqual([false, false])
      expect(file.said).toEqual(["BEGIN IMMEDIATE", "closed"])
    })
  )

  it.live("stand beside what makes a transaction of its own, not in it", () =>
    Effect.gen(function* () {
      const file = recorded()
      yield* all(file, "INSERT a", "INSERT b", "PRAGMA user_version = 1", "INSERT c")
      expect(file.said).toEqual([
        "BEGIN IMMEDIATE",
        "INSERT a",
        "INSERT b",
        "COMMIT",
        "PRAGMA user_version = 1",
        "INSERT c"
      ])
      const script = recorded()
      yield* all(script, "BEGIN IMMEDIATE", "INSERT a", "INSERT b", "COMMIT")
      expect(script.said).toEqual(["BEGIN IMMEDIATE", "INSERT a", "INSERT b", "COMMIT"])
    })
  )
})

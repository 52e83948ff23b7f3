import { EventEmitter } from "node:events"
import { describe, expect, it } from "vitest"
import { heedOutputs } from "./outputs.js"

const printing = (goesOn: boolean) => {
  const said: Array<string> = []
  const codes: Array<number> = []
  const write = (text: string) => said.push(text)
  const [out, err] = [Object.assign(new EventEmitter(), { write }), Object.assign(new EventEmitter(), { write })]
  heedOutputs(goesOn, { out, err }, (code) => codes.push(code))
  return {
    said,
    codes,
    fails: (where: "out" | "err", code: string) =>
      (where === "out" ? out : err).emit("error", Object.assign(new Error(`${code}: write`), { code }))
  }
}

describe("what cannot be printed", () => {
  it("does not end the agent, of which it is the log", () => {
    const { codes, fails, said } = printing(true)
    for (const code of ["ENOSPC", "EPIPE"]) for (const where of ["out", "err"] as const) fails(where, code)
    expect([said, codes]).toEqual([[], []])
  })

  it("ends a command: without a word where nobody reads, and as a failure where there is no room", () => {
    const { codes, fails, said } = printing(false)
    fails("err", "EPIPE")
    expect(codes).toEqual([])
    fails("out", "EPIPE")
    expect([said, codes]).toEqual([[], [1]])
    fails("out", "ENOSPC")
    expect([said, codes]).toEqual([["What is printed cannot be written: ENOSPC: write. It is not complete.\n"], [1, 1]])
  })
})

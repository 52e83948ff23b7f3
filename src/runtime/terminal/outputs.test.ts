import { EventEmitter } from "node:events"
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Writable } from "node:stream"
import { describe, expect, it } from "vitest"
import { heedOutputs, writeToTheEnd } from "./outputs.js"

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

describe("what is printed into a file", () => {
  const printed = async (room: number) => {
    const folder = mkdtempSync(join(tmpdir(), "site-actors-outputs-"))
    const path = join(folder, "out")
    const fd = openSync(path, "w")
    let left = room
    const out = Object.assign(new Writable(), { fd })
    writeToTheEnd(out, (file: number, bytes: string | NodeJS.ArrayBufferView, at?: number | null) => {
      if (left === 0) throw new Error("ENOSPC: no space left on device, write")
      if (typeof bytes === "string") throw new Error("text")
      const begin = at ?? 0
      const length = Math.min(left, 4, bytes.byteLength - begin)
      left -= length
      return writeSync(file, bytes, begin, length)
    })
    const failure = await new Promise<string>((resolve) => {
      out.on("error", () => undefined)
      out.write("0123456789", (error) => resolve(error?.message ?? ""))
    })
    closeSync(fd)
    const text = readFileSync(path, "utf8")
    rmSync(folder, { recursive: true })
    return { failure, text }
  }

  it("is there to the end, also where the system takes a part at a time", async () => {
    expect(await printed(100)).toEqual({ failure: "", text: "0123456789" })
  })

  it("fails where there is no room for all of it, which one short write does not say", async () => {
    expect(await printed(8)).toEqual({ failure: "ENOSPC: no space left on device, write", text: "01234567" })
  })
})

/** The guide's code fits the contract's types, as strictly as ours does. */
import { rm } from "node:fs/promises"
import { resolve } from "node:path"
import ts from "typescript"
import { afterAll, expect, it } from "vitest"
import { folder, writeGuide } from "./guide.js"

afterAll(() => rm(folder, { recursive: true }))

it("the guide compiles", async () => {
  const files = await writeGuide()
  const { config } = ts.readConfigFile("tsconfig.json", ts.sys.readFile)
  const {
    incremental: _,
    tsBuildInfoFile: __,
    ...options
  } = ts.parseJsonConfigFileContent(config, ts.sys, resolve(".")).options
  const program = ts.createProgram(files, options)
  const problems = files.flatMap((file) => ts.getPreEmitDiagnostics(program, program.getSourceFile(file)))
  expect(problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))).toEqual([])
})

/** docs/parity.md names tests as evidence: each of them is there, in the file that it names. */
import { existsSync, readFileSync } from "node:fs"
import ts from "typescript"
import { expect, it } from "vitest"

const page = readFileSync("docs/parity.md", "utf8")

/** Names of the tests and groups of a file: the first argument of `it(...)`, `scenario(...)`, `describe.each(...)(...)` and their like. */
const namesIn = (file: string): ReadonlySet<string> => {
  const names = new Set<string>()
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && /^(it|test|scenario|describe)\b/.test(node.expression.getText(source))) {
      const [name] = node.arguments
      if (name !== undefined && ts.isStringLiteralLike(name)) names.add(name.text)
    }
    ts.forEachChild(node, visit)
  }
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest)
  visit(source)
  return names
}

/** `file.test.ts` or `file.long.ts` > "name"; > "another of the same file" */
const cited = page
  .split("\n")
  .filter((line) => line.startsWith("| ") && !/^\| (there|---)/.test(line))
  .map((line) => {
    let file = ""
    const evidence = line.slice(line.lastIndexOf(" | ", line.length - 3))
    const tests = [...evidence.matchAll(/`([^`]+\.(?:test|long)\.ts)`|> "([^"]+)"/g)].map(([, path, name]) => {
      file = path ?? file
      return { file, name }
    })
    return { line, tests }
  })

it("every line of the parity page names its evidence", () => {
  expect(cited.length).toBeGreaterThan(40)
  expect(cited.filter(({ tests }) => tests.length === 0).map(({ line }) => line.slice(0, 60))).toEqual([])
})

it("every test that the parity page names exists", () => {
  const tests = cited.flatMap((row) => row.tests)
  expect(tests.filter(({ file }) => !existsSync(file))).toEqual([])
  const names = new Map([...new Set(tests.map(({ file }) => file))].map((file) => [file, namesIn(file)]))
  expect(tests.filter(({ file, name }) => name !== undefined && names.get(file)?.has(name) !== true)).toEqual([])
})

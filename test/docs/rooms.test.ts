/**
 * The picture of the rooms in docs/architecture.md is drawn from the imports, and its table says what the rules of .dependency-cruiser.cjs
 * allow: `npm run docs` draws it, `npm run check` holds the imports to the rules.
 */
import { readFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { cruise } from "dependency-cruiser"
import { Schema } from "effect"
import { expect, it } from "vitest"

const page = "docs/architecture.md"
const text = await readFile(page, "utf8")

const Cruised = Schema.parseJson(
  Schema.Struct({
    modules: Schema.Array(
      Schema.Struct({ source: Schema.String, dependencies: Schema.Array(Schema.Struct({ resolved: Schema.String })) })
    )
  })
)
type Edge = readonly [from: string, to: string]

/** Which file of `src` imports which, tests aside. Read once for all that is asked: it takes seconds. */
const { output } = await cruise(["src"], {
  outputType: "json",
  tsPreCompilationDeps: true,
  includeOnly: { path: "^src/" },
  exclude: { path: "\\.test\\.tsx?$" }
})
const imports = Schema.decodeUnknownSync(Cruised)(output).modules.flatMap(({ source, dependencies }) =>
  dependencies.map(({ resolved }): Edge => [source, resolved])
)

/** Which folder of `within` imports which: the plugins come in by the configuration, the kit by whoever tries a plugin. */
const importsIn = (within: string): ReadonlyArray<Edge> => {
  const pairs = imports
    .filter((edge) => edge.every((path) => path.startsWith(`${within}/`)))
    .map(([from, to]): Edge => [roomIn(within, from), roomIn(within, to)])
    .filter(([from, to]) => from !== to)
  return [...new Map(pairs.map((edge) => [edge.join(" "), edge])).values()]
}
const roomIn = (within: string, path: string): string => path.slice(within.length + 1).split("/", 1)[0] ?? path

/** What is left when whatever needs nothing of the rest is taken away, again and again: the circles, and what stands on them. */
const circlesOf = (edges: ReadonlyArray<Edge>): ReadonlyArray<Edge> => {
  const needing = new Set(edges.map(([from]) => from))
  const left = edges.filter(([, to]) => needing.has(to))
  return left.length === edges.length ? edges : circlesOf(left)
}

it("the picture of the rooms is drawn from the imports (if not: npm run docs)", async () => {
  const edges = importsIn("src")
    .map(([from, to]) => `  ${from} --> ${to}`)
    .toSorted()
  const drawn = ["```mermaid", "flowchart TB", ...edges, "```"].join("\n")
  const [before, after] = [text.indexOf("<!-- rooms -->"), text.indexOf("<!-- /rooms -->")]
  expect(before, `${page} has the two marks`).toBeGreaterThan(0)
  await expect(`${text.slice(0, before)}<!-- rooms -->\n${drawn}\n${text.slice(after)}`).toMatchFileSnapshot(
    `../../${page}`
  )
})

it.each(["src/runtime", "src/plugins/opennebula-vdc", "src/plugins/opennebula-vm"])(
  "what is in %s stands on each other: nothing imports, by whatever way, what imports it",
  async (within) => {
    const edges = importsIn(within)
    expect(edges.length).toBeGreaterThan(20)
    expect(circlesOf(edges)).toEqual([])
  }
)

const Rules = Schema.Struct({
  forbidden: Schema.Array(
    Schema.Struct({
      from: Schema.Struct({ path: Schema.String }),
      to: Schema.Struct({ path: Schema.optional(Schema.String), pathNot: Schema.optional(Schema.String) })
    })
  )
})

it("the table of the rooms says what the rules allow", () => {
  const rules = Schema.decodeUnknownSync(Rules)(createRequire(import.meta.url)("../../.dependency-cruiser.cjs"))
  const allowed = rules.forbidden.flatMap(({ from, to }) => {
    const [, room] = /^\^src\/([a-z]+)\/$/.exec(from.path) ?? []
    const [, rooms] = /^\^src\/\(([a-z|]+)\)\/$/.exec(to.pathNot ?? "") ?? []
    return to.path === "^src/" && room !== undefined && rooms !== undefined
      ? [
          `${room}: ${rooms
            .split("|")
            .filter((one) => one !== room)
            .toSorted()
            .join(", ")}`
        ]
      : []
  })
  const rows = [...text.matchAll(/^\| `src\/([a-z]+)` \|[^|]*\| ([^|]*) \|$/gm)].flatMap(([, room = "", may = ""]) =>
    // What everything else may import is not a rule of its own.
    may === "all of these"
      ? []
      : [
          `${room}: ${may
            .replace(/^types of /, "")
            .replace(/^nothing.*/, "")
            .split(", ")
            .toSorted()
            .join(", ")}`
        ]
  )
  expect(rows.toSorted()).toEqual(allowed.toSorted())
})

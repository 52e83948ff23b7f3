/** Every link of the pages leads to a file that is there, and to a heading that is in it. `npm run docs:site` follows them once more, as a site. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { expect, it } from "vitest"
import { anchorOf } from "../../docs/.vitepress/anchor.js"

const markdownIn = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md") && !file.includes("node_modules"))
    .map((file) => join(folder, file))

const pages = ["README.md", "CHANGELOG.md", ...markdownIn("docs"), ...markdownIn("examples")]

/** A page without its code, in which brackets are no links and # is no heading. */
const prose = (page: string): string => readFileSync(page, "utf8").replace(/^```.*?^```$/gms, "")

const anchorsOf = (page: string): ReadonlySet<string> =>
  new Set([...prose(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => anchorOf(heading)))

const links = pages.flatMap((page) =>
  [
    ...prose(page)
      .replace(/`[^`]*`/g, "``")
      .matchAll(/\]\(([^)\s]+)\)/g)
  ]
    .map(([, link = ""]) => link)
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => {
      const [path = "", anchor] = link.split("#")
      return { page, link, target: path === "" ? page : join(dirname(page), path), anchor }
    })
)

it("links of the pages lead somewhere", () => {
  expect(links.length).toBeGreaterThan(60)
  expect(links.filter(({ target }) => !existsSync(target)).map(({ page, link }) => `${page}: ${link}`)).toEqual([])
})

it("links to a heading find it", () => {
  const named = links.filter(({ target, anchor }) => anchor !== undefined && existsSync(target))
  expect(named.length).toBeGreaterThan(5)
  const lost = named.filter(({ target, anchor = "" }) => !statSync(target).isFile() || !anchorsOf(target).has(anchor))
  expect(lost.map(({ page, link }) => `${page}: ${link}`)).toEqual([])
})

it("every page is in the site's list", () => {
  const listed = readFileSync("docs/.vitepress/config.ts", "utf8")
  const missing = readdirSync("docs")
    .filter((file) => file.endsWith(".md") && file !== "index.md")
    .filter((file) => !listed.includes(`link: "/${file.slice(0, -3)}"`))
  expect(missing).toEqual([])
})

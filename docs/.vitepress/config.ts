/**
 * The pages of docs/ as a site: `npm run docs:site` writes it into site/. Pages are written for whoever reads them in the repository, so
 * what a site needs besides is done here: a picture for each diagram, and a copy of each file outside docs/ that a page links to.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { cp } from "node:fs/promises"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { renderMermaidSVG } from "beautiful-mermaid"
import { type DefaultTheme, defineConfig, type MarkdownRenderer } from "vitepress"
import { anchorOf } from "./anchor.js"

const repository = fileURLToPath(new URL("../..", import.meta.url))
const docs = join(repository, "docs")

/** Where copies of the repository's files are, in the site. */
const copies = "repository"
/** The files outside docs/ that pages link to, by their path in the repository. */
const linked = new Set<string>()

/** A page's link that leaves docs/, as a link to the copy; undefined for all others. A file that is not there fails the build. */
const toCopy = (href: string, page: string): string | undefined => {
  if (/^([a-z]+:|#|\/)/.test(href)) return undefined
  const file = relative(repository, join(docs, dirname(page), href.replace(/#.*/, "")))
  if (file.startsWith("docs/")) return undefined
  if (!existsSync(join(repository, file))) throw new Error(`docs/${page} links to ${href}, and there is no ${file}.`)
  linked.add(file)
  return relative(dirname(page), join(copies, copyOf(file)))
}

/** Any server shows text as text; of a file ending in .service or .md only some know what it is. */
const copyOf = (file: string): string => `${file}.txt`

const linksOut = (md: MarkdownRenderer) => {
  md.core.ruler.push("links-out", (state) => {
    for (const token of state.tokens.flatMap(({ children }) => children ?? [])) {
      const href = token.type === "link_open" ? token.attrGet("href") : null
      const copy = href === null ? undefined : toCopy(href, state.env.relativePath)
      if (copy === undefined) continue
      token.attrSet("href", copy)
      // Not a page of the site: the browser fetches it.
      token.attrSet("target", "_self")
    }
  })
}

/** Drawn downwards: a page is narrow. Its colours are the site's, light and dark, and its font too, rather than one from elsewhere. */
const picture = (diagram: string): string =>
  renderMermaidSVG(diagram.replace(/^flowchart LR/, "flowchart TB"), {
    bg: "var(--vp-c-bg)",
    fg: "var(--vp-c-text-1)",
    transparent: true
  })
    .replace(/@import url\([^)]*\);/, "")
    .replaceAll("'Inter'", "var(--vp-font-family-base)")

const diagrams = (md: MarkdownRenderer) => {
  const { fence } = md.renderer.rules
  md.renderer.rules.fence = (tokens, index, options, env, self) => {
    const token = tokens[index]
    if (token?.info.trim() !== "mermaid") return fence?.(tokens, index, options, env, self) ?? ""
    // As a string: Vue leaves out what styles a template.
    return `<div class="diagram" v-html="${md.utils.escapeHtml(JSON.stringify(picture(token.content)))}"></div>\n`
  }
}

const decisions = readdirSync(join(docs, "decisions"))
  .toSorted()
  .map((file) => ({
    text:
      readFileSync(join(docs, "decisions", file), "utf8")
        .split("\n", 1)[0]
        ?.replace(/^# /, "") ?? file,
    link: `/decisions/${file.replace(/\.md$/, "")}`
  }))

const sidebar: Array<DefaultTheme.SidebarItem> = [
  { text: "Start here, in five minutes", link: "/" },
  {
    text: "Move from the Python agent",
    items: [
      { text: "Step by step", link: "/move" },
      { text: "What it has, and what is here", link: "/parity" },
      { text: "Migration and import", link: "/migration" }
    ]
  },
  { text: "Configuration reference", link: "/configuration" },
  {
    text: "Operations",
    items: [
      { text: "Install, upgrade, back up", link: "/deploy" },
      { text: "What fails, and what happens then", link: "/operations" },
      { text: "The page", link: "/page" },
      { text: "Monitoring", link: "/monitoring" },
      { text: "Alerts", link: "/alerts" },
      { text: "Between orders", link: "/drift" },
      { text: "Usage reports and components", link: "/usage" },
      { text: "Members", link: "/membership" },
      { text: "Machines", link: "/machines" },
      { text: "Events", link: "/events" },
      { text: "What the agent tells of itself", link: "/telemetry" },
      { text: "The API", link: "/api" }
    ]
  },
  { text: "Security", link: "/security" },
  {
    text: "How it works",
    items: [
      { text: "An order's way, and the rooms", link: "/architecture" },
      { text: "The simulation", link: "/chaos" },
      { text: "Evidence", link: "/evidence" },
      { text: "How fast it is", link: "/performance" },
      { text: "Several processes", link: "/scaling" }
    ]
  },
  {
    text: "Write a backend",
    items: [
      { text: "In an afternoon", link: "/write-a-backend" },
      // TypeDoc's, beside VitePress's pages.
      { text: "The contract", link: "/contract/index.html", target: "_self" }
    ]
  },
  { text: "Decisions", collapsed: true, items: decisions }
]

export default defineConfig({
  title: "Site Actors",
  description: "The agent between a Waldur marketplace and a cloud.",
  lang: "en",
  outDir: "../site",
  cacheDir: "../node_modules/.cache/vitepress",
  ignoreDeadLinks: false,
  markdown: {
    anchor: { slugify: anchorOf },
    config: (md) => {
      linksOut(md)
      diagrams(md)
    }
  },
  themeConfig: {
    sidebar,
    outline: [2, 3],
    search: { provider: "local" },
    externalLinkIcon: true
  },
  buildEnd: async ({ outDir }) => {
    await Promise.all([...linked].map((file) => cp(join(repository, file), join(outDir, copies, copyOf(file)))))
  }
})

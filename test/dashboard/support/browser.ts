/** A real browser from npm alone, and what is watched in every page of it. */
import { readFile } from "node:fs/promises"
import { createRequire } from "node:module"
import chromium from "@sparticuz/chromium"
import { Effect } from "effect"
import { type Browser, type BrowserContextOptions, type Page, chromium as playwright } from "playwright-core"

export const desktop = { width: 1280, height: 800 } as const
export const phone = { width: 390, height: 844 } as const

/** One for all tests of a file: starting it takes longer than most of them. */
export const openBrowser = Effect.acquireRelease(
  Effect.promise(async () =>
    playwright.launch({
      executablePath: await chromium.executablePath(),
      // The package's own arguments are for one page in one process, and end with it.
      args: ["--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--font-render-hinting=none"],
      headless: true
    })
  ),
  (browser) => Effect.promise(() => browser.close())
)

export interface Tab {
  readonly page: Page
  /** Errors of its scripts, of the content security policy, and requests to other addresses: empty if all is well. */
  readonly faults: Array<string>
}

/** `base`: the agent's address; nothing else may be asked for anything. */
export const openTab = async (browser: Browser, base: string, options: BrowserContextOptions = {}): Promise<Tab> => {
  const context = await browser.newContext({
    viewport: desktop,
    locale: "en-GB",
    timezoneId: "UTC",
    reducedMotion: "reduce",
    ...options
  })
  const page = await context.newPage()
  // Only what hangs may end here, on however busy a machine.
  page.setDefaultTimeout(60_000)
  const faults: Array<string> = []
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`))
  page.on("console", (message) => {
    // What the agent refuses is the page's business; a lost connection is looked at by its own test.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) faults.push(message.text())
  })
  page.on("request", (request) => {
    if (!request.url().startsWith(`${base}/`)) faults.push(`asked ${request.url()}`)
  })
  return { page, faults }
}

const axeSource = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")

export interface Rules {
  /** These alone. */
  readonly only?: ReadonlyArray<string>
  /** All but these. */
  readonly without?: ReadonlyArray<string>
}

/** What axe finds wrong, one line each: "color-contrast: Elements must ... (a.link)". */
export const violations = async (page: Page, { only, without = [] }: Rules): Promise<ReadonlyArray<string>> => {
  // Not as a script of the page, which its content security policy rightly refuses.
  await page.evaluate(axeSource)
  const options = {
    resultTypes: ["violations"],
    // The style sheets are read by the one rule that nothing here is about (orientation), and fetched for it each time.
    preload: false,
    iframes: false,
    ...(only === undefined ? {} : { runOnly: only }),
    rules: Object.fromEntries(without.map((rule) => [rule, { enabled: false }]))
  }
  return page.evaluate<ReadonlyArray<string>>(
    `axe.run(document, ${JSON.stringify(options)}).then(({ violations }) => violations.map(({ id, help, nodes }) =>
      id + ": " + help + " (" + nodes.map(({ target }) => target.join(" ")).slice(0, 3).join(", ") + ")"))`
  )
}

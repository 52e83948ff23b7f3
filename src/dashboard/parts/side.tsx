/** The navigation, and at its foot who looks and in what light. On a phone: a line above, and the navigation below. */
import type { Visitor } from "../../api/index.js"
import { connection } from "../state/live.js"
import { useOverview } from "../state/overview.js"
import { whereabouts } from "../state/router.js"
import { signOut } from "../state/session.js"
import { theme, themes } from "../state/theme.js"
import { Switch } from "./filters.js"
import { number } from "./format.js"
import { Bars, Boxes, Brand, Pulse, Wrench } from "./icons.js"
import { Status } from "./status.js"

const sections = [
  { path: "/", name: "Overview", icon: <Pulse /> },
  { path: "/orders", name: "Orders", icon: <Bars /> },
  { path: "/resources", name: "Resources", icon: <Boxes /> },
  { path: "/troubles", name: "Troubles", icon: <Wrench /> }
] as const

const isHere = (path: string): boolean => {
  const here = whereabouts.value
  return path === "/" ? here === "/" : here === path || here.startsWith(`${path}/`)
}

const connections = {
  live: { shape: "ok", tone: "ok", word: "Live" },
  connecting: { shape: "busy", tone: "busy", word: "Connecting" },
  lost: { shape: "bad", tone: "bad", word: "Connection lost" }
} as const

const words = { system: "Auto", light: "Light", dark: "Dark" } as const

export const Side = ({ visitor, version }: { readonly visitor: Visitor; readonly version: string }) => {
  const { value } = useOverview()
  const tallies: Readonly<Record<string, readonly [amount: number, what: string]>> = {
    Overview: [value?.troubles.length ?? 0, "things are wrong"],
    Troubles: [(value?.leftovers ?? 0) + (value?.quarantined ?? 0) + (value?.differing ?? 0), "on the lists"]
  }
  return (
    <header class="side">
      <a class="brand" href="#/">
        <Brand />
        Site Actors
      </a>
      <nav aria-label="Sections">
        <ul class="nav">
          {sections.map(({ path, name, icon }) => {
            const [amount, what] = tallies[name] ?? [0, ""]
            return (
              <li key={path}>
                <a href={`#${path}`} {...(isHere(path) ? { "aria-current": "page" as const } : {})}>
                  {icon}
                  {name}
                  {amount === 0 ? null : (
                    <span class="tally">
                      {number(amount)}
                      <span class="heard"> {what}</span>
                    </span>
                  )}
                </a>
              </li>
            )
          })}
        </ul>
      </nav>
      <div class="foot">
        <Status look={connections[connection.value.state]} quiet />
        <Switch
          label="Light or dark"
          options={themes.map((one) => [one, words[one]] as const)}
          chosen={theme.value}
          choose={(chosen) => {
            theme.value = chosen
          }}
        />
        <p class="who">
          {visitor.name}
          {visitor.role === "viewer" ? ", may only look" : ""}
          {visitor.by === "token" ? (
            <button type="button" class="button plain" onClick={() => void signOut()}>
              Sign out
            </button>
          ) : null}
        </p>
        <p class="version">Version {version}</p>
      </div>
    </header>
  )
}

/** Light or dark: as the system says, until somebody chooses. */
import { effect, signal } from "@preact/signals"

export const themes = ["system", "light", "dark"] as const
export type Theme = (typeof themes)[number]

const key = "site-actors-theme"

const remembered = (): Theme => {
  try {
    const kept = localStorage.getItem(key)
    return themes.find((one) => one === kept) ?? "system"
  } catch {
    // A browser that keeps nothing is no reason to show nothing.
    return "system"
  }
}

export const theme = signal<Theme>(remembered())

const systemDark = matchMedia("(prefers-color-scheme: dark)")
/** What is on the screen now. Charts are painted and have to know. */
export const dark = signal(systemDark.matches)

const settle = () => {
  dark.value = theme.peek() === "system" ? systemDark.matches : theme.peek() === "dark"
}
systemDark.addEventListener("change", settle)

effect(() => {
  const chosen = theme.value
  if (chosen === "system") delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = chosen
  settle()
  try {
    if (chosen === "system") localStorage.removeItem(key)
    else localStorage.setItem(key, chosen)
  } catch {
    // As above: it holds for this visit.
  }
})

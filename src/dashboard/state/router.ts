/**
 * Where one is: the part of the address after `#`. It needs nothing of the server, works behind any path of a reverse proxy, and ids
 * stay out of every access log. `#/orders/3f2a...?state=waits`
 */
import { computed, signal } from "@preact/signals"

export interface Place {
  /** "/orders/3f2a..." -> ["orders", "3f2a..."] */
  readonly path: ReadonlyArray<string>
  readonly search: URLSearchParams
}

const parse = (hash: string): Place => {
  const [path = "", search = ""] = hash.replace(/^#\/?/, "").split("?")
  return { path: path.split("/").filter((part) => part !== ""), search: new URLSearchParams(search) }
}

const hash = signal(location.hash)
addEventListener("hashchange", () => {
  hash.value = location.hash
})

export const place = computed(() => parse(hash.value))
/** What is shown, without how it is filtered: changes when one goes somewhere else. */
export const whereabouts = computed(() => `/${place.value.path.join("/")}`)

export const link = (path: string, search: Readonly<Record<string, string>> = {}): string => {
  const filled = Object.entries(search).filter(([, value]) => value !== "")
  return `#${path}${filled.length === 0 ? "" : `?${new URLSearchParams(filled)}`}`
}

/** The same place, filtered otherwise; no step back in the browser's history for every letter typed. */
export const filterBy = (changes: Readonly<Record<string, string>>): void => {
  const search = Object.fromEntries(place.peek().search)
  history.replaceState(null, "", link(whereabouts.peek(), { ...search, ...changes }))
  hash.value = location.hash
}

/** What a route is, and how a path finds its own. */
import type { Handler } from "../request.js"
import type { Behaviour } from "../world.js"

export interface Route {
  /** Segments after `/api/`, without the trailing slash; `:name` takes any segment. */
  readonly path: string
  /** The `Allow` header of every answer under this path. */
  readonly allow: string
  readonly methods: { readonly [method: string]: Handler | undefined }
  /** What `OPTIONS` calls the view. */
  readonly name?: string
  /**
   * `current`: unknown to the 2024 server. `published`: in the published API, unknown to both recorded servers (recordings 073 to
   * 076). `2024`: only there; elsewhere the path exists and finds nothing.
   */
  readonly since?: "current" | "published" | "one queue" | undefined
}

export const listAllow = "GET, POST, HEAD, OPTIONS"
export const readAllow = "GET, HEAD, OPTIONS"
export const detailAllow = "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"
export const actionAllow = "POST, OPTIONS"

export interface Match {
  readonly route: Route
  readonly params: { readonly [name: string]: string }
}

export const isServed = (behaviour: Behaviour, { since }: Route): boolean => {
  switch (since) {
    case undefined:
      return true
    case "current":
      return behaviour.generation === "current"
    case "published":
      return behaviour.published
    case "one queue":
      return behaviour.oneQueue
  }
}

interface Pattern {
  readonly route: Route
  readonly parts: ReadonlyArray<string>
}

const matches = ({ parts, route }: Pattern, segments: ReadonlyArray<string>): Match | null => {
  if (parts.length !== segments.length) return null
  const params: { [name: string]: string } = {}
  for (const [index, part] of parts.entries()) {
    const segment = segments[index] ?? ""
    if (part.startsWith(":")) params[part.slice(1)] = segment
    else if (part !== segment) return null
  }
  return { route, params }
}

export type FindRoute = (behaviour: Behaviour, path: string) => Match | null

/**
 * Finds a route by its path, with or without its trailing slash; routes with fixed segments stand before those with parameters. By the first
 * segment, which no route leaves open: otherwise each request would be held against a hundred paths.
 */
export const routeFinder = (routes: ReadonlyArray<Route>): FindRoute => {
  const byFirst = new Map<string, Array<Pattern>>()
  for (const route of routes) {
    const parts = route.path.split("/")
    const [first = ""] = parts
    const known = byFirst.get(first)
    if (known === undefined) byFirst.set(first, [{ route, parts }])
    else known.push({ route, parts })
  }
  return (behaviour, path) => {
    if (!path.startsWith("/api/")) return null
    const segments = path.slice("/api/".length).replace(/\/$/, "").split("/")
    for (const pattern of byFirst.get(segments[0] ?? "") ?? []) {
      const match = isServed(behaviour, pattern.route) ? matches(pattern, segments) : null
      if (match !== null) return match
    }
    return null
  }
}

/** The built page (`dist/dashboard`): hashed files for a year, and a way to the page from every place of its own. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Path from "@effect/platform/Path"
import { Effect, Option } from "effect"
import { pathOf } from "./guard.js"

/** Vite puts a hash into every name here: what has the name has the content. */
const hashed = "/assets/"

/** Places of the page itself: it finds out what they mean. */
const isPlace = (path: string): boolean => !path.startsWith("/api") && !/\.[a-z0-9]{1,5}$/i.test(path)

/** The page keeps its places behind `#`. Relative, as a reverse proxy may have put the page under any path. */
const toPlace = (place: string): HttpServerResponse.HttpServerResponse => {
  const up = "../".repeat(place.split("/").length - 1)
  return HttpServerResponse.empty({ status: 302, headers: { location: `${up === "" ? "./" : up}#/${place}` } })
}

/** A path as the browser sends it, as one below the folder; none if it leads elsewhere. */
const below = (path: string): Option.Option<string> => {
  if (!/^\/[A-Za-z0-9._/-]*$/.test(path)) return Option.none()
  const parts = path.split("/").filter((part) => part !== "")
  return parts.some((part) => part.startsWith(".")) ? Option.none() : Option.some(parts.join("/"))
}

const notBuilt =
  "The page is not part of this build: run `npm run build`. Its API answers under /api, and `site-actors` shows the same on the terminal."

/** `undefined`: it is no file and no place of the page. `folder`: where the built page is. */
export const assets = (folder: string) => {
  const send = (path: string, cache: string) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const file = (yield* Path.Path).join(folder, path)
      const info = yield* Effect.option(fs.stat(file))
      if (!Option.exists(info, ({ type }) => type === "File")) return undefined
      const request = yield* HttpServerRequest.HttpServerRequest
      const response = yield* HttpServerResponse.file(file, { headers: { "cache-control": cache } })
      return request.headers["if-none-match"] === response.headers.etag && response.headers.etag !== undefined
        ? HttpServerResponse.empty({ status: 304, headers: { etag: response.headers.etag, "cache-control": cache } })
        : response
    })
  return Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    const path = pathOf(request)
    if (request.method !== "GET" && request.method !== "HEAD") return undefined
    const wanted = below(path)
    if (Option.isSome(wanted) && wanted.value !== "" && wanted.value !== "index.html") {
      const found = yield* send(
        wanted.value,
        path.startsWith(hashed) ? "public, max-age=31536000, immutable" : "no-cache"
      )
      if (found !== undefined) return found
    }
    if (path === "/" || path === "/index.html") {
      return (yield* send("index.html", "no-cache")) ?? HttpServerResponse.text(notBuilt, { status: 404 })
    }
    return Option.isSome(wanted) && isPlace(path) ? toPlace(wanted.value) : undefined
  }).pipe(Effect.orDie)
}

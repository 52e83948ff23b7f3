/** The built page (`dist/dashboard`): hashed files for a year, and a way to the page from every place of its own. */
import { Etag, FileSystem, HttpServerRequest, HttpServerResponse, Path } from "@effect/platform"
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

/** What the build has compressed beside each file (`scripts/dashboard.mjs`), the smallest first. */
const endings = { br: "br", gzip: "gz" } as const
type Encoding = keyof typeof endings
const encodings: ReadonlyArray<Encoding> = ["br", "gzip"]

/** "gzip, br;q=0.9, *;q=0" -> those of ours that may be sent. */
const accepted = (header: string | undefined): ReadonlyArray<Encoding> => {
  const said = new Map(
    (header ?? "").split(",").map((part) => {
      const [name = "", ...parameters] = part.split(";").map((text) => text.trim().toLowerCase())
      const weight = parameters.find((text) => text.startsWith("q="))
      return [name, weight === undefined ? 1 : Number(weight.slice(2))] as const
    })
  )
  return encodings.filter((encoding) => (said.get(encoding) ?? said.get("*") ?? 0) > 0)
}

const tagsIn = (header: string | undefined): ReadonlyArray<string> =>
  (header ?? "").split(",").map((text) => text.trim())

const types: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  woff2: "font/woff2"
}
const typeOf = (path: string): string => types[path.split(".").at(-1) ?? ""] ?? "application/octet-stream"

const infoOf = (file: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => Effect.option(fs.stat(file))).pipe(
    Effect.map(Option.filter(({ type }) => type === "File"))
  )
const isFile = (file: string) => Effect.map(infoOf(file), Option.isSome)

interface Variant {
  readonly file: string
  readonly encoding: Encoding | undefined
}

const firstOf = ([first, ...others]: ReadonlyArray<Variant>): Effect.Effect<
  (Variant & { readonly info: FileSystem.File.Info }) | undefined,
  never,
  FileSystem.FileSystem
> =>
  first === undefined
    ? Effect.succeed(undefined)
    : Effect.flatMap(infoOf(first.file), (info) =>
        Option.isSome(info) ? Effect.succeed({ ...first, info: info.value }) : firstOf(others)
      )

const notBuilt =
  "The page is not part of this build: run `npm run build`. Its API answers under /api, and `site-actors` shows the same on the terminal."

/** `undefined`: it is no file and no place of the page. `folder`: where the built page is. */
export const assets = (folder: string) => {
  const send = (path: string, cache: string) =>
    Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      const plain = (yield* Path.Path).join(folder, path)
      const found = yield* firstOf([
        ...accepted(request.headers["accept-encoding"]).map((encoding) => ({
          file: `${plain}.${endings[encoding]}`,
          encoding
        })),
        { file: plain, encoding: undefined }
      ])
      // What is there compressed alone is no file of the page.
      if (found === undefined || !(yield* isFile(plain))) return undefined
      const tag = Etag.toString(yield* (yield* Etag.Generator).fromFileInfo(found.info))
      const headers = {
        "cache-control": cache,
        vary: "accept-encoding",
        ...(found.encoding === undefined ? {} : { "content-encoding": found.encoding })
      }
      // Before the file is opened, which whoever has it already or wants its head alone would leave open.
      if (tagsIn(request.headers["if-none-match"]).includes(tag)) {
        return HttpServerResponse.empty({ status: 304, headers: { ...headers, etag: tag } })
      }
      const type = typeOf(path)
      if (request.method === "HEAD") {
        return HttpServerResponse.empty({ status: 200, headers: { ...headers, etag: tag, "content-type": type } })
      }
      const response = yield* HttpServerResponse.file(found.file, { headers: { ...headers, "content-type": type } })
      // The platform's own tag may be of another strength.
      return HttpServerResponse.setHeader(response, "etag", tag)
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

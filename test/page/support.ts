/** The page's API of a running agent, called as a browser would: over HTTP, with the typed client. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpApiClient from "@effect/platform/HttpApiClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Path from "@effect/platform/Path"
import { Effect } from "effect"
import { api, requestHeader } from "../../src/api/index.js"
import type { Config } from "../../src/runtime/config/index.js"
import { listen } from "../../src/runtime/http/serve.js"
import type { RunningAgent, Site } from "../support/agent.js"

export type Client = Effect.Effect.Success<ReturnType<typeof clientOf>>

/** A browser's requests, with more headers if that is wanted. */
export const clientOf = (url: string, headers: Readonly<Record<string, string>> = {}) =>
  HttpApiClient.make(api, {
    baseUrl: url,
    transformClient: HttpClient.mapRequest((request) =>
      HttpClientRequest.setHeaders(request, { [requestHeader]: "1", ...headers })
    )
  }).pipe(Effect.provide(FetchHttpClient.layer))

export interface Shown {
  /** Without a slash at its end. */
  readonly url: string
  readonly client: Client
  readonly assets: string
}

/** The agent's page, served until the agent ends. `page`: put over the site's settings. */
export const show = (
  site: Site,
  agent: RunningAgent,
  {
    host = "127.0.0.1",
    page = {},
    using = site.config
  }: { readonly host?: string; readonly page?: Partial<Config["page"]>; readonly using?: Config } = {}
) =>
  Effect.gen(function* () {
    const assets = (yield* Path.Path).join(site.dataDir, "..", "dashboard")
    const config = { ...using, page: { ...using.page, ...page } }
    const url = yield* listen(config, host, 0, { assets }).pipe(Effect.provide(agent.services))
    // What listens for everybody is reached here by this machine's address.
    const reached = url.replace("0.0.0.0", "127.0.0.1")
    const shown: Shown = { url: reached, client: yield* clientOf(reached), assets }
    return shown
  })

/** A request as any program makes it. */
export const ask = (url: string, init: RequestInit = {}) =>
  Effect.promise(async () => {
    const response = await fetch(url, { redirect: "manual", ...init })
    return { status: response.status, headers: response.headers, text: await response.text() }
  })

/** Looks until it is as wanted. */
export const until =
  <A>(isIt: (value: A) => boolean) =>
  <E, R>(look: Effect.Effect<A, E, R>) =>
    Effect.delay(look, "20 millis").pipe(Effect.repeat({ until: isIt }), Effect.timeout("60 seconds"))

/** The page's client has a table of paths, as types alone cannot say them: held here to the definition that the server is made of. */
import * as HttpApi from "@effect/platform/HttpApi"
import { expect, it } from "vitest"
import { api } from "../../src/api/index.js"
import { routes } from "../../src/dashboard/state/routes.js"

it("asks where the agent answers", () => {
  const served = new Map<string, string>()
  HttpApi.reflect(api, {
    onGroup: () => undefined,
    onEndpoint: ({ group, endpoint }) => {
      served.set(`${group.identifier}.${endpoint.name}`, `${endpoint.method} ${endpoint.path}`)
    }
  })
  expect(Object.fromEntries([...served].filter(([name]) => name in routes))).toEqual(routes)
})

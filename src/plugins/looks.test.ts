import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import type { OpenNebulaClient } from "../opennebula/client.js"
import { makeOpenNebula } from "../opennebula/index.js"
import { administrator, datastores, ping, release } from "./looks.js"

/** A front-end of some release, whose user is in some group, and which has no datastores. */
const frontEnd = (version: string, group = 0) => {
  const client: OpenNebulaClient = {
    endpoint: "http://front-end/RPC2",
    call: (_, __, answer) => {
      switch (answer._tag) {
        case "Integer":
          return answer.decode(0)
        case "Text":
          return answer.decode(version)
        case "Document":
          return answer.decode({
            name: "USER",
            text: "",
            children: Object.entries({ ID: "5", NAME: "waldur", GID: String(group) }).map(([name, text]) => ({
              name,
              text,
              children: []
            }))
          })
        case "Pool":
          return Effect.succeed(answer.gather().result())
      }
    }
  }
  return makeOpenNebula(client)
}

describe("the check of a front-end", () => {
  it.effect.each([
    ["7.4.1", "ok", "7.4.1 at http://front-end/RPC2"],
    ["6.10.0", "warning", "6.10.0 at http://front-end/RPC2: tested with 7.4"],
    ["5.12.0", "failed", "5.12.0 at http://front-end/RPC2: release 6 or later is needed"],
    ["nonsense", "failed", "nonsense at http://front-end/RPC2: release 6 or later is needed"]
  ] as const)("of release %s is %s", ([version, status, detail]) =>
    Effect.map(release(frontEnd(version)), (found) => expect(found).toEqual({ subject: "OpenNebula", status, detail }))
  )

  it.effect("says whose credentials are not enough, and what to do", () =>
    Effect.map(administrator(frontEnd("7.4.0", 100)), (found) =>
      expect(found).toEqual({
        subject: "credentials",
        status: "failed",
        detail: "user waldur (5) is no member of the group oneadmin: add it, or give other credentials"
      })
    )
  )

  it.effect("fails where there is nowhere to put machines and images", () =>
    Effect.map(datastores(frontEnd("7.4.0"), [0, 3]), (found) =>
      expect(found).toEqual([
        { subject: "system datastores", status: "failed", detail: "none is ready in the clusters 0, 3" },
        { subject: "image datastores", status: "failed", detail: "none is ready in the clusters 0, 3" }
      ])
    )
  )
})

describe("the look before the first order", () => {
  it.effect("stops the offering of a release that is too old, with a sentence that says what to do", () =>
    Effect.gen(function* () {
      const fault = yield* Effect.flip(ping(frontEnd("5.12.0")))
      expect(fault.disposition).toBe("stop-offering")
      expect(fault.message).toBe(
        "OpenNebula at http://front-end/RPC2 has release 5.12.0. Release 6 or later is needed: upgrade it, or name another front-end in backend_settings.api_url."
      )
      yield* ping(frontEnd("6.10.0"))
    })
  )
})

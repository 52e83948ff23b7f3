/** A client of the tests' own front-ends, and what those answer. */
import type { IncomingMessage, ServerResponse } from "node:http"
import { Effect, Redacted } from "effect"
import { makeClient, type OpenNebulaSettings } from "../../src/opennebula/client.js"
import type { Answer, XmlElement } from "../../src/opennebula/wire/answer.js"
import { envelope } from "./openNebulaDecoding.js"
import { readBody } from "./tinyServers.js"

export const password = "correct horse"
export const credentials = Redacted.make(`oneadmin:${password}`)
export const settingsFor = (port: number, more: Partial<OpenNebulaSettings> = {}): OpenNebulaSettings => ({
  apiUrl: `http://127.0.0.1:${port}/RPC2`,
  credentials,
  // On a slow machine the large answers of these tests take long.
  timeout: "2 minutes",
  ...more
})

export const version: Answer<string> = { _tag: "Text", decode: Effect.succeed }
export const document: Answer<XmlElement> = { _tag: "Document", decode: Effect.succeed }

/** Asks a front-end at `port` for its version. */
export const askVersion = (port: number, more: Partial<OpenNebulaSettings> = {}) =>
  Effect.flatMap(makeClient(settingsFor(port, more)), (client) => client.call("one.system.version", [], version))

export const answer = envelope("<string>7.4.0</string>")
export const sendAnswer = (response: ServerResponse, bytes: Buffer = answer) =>
  response.writeHead(200, { "content-length": bytes.length, connection: "close" }).end(bytes)

/** Reads the request, then does `respond`. */
export const afterRequest =
  (respond: (response: ServerResponse, body: Buffer, request: IncomingMessage) => void) =>
  (request: IncomingMessage, response: ServerResponse): void => {
    readBody(request).then(
      (body) => respond(response, body, request),
      () => response.destroy()
    )
  }

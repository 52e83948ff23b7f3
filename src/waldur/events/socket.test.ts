import { describe, expect, it } from "vitest"
import type { BrokerPlace } from "./index.js"
import { brokerUrl } from "./index.js"

const nothing: BrokerPlace = { tls: true, host: undefined, port: undefined, path: undefined }
const at = (api: string, place: Partial<BrokerPlace> = {}) => brokerUrl(api, { ...nothing, ...place })

describe("Without keys of its own, the broker is", () => {
  it("at Waldur's address", () => {
    expect(at("https://waldur.example.com/api/")).toBe("wss://waldur.example.com/rmqws-stomp")
    expect(at("https://waldur.example.com:8443/waldur/api/")).toBe("wss://waldur.example.com:8443/rmqws-stomp")
    expect(at("http://127.0.0.1:8000/api/", { tls: false })).toBe("ws://127.0.0.1:8000/rmqws-stomp")
    expect(at("https://[::1]:8443/api/")).toBe("wss://[::1]:8443/rmqws-stomp")
  })

  it("at the usual port, where Waldur's port speaks otherwise than the broker", () => {
    expect(at("http://127.0.0.1:8000/api/")).toBe("wss://127.0.0.1/rmqws-stomp")
    expect(at("https://waldur.example.com:8443/api/", { tls: false })).toBe("ws://waldur.example.com/rmqws-stomp")
  })
})

describe("What the configuration says of the broker wins", () => {
  it("host, port and path", () => {
    const place = { tls: false, host: "rabbit.example.com", port: 15674, path: "ws" }
    expect(at("https://waldur.example.com:8443/api/", place)).toBe("ws://rabbit.example.com:15674/ws")
    expect(at("https://waldur.example.com:8443/api/", { host: "rabbit.example.com" })).toBe(
      "wss://rabbit.example.com/rmqws-stomp"
    )
  })
})

import { describe, expect, it } from "vitest"
import { connectionAdvice } from "./connection.js"

const advice = (reason: string) => connectionAdvice(reason, { url: "api_url", ca: "ca_file" })

describe("what to do about a connection that does not come about", () => {
  it.each([
    ["DEPTH_ZERO_SELF_SIGNED_CERT", /name its authority's PEM file in ca_file\. If that was renewed .*restart/],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE unable to verify the first certificate", /ca_file/],
    ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", /ca_file/],
    ["CERT_HAS_EXPIRED certificate has expired", /renew it there, or set this machine's clock/],
    ["CERT_NOT_YET_VALID", /not valid yet/],
    ["ERR_TLS_CERT_ALTNAME_INVALID Hostname/IP does not match certificate's altnames", /host in api_url/],
    ["ERR_SSL_WRONG_VERSION_NUMBER", /No TLS is spoken.*api_url/],
    ["EPROTO wrong version number", /No TLS is spoken.*http:\/\//],
    ["ENOTFOUND getaddrinfo ENOTFOUND one.exampel.com", /correct api_url/]
  ])("%s", (reason, wanted) => {
    expect(advice(reason)).toMatch(wanted)
  })

  it("names the proxy, which may be what cannot be reached, where there is one", () => {
    const through = (reason: string) => connectionAdvice(reason, { url: "api_url", ca: "ca_file", proxy: "its_proxy" })
    expect(through("ECONNREFUSED 127.0.0.1:3128")).toBe("Check its_proxy too.")
    expect(through("ENOTFOUND getaddrinfo ENOTFOUND proxy")).toMatch(/correct its_proxy,/)
    expect(through("DEPTH_ZERO_SELF_SIGNED_CERT")).toMatch(/ca_file/)
  })

  it("is not said where the server itself is away", () => {
    expect(["ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "UND_ERR_SOCKET"].map(advice)).toEqual(["", "", "", ""])
  })
})

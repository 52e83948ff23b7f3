import { describe, expect, it } from "@effect/vitest"
import { Duration, Option } from "effect"
import { accepted, file, refused } from "./harness.js"

const database = "database: postgres://agent@db.example.com/site"
const withCluster = (...lines: ReadonlyArray<string>) => `${lines.join("\n")}\n${file()}`

describe("Several processes", () => {
  it("are none if the file does not say so", async () => {
    expect((await accepted(file())).cluster).toEqual(Option.none())
  })

  it("meet at their own addresses, and listen there", async () => {
    const text = withCluster(database, `cluster: { host: "\${POD_IP}" }`)
    const { cluster } = await accepted(text, { environment: { POD_IP: "10.0.0.5" } })
    const usual = { host: "10.0.0.5", port: 34_431, listen: "10.0.0.5", takeover: Duration.seconds(10) }
    expect(cluster).toEqual(Option.some(usual))
  })

  it("may have ports from outside, and listen elsewhere", async () => {
    const text = withCluster(
      database,
      `cluster: { host: agent-1.example.com, port: "\${RUNNER_PORT}", listen: 0.0.0.0, takeover: 30 }`
    )
    expect((await accepted(text, { environment: { RUNNER_PORT: "4000" } })).cluster).toEqual(
      Option.some({ host: "agent-1.example.com", port: 4000, listen: "0.0.0.0", takeover: Duration.seconds(30) })
    )
  })

  it.each([
    [["cluster: { host: 10.0.0.5 }"], "cluster", "needs a database that several processes can share"],
    [[database, "cluster: {}"], "cluster.host", "is missing"],
    [[database, "cluster: { host: 0.0.0.0 }"], "cluster.host", "must be a host name or an address of this machine"],
    [[database, "cluster: { host: 'http://10.0.0.5' }"], "cluster.host", "must be a host name"],
    [[database, "cluster: { host: 10.0.0.5, takeover: 1 }"], "cluster.takeover", "a whole number from 3 to 600"]
  ])("are refused with their place: %s", async (lines, place, words) => {
    const [problem, ...more] = await refused(withCluster(...lines))
    expect(more).toEqual([])
    expect(problem).toContain(place)
    expect(problem).toContain(words)
  })
})

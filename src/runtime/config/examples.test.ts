import { readFile } from "node:fs/promises"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { describe, expect, it } from "@effect/vitest"
import { ConfigProvider, Duration, Effect, Option, Redacted } from "effect"
import { VdcSettings } from "../../plugins/opennebula-vdc/settings.js"
import { VmSettings } from "../../plugins/opennebula-vm/settings.js"
import { settingsOnly } from "./harness.js"
import { loadConfig } from "./load.js"

const plugins = [settingsOnly("opennebula-vdc", "vdc", VdcSettings), settingsOnly("opennebula-vm", "vm", VmSettings)]

const load = (name: string, environment: Readonly<Record<string, string>> = {}) =>
  loadConfig(`${import.meta.dirname}/../../../examples/${name}`, plugins).pipe(
    Effect.provide(NodeFileSystem.layer),
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment)))),
    Effect.runPromise
  )

describe("The Python agent's file works as it is", () => {
  it("with both of its offerings, whatever way its values are written", async () => {
    const config = await load("python-agent-config.yaml")
    const [vdc, vm] = config.offerings
    expect(vdc?.plugin.type).toBe("opennebula-vdc")
    expect(vm?.plugin.type).toBe("opennebula-vm")
    expect(vdc?.id).toBe("0d5a1f6b8c3e4b7f9a2d6e8c1b3f5a70")
    expect(vdc?.waldur.apiUrl).toBe("https://waldur.example.com/api/")
    expect(config.logLevel).toBe("INFO")
    expect(config.offerings.map(({ exposesErrorDetails }) => exposesErrorDetails)).toEqual([true, true])
    expect(config.sentryDsn).toEqual(Option.none())
    expect(vdc?.events).toEqual({
      enabled: true,
      membershipSync: true,
      tls: true,
      host: Option.none(),
      port: Option.some(443),
      path: Option.some("/rmqws-stomp")
    })
    expect(vdc?.components.ram).toMatchObject({
      unitFactor: 1024,
      accountingType: "limit",
      measuredUnit: "GB",
      name: "RAM"
    })
    expect(vm?.components).toEqual({})
  })

  it("and functions are on where it names a backend, and only there", async () => {
    const [vdc, vm] = (await load("python-agent-config.yaml")).offerings
    expect(vdc?.functions).toMatchObject({ orders: true, membership: true, reports: true })
    expect(vm?.functions).toMatchObject({ orders: true, membership: false, reports: false })
  })

  it("and its secrets reach the connection, but not what is printed", async () => {
    const config = await load("python-agent-config.yaml")
    const [vdc, vm] = config.offerings
    expect(vm?.waldur.credentials).toMatchObject({ _tag: "Oidc", clientId: "waldur-site-agent" })
    expect(vdc?.backendSettings && Redacted.value(vdc.backendSettings).credentials).toBe("oneadmin:swordfish")
    expect(JSON.stringify(config)).not.toMatch(/swordfish|6f1d3c5b/)
  })

  it("and what has no effect here is said", async () => {
    expect((await load("python-agent-config.yaml")).notices.map(({ path, what }) => `${path} ${what}`)).toEqual([
      "offerings[0].backend_settings.check_backend_id_uniqueness has no effect here"
    ])
  })
})

describe("The example file", () => {
  const environment = { WALDUR_API_TOKEN: "token-of-the-agent", ONE_PASSWORD: "swordfish" }

  it("is valid, with nothing odd about it", async () => {
    const config = await load("config.yaml", environment)
    expect(config.notices).toEqual([])
    expect(config.offerings.map((offering) => offering.plugin.type)).toEqual(["opennebula-vdc", "opennebula-vm"])
    expect(config.dataDir).toEqual(Option.some("/var/lib/site-actors"))
    expect(Duration.toSeconds(config.pollInterval)).toBe(5)
  })

  it("says of the periods that are commented out what they are by default", async () => {
    const text = await readFile(`${import.meta.dirname}/../../../examples/config.yaml`, "utf8")
    const config = await load("config.yaml", environment)
    expect(text).toContain(`# report_interval: ${Duration.toSeconds(config.reportInterval)} `)
    expect(text).toContain(`# membership_sync_interval: ${Duration.toSeconds(config.membershipSyncInterval)} `)
    expect(text).toContain(`# events_poll_interval: ${Duration.toSeconds(config.eventsPollInterval)} `)
    expect(text).toContain(
      `# http: { host: ${config.http.host}, port: ${Option.getOrElse(config.http.port, () => "off")} }\n`
    )
    expect(text).toContain(`# reporting_periods: ${config.reportingPeriods} `)
    expect(text).toContain(`#   ship_interval_seconds: ${Duration.toSeconds(config.logShipping.interval)}\n`)
  })
})

/** The unit for systemd: held to systemd itself where it is installed, and everywhere to what this program needs and does not need. */
import { execFile } from "node:child_process"
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { exitCodes } from "../../src/runtime/exit-codes.js"

const run = promisify(execFile)
const text = await readFile("deploy/systemd/site-actors.service", "utf8")
/** "Service.Restart" -> its values, in order. */
const keys = new Map<string, Array<string>>()
let section = ""
for (const line of text.split("\n").filter((one) => one !== "" && !one.startsWith("#"))) {
  const [, name] = /^\[(\w+)\]$/.exec(line) ?? []
  if (name !== undefined) section = name
  else {
    const [key = "", ...value] = line.split("=")
    keys.set(`${section}.${key}`, [...(keys.get(`${section}.${key}`) ?? []), value.join("=")])
  }
}
const valueOf = (key: string): string | undefined => keys.get(key)?.join(" ")

/** Of systemd 254: an older one says that it does not know them, and goes on. */
const newer = /Unknown key.*'(RestartSteps|RestartMaxDelaySec)'/

const hasSystemd = await run("systemd-analyze", ["--version"]).then(
  () => true,
  () => false
)

describe.skipIf(!hasSystemd)("systemd", () => {
  let root = ""
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "site-actors-unit-"))
    // systemd looks whether the program is there.
    const program = join(root, "opt/site-actors/node_modules/.bin")
    await mkdir(program, { recursive: true })
    await writeFile(join(program, "site-actors"), "#!/bin/sh\n")
    await chmod(join(program, "site-actors"), 0o755)
    await writeFile(
      join(root, "site-actors.service"),
      text.replaceAll("/opt/site-actors", join(root, "opt/site-actors"))
    )
  })
  afterAll(() => rm(root, { recursive: true, force: true }))

  const verified = async (file: string): Promise<ReadonlyArray<string>> => {
    const { stderr } = await run("systemd-analyze", ["verify", "--man=no", file]).catch(
      (error: { stderr: string }) => error
    )
    return stderr.split("\n").filter((line) => line.includes("site-actors") && !newer.test(line))
  }

  it("understands every line of the unit", async () => {
    expect(await verified(join(root, "site-actors.service"))).toEqual([])
  })

  it("would say so if it did not", async () => {
    const wrong = join(root, "site-actors-wrong.service")
    await writeFile(wrong, text.replace("ProtectSystem=strict", "ProtectSystm=strict"))
    expect((await verified(wrong)).join("\n")).toContain("ProtectSystm")
  })

  it("finds little that the service could still do to the machine", async () => {
    const { stdout } = await run("systemd-analyze", [
      "security",
      "--offline=true",
      "--no-pager",
      join(root, "site-actors.service")
    ])
    // From 0 (nothing) to 10. What is left: the network, and what IPAddressAllow would take from it.
    const [, exposure] = /exposure level for \S+: ([\d.]+)/.exec(stdout) ?? []
    expect(Number(exposure)).toBeLessThan(2)
  })
})

/** What docs/deploy.md has people type, as far as it copies and makes folders. */
const installing = [
  ...(await readFile("docs/deploy.md", "utf8")).matchAll(/^install .*(?:site-actors\.\w|\/etc\/site-actors).*$/gm)
]
  .flatMap(([line]) => line.split(" && "))
  .filter((command) => command.startsWith("install "))

describe("the commands of docs/deploy.md", () => {
  it("put everything into its place on a machine that has nothing but systemd", async () => {
    const root = await mkdtemp(join(tmpdir(), "site-actors-install-"))
    try {
      // Debian makes no /etc/sysusers.d.
      await mkdir(join(root, "etc/systemd/system"), { recursive: true })
      for (const command of installing) {
        await run("sh", ["-c", command.replaceAll("/etc/", `${root}/etc/`)], { cwd: "deploy/systemd" })
      }
      const placed = ["sysusers.d/site-actors.conf", "systemd/system/site-actors.service", "site-actors/credentials"]
      const modes = await Promise.all(placed.map(async (path) => (await stat(join(root, "etc", path))).mode & 0o777))
      expect(modes).toEqual([0o644, 0o644, 0o700])
    } finally {
      await rm(root, { recursive: true, force: true })
    }
  })
})

describe("the unit", () => {
  it("takes no secret from the configuration, the environment or the command line", () => {
    expect(keys.get("Service.LoadCredential")?.map((line) => line.split(":")[0])).toEqual([
      "waldur-token",
      "opennebula"
    ])
    expect([...keys.keys()].filter((key) => /Environment/.test(key))).toEqual([])
  })

  it("keeps the journal on the disk, for its user alone, where the agent looks for it", () => {
    expect(valueOf("Service.StateDirectory")).toBe("site-actors")
    expect(valueOf("Service.StateDirectoryMode")).toBe("0700")
    expect(valueOf("Service.UMask")).toBe("0077")
    expect(valueOf("Service.ExecStart")).toContain("--data-dir /var/lib/site-actors")
  })

  it("starts the agent again for ever, and waits longer for its end than for any call", () => {
    expect(valueOf("Service.Restart")).toBe("always")
    expect(valueOf("Unit.StartLimitIntervalSec")).toBe("0")
    expect(Number(valueOf("Service.TimeoutStopSec"))).toBeGreaterThan(60)
  })

  it("leaves off where a start cannot help: a command line or a configuration that is wrong", () => {
    const codes = valueOf("Service.RestartPreventExitStatus")?.split(" ")
    expect(codes).toEqual([exitCodes.usage.code, exitCodes.configuration.code].map(String))
  })

  it("lets Node compile", () => {
    expect(valueOf("Service.MemoryDenyWriteExecute")).toBe("no")
  })
})

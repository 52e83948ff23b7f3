/** What is installed, the image and npm's tarball, made by the same steps as far as that goes without an engine and a network. */
import { execFile } from "node:child_process"
import { access, constants, cp, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { build as transpile } from "esbuild"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { parse, stringify } from "yaml"
import { startFakeCloud } from "../../examples/machines-by-jobs/src/fake-cloud.js"
import { version } from "../../src/runtime/version.js"

const run = promisify(execFile)
/** How it ended: its exit code, and what it said. */
const ending = (file: string, args: ReadonlyArray<string>) =>
  run(file, args).then(
    ({ stdout }) => ({ code: 0, said: stdout }),
    (error: { code: number; stderr: string }) => ({ code: error.code, said: error.stderr })
  )

const containerfile = (await readFile("deploy/Containerfile", "utf8")).replaceAll("\\\n", "")
/** What follows the last such instruction. */
const last = (instruction: string): string =>
  containerfile
    .split("\n")
    .findLast((line) => line.trim().startsWith(`${instruction} `))
    ?.trim()
    .slice(instruction.length + 1) ?? ""
const letIn = (await readFile(".dockerignore", "utf8"))
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))

/** `/build` of the image: what .dockerignore lets in, and the build. The libraries are those that are here. */
let build = ""
beforeAll(async () => {
  build = await mkdtemp(join(tmpdir(), "site-actors-image-"))
  for (const line of letIn.slice(1)) await cp(line.slice(1), join(build, line.slice(1)), { recursive: true })
  await symlink(join(process.cwd(), "node_modules"), join(build, "node_modules"))
  await run("npm", ["run", "build"], { cwd: build })
})
afterAll(() => rm(build, { recursive: true, force: true }))

describe("the image", () => {
  it("is given only what is named", () => {
    expect(letIn[0]).toBe("*")
    expect(letIn.slice(1).every((line) => line.startsWith("!"))).toBe(true)
  })

  it("is put together of what the build has made", async () => {
    const copied = [...containerfile.matchAll(/^COPY --from=build (.*) \S+$/gm)].flatMap(([, paths = ""]) =>
      paths.split(" ")
    )
    expect(copied).toContain("/build/dist")
    await Promise.all(copied.map((path) => access(join(build, path.replace("/build/", "")))))
    await access(join(build, "dist/runtime/main.js"), constants.X_OK)
  })

  it("runs the agent, by a command line that is one", async () => {
    const command: ReadonlyArray<string> = JSON.parse(last("CMD"))
    const none = command.map((word) => word.replace("/etc/site-actors/config.yaml", join(build, "none.yaml")))
    const { code, said } = await ending(join(build, "dist/runtime/main.js"), none)
    expect(code).toBe(78)
    expect(said).toContain(`${join(build, "none.yaml")}: The file cannot be read: there is no such file.`)
  })

  it("ends with the exit codes that are documented", async () => {
    const program = join(build, "dist/runtime/main.js")
    const codes = await Promise.all(
      [["--help"], ["orders", "--data-dir", join(build, "nowhere")], ["orders", "--nonsense"]].map(
        async (words) => (await ending(program, words)).code
      )
    )
    expect(codes).toEqual([0, 1, 2])
  })

  it("is not root's, and is found well when the agent answers, and only then", async () => {
    expect(last("USER")).toBe("1000:1000")
    const [program = "", ...args]: ReadonlyArray<string> = JSON.parse(last("HEALTHCHECK").replace(/^.*CMD /, ""))
    const pages = createServer((request, response) => response.writeHead(request.url === "/healthz" ? 200 : 404).end())
    await new Promise<void>((resolve) => pages.listen(0, "127.0.0.1", resolve))
    const address = pages.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    const here = args.map((arg) => arg.replace("8090", String(port)))
    expect((await ending(program, here)).code).toBe(0)
    await new Promise((resolve) => pages.close(resolve))
    expect((await ending(program, here)).code).toBe(1)
  })
})

describe("what is built", () => {
  const madeOf = async () => {
    const script = 'import("./scripts/fingerprint.mjs").then(async (it) => console.log(await it.fingerprint()))'
    return (await run(process.execPath, ["-e", script], { cwd: build })).stdout.trim()
  }

  it("is not built once more for the demo while it is made of what stands there", async () => {
    const main = join(build, "dist/runtime/main.js")
    const { mtimeMs } = await stat(main)
    await run(process.execPath, ["scripts/build.mjs", "--unless-built"], { cwd: build })
    expect((await stat(main)).mtimeMs).toBe(mtimeMs)

    const noted = await readFile(join(build, "dist/made-of"), "utf8")
    expect(await madeOf()).toBe(noted)
    const other = join(build, "src/other.ts")
    await writeFile(other, "")
    expect(await madeOf()).not.toBe(noted)
    await rm(other)
  })
})

describe("what V8 had compiled when it was built", () => {
  /** Whether what plugins import, which is run here, is run from it. */
  const isUsed = async (...options: ReadonlyArray<string>) => {
    const look = `
      const vm = require("node:vm")
      const used = []
      vm.Script = class extends vm.Script {
        constructor(text, options) {
          super(text, options)
          used.push(options.cachedData !== undefined && this.cachedDataRejected === false)
        }
      }
      require(process.argv[1]).load("plugin/index.cjs").defineBackend.call
      console.log(JSON.stringify(used))`
    const { stdout } = await run(process.execPath, [...options, "-e", look, join(build, "dist/loader.cjs")])
    const used: ReadonlyArray<boolean> = JSON.parse(stdout)
    return used.length > 0 && used.every((one) => one)
  }

  it("is used, but not where Node has to read the files for their maps, or where V8 has other options", async () => {
    const used = [isUsed(), isUsed("--enable-source-maps"), isUsed("--stack-trace-limit=50")]
    expect(await Promise.all(used)).toEqual([true, false, false])
  })

  it("is not run if it is not what was written, or was made by another Node: the program runs all the same", async () => {
    const usedWith = async (name: string, change: (content: Buffer) => Buffer | string) => {
      const file = join(build, "dist", name)
      const content = await readFile(file)
      await writeFile(file, change(content))
      const used = await isUsed()
      await writeFile(file, content)
      return used
    }
    const code = "plugin/index.cjs.cache"
    const oneBit = (content: Buffer) => content.map((byte, at) => (at === content.length >> 1 ? byte ^ 1 : byte))
    expect(await usedWith(code, (content) => Buffer.from(oneBit(content)))).toBe(false)
    expect(await usedWith(code, () => "")).toBe(false)
    expect(await usedWith("plugin/index.cjs", (content) => `${content} `)).toBe(false)
    expect(await usedWith("code-cache.json", () => "{")).toBe(false)
    expect(await usedWith("code-cache.json", (content) => content.toString().replace('"v', '"v9'))).toBe(false)
    expect(await isUsed()).toBe(true)
  })
})

/** Where the file is missing, an engine says so. By the short form it makes a folder of that name, which is root's. */
const configuration = {
  type: "bind",
  source: "./config.yaml",
  target: "/etc/site-actors/config.yaml",
  read_only: true,
  bind: { create_host_path: false }
}

describe("the compose file", async () => {
  const compose = parse(await readFile("deploy/compose.yaml", "utf8"))
  const { agent } = compose.services

  it("runs this version, with everything taken away that it does not need", () => {
    for (const service of [compose.services.agent, compose.services["try-out"]]) {
      expect(service).toMatchObject({ image: `site-actors:${version}`, read_only: true, cap_drop: ["ALL"] })
      expect(service.security_opt).toEqual(["no-new-privileges:true"])
    }
  })

  it("gives the agent secrets as files, and its journal a volume", () => {
    expect(Object.keys(compose.secrets)).toEqual(agent.secrets)
    expect(agent.volumes[0]).toBe(`journal:${last("VOLUME")}`)
    expect(agent.environment).toBeUndefined()
  })

  it("makes no folder where the configuration is missing", () => {
    expect(agent.volumes.slice(1)).toEqual([configuration])
  })
})

describe("the compose file of several agents", async () => {
  const compose = parse(await readFile("deploy/compose.cluster.yaml", "utf8"), { merge: true })
  const agents = [compose.services["agent-1"], compose.services["agent-2"]]

  it("runs this version twice, each at an address of its own, and publishes nothing of what they say to each other", () => {
    for (const service of agents) {
      expect(service).toMatchObject({ image: `site-actors:${version}`, read_only: true, cap_drop: ["ALL"] })
      expect(service.environment.CLUSTER_HOST).toBe(service.hostname)
      expect(service.volumes).toEqual([configuration])
      expect(service.ports).toEqual([expect.stringMatching(/^127\.0\.0\.1:\d+:8090$/)])
      expect(Object.keys(compose.secrets)).toEqual([...service.secrets, ...compose.services.postgres.secrets])
    }
    expect(new Set(agents.map(({ hostname }) => hostname)).size).toBe(2)
    expect(compose.services.postgres.ports).toBeUndefined()
  })
})

describe("the compose file for a journal in PostgreSQL", async () => {
  const compose = parse(await readFile("deploy/compose.postgres.yaml", "utf8"))

  it("has a PostgreSQL for the agent alone, that the agent waits for, and every password in a file", () => {
    const { agent, postgres } = compose.services
    expect(Object.keys(compose.secrets)).toEqual([...agent.secrets, ...postgres.secrets])
    expect(agent.depends_on.postgres.condition).toBe("service_healthy")
    // Over TCP: while its entry point makes the database, a server answers on its socket that is ended again.
    expect(postgres.healthcheck.test.slice(1, 4)).toEqual(["pg_isready", "--host", "127.0.0.1"])
    expect(postgres).toMatchObject({ cap_drop: ["ALL"], security_opt: ["no-new-privileges:true"] })
    expect(postgres).not.toHaveProperty("ports")
    expect(postgres.environment).not.toHaveProperty("POSTGRES_PASSWORD")
  })
})

describe("npm's tarball", () => {
  let files: ReadonlyArray<string> = []
  beforeAll(async () => {
    for (const name of ["docs", "deploy"]) await cp(name, join(build, name), { recursive: true })
    const { stdout } = await run("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: build })
    const [packed]: ReadonlyArray<{ files: ReadonlyArray<{ path: string }> }> = JSON.parse(stdout)
    files = packed?.files.map(({ path }) => path) ?? []
  })

  it("holds the program, what an installation needs, and every page that the README names", async () => {
    const links = [...(await readFile("README.md", "utf8")).matchAll(/\]\(([\w/.-]+\.\w+)/g)].map(
      ([, path = ""]) => path
    )
    expect(links).toContain("docs/deploy.md")
    expect(files).toEqual(
      expect.arrayContaining(["dist/runtime/main.js", "deploy/systemd/site-actors.service", "LICENSE", ...links])
    )
  })

  it("holds what its exports name", async () => {
    const { exports }: { exports: Readonly<Record<string, string | { default: string }>> } = JSON.parse(
      await readFile("package.json", "utf8")
    )
    const named = Object.values(exports).map((at) => (typeof at === "string" ? at : at.default).slice(2))
    expect(named.length).toBeGreaterThan(2)
    expect(files).toEqual(expect.arrayContaining(named))
  })

  it("holds nothing else", () => {
    const tops = new Set(files.map((path) => path.split("/")[0]))
    expect([...tops].toSorted()).toEqual([
      "CHANGELOG.md",
      "LICENSE",
      "README.md",
      "deploy",
      "dist",
      "docs",
      "examples",
      "package.json"
    ])
    expect(files).not.toContain("dist/made-of")
    // What a plugin author copies comes with its test.
    const others = files.filter((path) => path !== "examples/machines-by-jobs/test/contract.test.ts")
    expect(others.filter((path) => /\.test\.|\.db|\.env|\.tsbuildinfo|\/testing\//.test(path))).toEqual([])
  })
})

describe("a plugin from outside", () => {
  it("works with libraries of its own beside it: order, change and end by a whole agent", async () => {
    const cloud = await startFakeCloud(1)
    const folder = await mkdtemp(join(tmpdir(), "site-actors-outside-"))
    try {
      // Effect is the one that is installed, not the one that is in the program.
      const own = join(folder, "node_modules", "machines-by-jobs")
      await transpile({ entryPoints: ["examples/machines-by-jobs/src/*.ts"], outdir: own, format: "esm" })
      await writeFile(join(own, "package.json"), '{ "type": "module", "exports": "./index.js" }')
      await symlink(join(process.cwd(), "node_modules", "effect"), join(folder, "node_modules", "effect"))
      await symlink(build, join(folder, "node_modules", "site-actors"))
      await writeFile(
        join(folder, "order.yaml"),
        "name: a\nattributes: {}\namounts: { cores: 1 }\nchange: { cores: 2 }\n"
      )
      const file = join(folder, "config.yaml")
      const settings = { plugins: ["machines-by-jobs"], offerings: [offering(cloud.url)] }
      await writeFile(file, stringify(settings), { mode: 0o600 })
      const words = ["order-test", "-c", file, join(folder, "order.yaml"), "--real", "--yes", "--json"]
      const { said } = await ending(join(build, "dist/runtime/main.js"), words)
      expect(JSON.parse(said)).toEqual(
        ["create", "change", "terminate"].map((operation) => expect.objectContaining({ operation, state: "done" }))
      )
      expect(cloud.machines.size).toBe(0)
    } finally {
      await cloud.close()
      await rm(folder, { recursive: true, force: true })
    }
  })

  const offering = (url: string) => ({
    name: "Machines",
    waldur_api_url: "http://127.0.0.1:1/api/",
    waldur_api_token: "x".repeat(40),
    waldur_offering_uuid: "a".repeat(32),
    backend_type: "machines-by-jobs",
    order_processing_backend: "machines-by-jobs",
    backend_settings: { url },
    backend_components: {
      cores: { measured_unit: "cores", unit_factor: 1, accounting_type: "limit", label: "Cores" }
    }
  })
})

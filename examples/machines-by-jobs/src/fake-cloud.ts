/**
 * A cloud in Proxmox's and OpenStack's style, small and in memory: a call that changes something only begins it and answers with a job's id. A
 * machine has one job at a time (423 otherwise), a job may fail, and what is known of finished jobs is soon forgotten.
 */
import { createServer } from "node:http"

export interface Machine {
  readonly id: string
  readonly name: string
  /** The uuid of the resource that it belongs to. */
  readonly tag: string
  readonly cores: number
  readonly state: "building" | "running" | "failed"
  /** The job that is at work on it; empty if none. */
  readonly job: string
}

type Answer = readonly [status: number, body: unknown]

export interface FakeCloud {
  readonly url: string
  readonly machines: Map<string, Machine>
  /** Lets the next builds fail, as on a full host. */
  readonly failBuilds: (count: number) => void
  readonly close: () => Promise<void>
}

export const startFakeCloud = (jobMillis = 30): Promise<FakeCloud> =>
  new Promise((resolve) => {
    const machines = new Map<string, Machine>()
    const jobs = new Map<string, "running" | "done" | "failed">()
    const timers = new Set<NodeJS.Timeout>()
    let failing = 0
    let numbers = 100

    const begin = (machine: Machine, end: (machine: Machine) => Machine | undefined, fails = false): Answer => {
      const job = `UPID:${++numbers}`
      jobs.set(job, "running")
      machines.set(machine.id, { ...machine, job })
      const timer = setTimeout(() => {
        const now = machines.get(machine.id)
        const after = now === undefined ? undefined : end({ ...now, job: "" })
        if (after === undefined) machines.delete(machine.id)
        else machines.set(machine.id, after)
        jobs.set(job, fails ? "failed" : "done")
        timers.add(setTimeout(() => jobs.delete(job), 20 * jobMillis))
      }, jobMillis)
      timers.add(timer)
      return [202, { id: machine.id, job }]
    }

    const build = (sent: Partial<Machine>): Answer => {
      const fails = failing > 0
      if (fails) failing -= 1
      const machine: Machine = {
        name: "",
        tag: "",
        cores: 1,
        ...sent,
        id: String(++numbers),
        state: "building",
        job: ""
      }
      return begin(machine, (made) => ({ ...made, state: fails ? "failed" : "running" }), fails)
    }

    const answer = (method: string, path: string, sent: Partial<Machine>): Answer => {
      const [, pool, id = ""] = decodeURIComponent(path).split("/")
      if (pool === "jobs") return jobs.has(id) ? [200, { state: jobs.get(id) }] : [404, "no such job"]
      if (method === "GET") return [200, [...machines.values()]]
      if (method === "POST") return build(sent)
      const machine = machines.get(id)
      if (machine === undefined) return [404, "no such machine"]
      if (machine.job !== "") return [423, "a job is at work on it"]
      return method === "DELETE"
        ? begin(machine, () => undefined)
        : begin(machine, (now) => ({ ...now, cores: sent.cores ?? now.cores }))
    }

    const server = createServer((request, response) => {
      let body = ""
      request.on("data", (chunk) => {
        body += String(chunk)
      })
      request.on("end", () => {
        const [status, json] = answer(request.method ?? "GET", request.url ?? "/", body === "" ? {} : JSON.parse(body))
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json))
      })
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      resolve({
        url: `http://127.0.0.1:${port}`,
        machines,
        failBuilds: (count) => {
          failing = count
        },
        close: () =>
          new Promise((closed) => {
            for (const timer of timers) clearTimeout(timer)
            server.close(() => closed())
            server.closeAllConnections()
          })
      })
    })
  })

/** OpenNebula's calls with nothing around them: one request, one answer, one after the other. For what others do, and for what can be reached. */
import { request } from "node:http"

type Param = number | string | boolean | ReadonlyArray<number>

export interface Rpc {
  /** Gives the value as text; throws what the front-end refuses. */
  readonly call: (method: string, ...params: ReadonlyArray<Param>) => Promise<string>
  readonly id: (method: string, ...params: ReadonlyArray<Param>) => Promise<number>
  /** Calls so far. */
  readonly count: () => number
}

const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
const encoded = (param: Param): string => {
  if (typeof param === "number") return `<int>${param}</int>`
  if (typeof param === "boolean") return `<boolean>${Number(param)}</boolean>`
  if (typeof param === "string") return `<string>${escaped(param)}</string>`
  return `<array><data>${param.map((one) => `<value>${encoded(one)}</value>`).join("")}</data></array>`
}

const post = (url: URL, body: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        method: "POST",
        agent: false,
        headers: { "content-type": "text/xml", "content-length": Buffer.byteLength(body) }
      },
      (answer) => {
        const chunks: Array<Buffer> = []
        answer.on("data", (chunk: Buffer) => chunks.push(chunk))
        answer.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")))
        answer.on("error", reject)
      }
    )
    sent.on("error", reject)
    sent.end(body)
  })

export const plainRpc = (url: string, session: string): Rpc => {
  const address = new URL(url)
  let count = 0
  const call: Rpc["call"] = async (method, ...params) => {
    count += 1
    const values = [session, ...params].map((param) => `<param><value>${encoded(param)}</value></param>`).join("")
    const answer = await post(
      address,
      `<?xml version="1.0"?><methodCall><methodName>${method}</methodName><params>${values}</params></methodCall>`
    )
    const [, ok] = /<boolean>([01])<\/boolean>/.exec(answer) ?? []
    const [, , value = ""] = /<(i4|int|string)>([\s\S]*?)<\/\1>/.exec(answer.slice(answer.indexOf("</boolean>"))) ?? []
    if (ok !== "1") throw new Error(`${method}: ${value.slice(0, 300)}`)
    return value
  }
  return { call, id: async (method, ...params) => Number(await call(method, ...params)), count: () => count }
}

/** The text of the first element of this name, in a document that is escaped inside its answer. */
export const field = (document: string, name: string): string =>
  new RegExp(`&lt;${name}(?:&gt;|>)(?:&lt;!\\[CDATA\\[)?([^&\\]]*)`).exec(document)?.[1] ?? ""

/** `3/3`: state and LCM state of a VM. */
export const vmState = async (rpc: Rpc, vm: number): Promise<string> => {
  const document = await rpc.call("one.vm.info", vm)
  return `${field(document, "STATE")}/${field(document, "LCM_STATE")}`
}
export const running = "3/3"
export const poweredOff = "8/0"
export const done = "6/0"

const patience = 120_000

/** Looks again after so many ms. */
export const until = async (is: () => Promise<boolean>, every: number): Promise<void> => {
  const began = performance.now()
  while (!(await is())) {
    if (performance.now() - began > patience) throw new Error("what is waited for never came")
    await new Promise((resolve) => setTimeout(resolve, every))
  }
}

export const untilVm = (rpc: Rpc, vm: number, state: string, every: number): Promise<void> =>
  until(async () => (await vmState(rpc, vm)) === state, every)

/** From a process's OpenNebula client to the simulated front-end: XML there, XML back, through the agent's own codecs. */
import { Effect, FiberRef, HashMap, Option } from "effect"
import type { Carrier, Reply } from "../../src/opennebula/wire/transport.js"
import type { FrontEnd } from "../../src/simulator/opennebula/index.js"
import type { Bench } from "./bench.js"
import type { CloudChecks } from "./cloud-checks.js"
import type { Process } from "./process.js"
import { exchange, type Seen, type Text } from "./wire.js"

/** The order and resource that a fiber works for, as its log lines say. */
export const onBehalfOf = Effect.map(FiberRef.get(FiberRef.currentLogAnnotations), (annotations) => ({
  order: String(Option.getOrElse(HashMap.get(annotations, "order"), () => "")),
  resource: String(Option.getOrElse(HashMap.get(annotations, "resource"), () => ""))
}))

const methodOf = (body: string): string => /<methodName>([^<]*)</.exec(body)?.[1] ?? "?"
const isLook = (method: string): boolean => /\.(info|infoset|infoextended|version)$/.test(method)

/** "one.vm.action(terminate-hard 7)": ids, and texts so far as they say something. */
const shown = (body: string): string => {
  const values = [...body.matchAll(/<(?:i4|int|string|boolean)>([^<]*)</g)].slice(1).map(([, value]) => value ?? "")
  return values
    .map((value) => value.replace(/\s+/g, " ").slice(0, 24))
    .join(", ")
    .slice(0, 80)
}

export const cloudCarrier = (bench: Bench, frontEnd: FrontEnd, checks: CloudChecks, process: Process): Carrier => {
  const chance = bench.chance.fork(`cloud of ${process.name}`)
  return (request, sending) =>
    Effect.flatMap(onBehalfOf, ({ order, resource }) =>
      Effect.async<Reply, unknown>((resume) => {
        const body = request.toString("utf8")
        const method = methodOf(body)
        bench.secrets.learn(method, body)
        const fate = bench.faults.fateOf("cloud")
        const name = `${method}${isLook(method) ? "" : `(${method.startsWith("one.user.") ? "..." : shown(body)})`}`
        // Mostly of a look, with all machines in its answer, and then nobody wants to hear of it.
        const tell = (what: () => string) => {
          if (!isLook(method) || fate !== "none") bench.story.tell("call", process.name, what())
        }
        const explained = fate === "late" && bench.mirror.openSteps(order).length > 0
        let hungUp = false
        process.atCall(`before ${name}`)
        if (fate !== "refused") sending.sent = true
        exchange(bench, chance, {
          fate,
          latest: 2_800,
          isUp: () => bench.cloudIsUp,
          isGone: () => hungUp,
          carryOut: () => {
            if (bench.cloudRestarts) return notReady(method)
            checks.caller = { process: process.name, order, resource, explained }
            const exit = bench.now(frontEnd.handle(body))
            checks.caller = undefined
            if (exit._tag === "Failure") throw new Error(`the front-end died in ${method}: ${String(exit.cause)}`)
            const answer = { ...exit.value, headers: {} }
            tell(() => `${name} ${outcomeOf(answer)}${fate === "none" ? "" : ` [${fate}]`}`)
            process.atCall(`after ${name}`)
            return answer
          },
          garbage: (good, source) => ({ ...good, body: garbled(good.body, source.below(4)) }),
          seen: (seen) => {
            if (seen._tag === "Broken" || ["request lost", "status before"].includes(fate))
              tell(() => `${name} [${fate}]`)
            resume(replyOf(seen))
          }
        })
        return Effect.sync(() => {
          hungUp = true
        })
      })
    )
}

/** What a front-end of a zone says while it has no leader. */
const notReady = (method: string): Text => ({
  status: 200,
  headers: {},
  body: `<?xml version="1.0" encoding="UTF-8"?><methodResponse><params><param><value><array><data><value><boolean>0</boolean></value><value><string>[${method}] Cannot process request, no leader found</string></value><value><i4>8192</i4></value><value><i4>-1</i4></value><value><i4>-1</i4></value></data></array></value></param></params></methodResponse>`
})

const outcomeOf = ({ body }: Text): string => {
  const values = body.matchAll(/<(?:boolean|string|i4|int)>([^<]*)/g)
  const next = (): string | undefined => values.next().value?.[1]
  const [ok, value = ""] = [next(), next()]
  return ok === "1" ? `-> ${value.slice(0, 20)}` : `REFUSED ${value.slice(0, 160)}`
}

const garbled = (good: string, how: number): string => {
  switch (how) {
    case 0:
      return "<html><body>Under maintenance</body></html>"
    case 1:
      return ""
    case 2:
      return good.replace(/<\/?(value|data)>/, "<oops>")
    default:
      return `${good.slice(0, good.length / 2)}\u0000\uFFFD<<>>`
  }
}

const replyOf = (seen: Seen): Effect.Effect<Reply, unknown> => {
  if (seen._tag === "Silence") return Effect.never
  if (seen._tag === "Broken") return Effect.fail(Object.assign(new Error(seen.code), { code: seen.code }))
  const { answer, torn } = seen
  let rest: Uint8Array | undefined = Buffer.from(answer.body)
  return Effect.succeed({
    statusCode: answer.status,
    next: Effect.suspend(() => {
      const chunk = rest
      rest = undefined
      if (chunk !== undefined) return Effect.succeedSome(chunk)
      return torn ? Effect.fail(Object.assign(new Error("ECONNRESET"), { code: "ECONNRESET" })) : Effect.succeedNone
    })
  })
}

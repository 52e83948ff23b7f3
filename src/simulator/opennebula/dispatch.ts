/** One call, from method name and values to its answer: session first, then the method; refusals become error answers. */
import { announcedMethods } from "./method-table.js"
import { methods } from "./methods.js"
import { introspect } from "./nouns/system.js"
import { authenticate } from "./nouns/users.js"
import { Args } from "./wire/args.js"
import { type Answer, ErrorCode, Fault, Refusal } from "./wire/refusals.js"
import { array, type Value } from "./wire/values.js"
import { answerValue } from "./wire/xml-rpc.js"
import type { World } from "./world/world.js"

const fault = (code: number, message: string): Answer => ({ _tag: "Fault", code, message })

const asError = (method: string, refusal: Refusal): Answer => ({
  _tag: "Error",
  message: `[${method}] ${refusal.message}`,
  code: refusal.code,
  id: refusal.id
})

/** A call without any parameter fails inside the method, as xmlrpc-c reports it (recording 514). */
const noSession = `Unexpected error executing code for particular method, detected by Xmlrpc-c method registry code.  Method did not \
fail; rather, it did not complete at all.  Subscript of xmlrpc_c::paramList out of bounds`

const carryOut = (world: World, method: string, params: ReadonlyArray<Value>, requestId: number): Answer => {
  const run = Object.hasOwn(methods, method) ? methods[method] : undefined
  if (run === undefined)
    return announcedMethods.some((known) => known.name === method)
      ? fault(-500, `Method '${method}' is not simulated`)
      : fault(-506, `Method '${method}' not defined`)
  const session = params[0]
  if (session === undefined) return fault(-500, noSession)
  const caller = session._tag === "String" ? authenticate(world, session.value) : undefined
  if (caller === undefined)
    return {
      _tag: "Error",
      message: `[${method}] User couldn't be authenticated, aborting call.`,
      code: ErrorCode.authentication,
      id: -1
    }
  return { _tag: "Ok", value: run({ world, caller, args: new Args(params.slice(1)), requestId }) }
}

/** `system.multicall`: each call's answer in an array of one, or a fault as a struct. */
const multicall = (world: World, params: ReadonlyArray<Value>, requestId: number): Answer => {
  const calls = params[0]
  if (calls?._tag !== "Array") return fault(-501, "Parameter that is supposed to be an array is not")
  const results = calls.items.map((call): Value => {
    const members = new Map(call._tag === "Struct" ? call.members : [])
    const name = members.get("methodName")
    const given = members.get("params")
    const method = name?._tag === "String" ? name.value : ""
    const answer = dispatch(world, method, given?._tag === "Array" ? given.items : [], requestId)
    if (answer._tag !== "Fault") return array([answerValue(answer)])
    return {
      _tag: "Struct",
      members: [
        ["faultCode", { _tag: "Int", value: answer.code }],
        ["faultString", { _tag: "String", value: answer.message }]
      ]
    }
  })
  return { _tag: "Bare", value: array(results) }
}

/** Carries out one call now. `requestId` goes into history records. */
export const dispatch = (world: World, method: string, params: ReadonlyArray<Value>, requestId: number): Answer => {
  try {
    if (method === "system.multicall") return multicall(world, params, requestId)
    return introspect(method, params) ?? carryOut(world, method, params, requestId)
  } catch (thrown) {
    if (thrown instanceof Refusal) return asError(method, thrown)
    if (thrown instanceof Fault) return fault(thrown.code, thrown.message)
    throw thrown
  }
}

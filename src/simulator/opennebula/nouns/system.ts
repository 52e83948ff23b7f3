/** `one.system.*` and the introspection that xmlrpc-c adds by itself. */
import type { Methods } from "../method.js"
import { announcedMethods } from "../method-table.js"
import { type Answer, Fault } from "../wire/refusals.js"
import { array, int, string, struct, type Value } from "../wire/values.js"
import { cdata, wrap } from "../wire/xml.js"

export const version = "7.4.0"

export const systemMethods: Methods = {
  "one.system.version": () => string(version),
  /** Its document was not recorded: only what a client can do with. */
  "one.system.config": () => string(wrap("OPENNEBULA_CONFIGURATION", cdata("PORT", 2633) + cdata("NETWORK_SIZE", 254)))
}

const introspection = [
  "system.listMethods",
  "system.methodExist",
  "system.methodHelp",
  "system.methodSignature",
  "system.multicall",
  "system.shutdown",
  "system.capabilities",
  "system.getCapabilities"
]

const typeNames: Readonly<Record<string, string>> = { A: "array", s: "string", i: "int", b: "boolean" }

const help: Readonly<Record<string, string>> = { "one.vm.resize": "Resize a Virtual Machine" }

const firstString = (params: ReadonlyArray<Value>): string => {
  const first = params[0]
  if (first === undefined) throw new Fault({ code: -501, message: "Not enough parameters" })
  if (first._tag !== "String")
    throw new Fault({ code: -501, message: "Parameter that is supposed to be a string is not" })
  return first.value
}

const announced = (name: string) => {
  const found = announcedMethods.find((method) => method.name === name)
  if (found === undefined) throw new Fault({ code: -506, message: `Method '${name}' not defined` })
  return found
}

/** Answers `system.listMethods` and its kin, which need no session; undefined for other methods. */
export const introspect = (method: string, params: ReadonlyArray<Value>): Answer | undefined => {
  switch (method) {
    case "system.listMethods":
      return { _tag: "Bare", value: array([...introspection, ...announcedMethods.map(({ name }) => name)].map(string)) }
    case "system.methodExist": {
      const name = firstString(params)
      const exists = introspection.includes(name) || announcedMethods.some((known) => known.name === name)
      return { _tag: "Bare", value: { _tag: "Boolean", value: exists } }
    }
    case "system.methodHelp":
      return { _tag: "Bare", value: string(help[announced(firstString(params)).name] ?? "") }
    case "system.methodSignature": {
      const types = Array.from(`A${announced(firstString(params)).signature}`, (type) =>
        string(typeNames[type] ?? type)
      )
      return { _tag: "Bare", value: array([array(types)]) }
    }
    case "system.capabilities":
    case "system.getCapabilities":
      return {
        _tag: "Bare",
        value: struct([
          ["facility", string("xmlrpc-c")],
          ["version_major", int(1)],
          ["version_minor", int(33)],
          ["version_point", int(14)],
          ["protocol_version", int(2)]
        ])
      }
    default:
      return undefined
  }
}

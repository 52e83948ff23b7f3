/** The recorded session with a real OpenNebula 7.4 front-end, exchange by exchange, and which of its methods the agent calls. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

const folder = join(import.meta.dirname, "../fixtures/opennebula")

export interface Recording {
  /** "001" to "548". */
  readonly number: string
  readonly method: string
  readonly case: string
  /** HTTP status that was answered. */
  readonly status: number
  /** How long the real front-end took. */
  readonly millis: number
  readonly request: Uint8Array
  readonly response: string
}

export const readRecordings = (): ReadonlyArray<Recording> => {
  const files = readdirSync(folder)
  const find = (number: string, ending: string) =>
    files.find((name) => name.startsWith(`${number}-`) && name.endsWith(ending))
  const [, ...lines] = readFileSync(join(folder, "index.tsv"), "utf8").trimEnd().split("\n")
  return lines.map((line) => {
    const [number = "", method = "", name = "", , status = "", millis = ""] = line.split("\t")
    const request = find(number, ".req.xml")
    const response = find(number, ".res.xml") ?? find(number, ".res.html")
    if (response === undefined) throw new Error(`no answer was recorded for ${number}`)
    return {
      number,
      method,
      case: name,
      status: Number(status),
      millis: Number(millis),
      request: request === undefined ? new Uint8Array() : readFileSync(join(folder, request)),
      response: readFileSync(join(folder, response), "utf8")
    }
  })
}

const verbs = (noun: string, ...names: ReadonlyArray<string>) => names.map((name) => `one.${noun}.${name}`)

/** Methods that the agent calls: an exchange of one of these that does not match fails the test. */
export const agentMethods: ReadonlySet<string> = new Set([
  ...verbs("system", "version"),
  ...verbs("group", "allocate", "info", "update", "delete", "quota"),
  ...verbs("grouppool", "info"),
  ...verbs(
    "vdc",
    "allocate",
    "info",
    "update",
    "delete",
    "addgroup",
    "delgroup",
    "addcluster",
    "delcluster",
    "addvnet"
  ),
  ...verbs("vdcpool", "info"),
  ...verbs("acl", "addrule", "delrule", "info"),
  ...verbs("vn", "allocate", "info", "update", "delete", "chown", "chmod"),
  ...verbs("vnpool", "info"),
  ...verbs("cluster", "info", "addvnet"),
  ...verbs("clusterpool", "info"),
  ...verbs("secgroup", "allocate", "info", "delete", "chown", "chmod"),
  ...verbs("secgrouppool", "info"),
  ...verbs("vrouter", "allocate", "instantiate", "info", "delete", "chown"),
  ...verbs("vrouterpool", "info"),
  ...verbs("template", "info", "instantiate"),
  ...verbs("templatepool", "info"),
  ...verbs("image", "info"),
  ...verbs("imagepool", "info"),
  ...verbs("datastorepool", "info"),
  ...verbs("hostpool", "info"),
  ...verbs("user", "allocate", "info", "update", "delete", "passwd", "chgrp"),
  ...verbs("userpool", "info"),
  ...verbs("vm", "info", "action", "resize", "diskresize", "update", "chown", "rename"),
  ...verbs("vmpool", "info", "infoextended", "infoset")
])

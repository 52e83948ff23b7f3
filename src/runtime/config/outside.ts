/**
 * Values from outside of the file: environment variables and secret files.
 *
 * One way for all values, and within them: `${WALDUR_TOKEN}`, `${WALDUR_TOKEN:-none}`, `${file:/run/secrets/token}`,
 * `${credential:waldur-token}`. So
 * `credentials: "oneadmin:${file:/run/secrets/one-password}"` takes only the password from a file, a plugin needs no
 * second key (`..._file`) for each of its secrets, and a setting that is itself a mapping is never mistaken for a
 * reference. `$${` is a plain `${`.
 */
import { dirname, resolve } from "node:path"
import * as FileSystem from "@effect/platform/FileSystem"
import { Effect, Config as Environment, Option } from "effect"
import type { Scalar } from "yaml"
import { codeOf } from "../../core/errors.js"
import { nameOfUser } from "../database/whose.js"
import { type Problem, pathText } from "./problem.js"
import type { YamlFile } from "./yaml-file.js"

/** What was put into a file's values. */
export interface Outside {
  readonly problems: ReadonlyArray<Problem>
  /** The values that could not be made; nothing more should be said of them. */
  readonly failed: ReadonlySet<Scalar>
  /** The values that came from outside: never to be shown. */
  readonly filled: ReadonlySet<Scalar>
}

const reference = /\$\$\{|\$\{([^}]*)\}/g
const variable = /^([A-Za-z_]\w*)(?::-(.*))?$/s

/**
 * Puts the values from outside into the document of `file`. Relative paths of secret files start from the
 * configuration's folder.
 */
export const fillIn = (file: YamlFile, configPath: string): Effect.Effect<Outside, never, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const problems: Array<Problem> = []
    const failed = new Set<Scalar>()
    const filled = new Set<Scalar>()
    for (const { path, scalar, text } of file.texts.filter((found) => found.text.includes("${"))) {
      const parts = yield* Effect.forEach([...text.matchAll(reference)], (match) =>
        Effect.either(valueOf(match[1], dirname(configPath)))
      )
      const own = parts.flatMap((part) => (part._tag === "Left" ? [part.left] : []))
      if (own.length > 0) failed.add(scalar)
      else if (parts.some((part) => part._tag === "Right" && part.right.outside)) filled.add(scalar)
      problems.push(...own.map((unfit) => ({ path: pathText(path), position: file.position(path, "value"), ...unfit })))
      const values = parts.map((part) => (part._tag === "Right" ? part.right.text : ""))
      let next = 0
      scalar.value = text.replace(reference, () => values[next++] ?? "")
    }
    return { problems, failed, filled }
  })

interface Value {
  readonly text: string
  readonly outside: boolean
}
type Unfit = Pick<Problem, "what" | "hint">

const valueOf = (body: string | undefined, folder: string): Effect.Effect<Value, Unfit, FileSystem.FileSystem> => {
  if (body === undefined) return Effect.succeed({ text: "${", outside: false })
  if (body.startsWith("file:")) return fromFile(body.slice("file:".length), folder)
  if (body.startsWith("credential:")) return fromCredential(body.slice("credential:".length))
  const [, name, fallback] = variable.exec(body) ?? []
  return name === undefined
    ? Effect.fail({
        what: `has a \${...} that names no environment variable`,
        hint: `Write \${NAME}, \${NAME:-default}, \${file:/path} or \${credential:name}; $\${ stands for a plain \${.`
      })
    : fromEnvironment(name, fallback)
}

const fromEnvironment = (name: string, fallback: string | undefined): Effect.Effect<Value, Unfit> =>
  Effect.gen(function* () {
    const set = yield* Effect.orElseSucceed(Environment.option(Environment.string(name)), () => Option.none<string>())
    if (Option.isSome(set) && (set.value !== "" || fallback === undefined)) return { text: set.value, outside: true }
    if (fallback !== undefined) return { text: fallback, outside: false }
    return yield* Effect.fail({
      what: `refers to the environment variable ${name}, which is not set`,
      hint: `Set it, or write \${${name}:-default}.`
    })
  })

/**
 * From the folder that the service manager names in CREDENTIALS_DIRECTORY: systemd does (`LoadCredential`), a container can. So one
 * configuration fits wherever the agent runs, and no path of a secret stands in it.
 */
const fromCredential = (name: string): Effect.Effect<Value, Unfit, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    if (!/^\w[\w.-]*$/.test(name)) {
      return yield* Effect.fail({
        what: `has a \${credential:...} that names no credential`,
        hint: "Its name is that of a file, of letters, digits, and . _ -."
      })
    }
    const set = yield* Effect.orElseSucceed(Environment.string(credentialsDirectory), () => "")
    if (set === "") {
      return yield* Effect.fail({
        what: `refers to the credential ${name}, but ${credentialsDirectory} is not set`,
        hint: `systemd sets it for a unit with LoadCredential=${name}:/path; elsewhere set it to the folder that holds the file ${name}.`
      })
    }
    return yield* fromFile(resolve(set, name), "/")
  })
const credentialsDirectory = "CREDENTIALS_DIRECTORY"

/** The file's text without the newline at its end, which editors add and OpenNebula refuses in a password. */
const fromFile = (path: string, folder: string): Effect.Effect<Value, Unfit, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (files) => files.readFileString(resolve(folder, path))).pipe(
    Effect.map((text) => ({ text: text.replace(/(\r?\n)+$/, ""), outside: true })),
    Effect.mapError((error) => ({
      what: `refers to the file ${path}, which cannot be read: ${reasonOf(error)}`,
      hint: isAway(error) ? "Write it there, or correct the path." : "The agent's user needs the right to read it."
    }))
  )

/** As far as a file system's error is looked at here. */
interface FileError {
  readonly _tag: string
  readonly reason?: string
}

const isAway = ({ reason }: FileError): boolean => reason === "NotFound"

/** The configuration file itself. */
export const unreadable = (error: FileError): Problem => ({
  path: "",
  what: `cannot be read: ${reasonOf(error)}`,
  hint:
    error.reason === "PermissionDenied"
      ? `Let ${nameOfUser()} read it, or run this as the user whose it is (sudo -u).`
      : "Name it with -c (--config); `site-actors init` writes one."
})

/** A short reason for a file that cannot be read. */
export const reasonOf = (error: FileError): string => {
  if (error.reason === "NotFound") return "there is no such file"
  if (error.reason === "PermissionDenied") return "permission denied"
  return reasons[codeOf(error, "")] ?? "it is not a readable file"
}
const reasons: Readonly<Record<string, string>> = {
  EISDIR: "it is a folder",
  ENOTDIR: "a folder on its path is a file",
  ELOOP: "it is a link that leads back to itself"
}

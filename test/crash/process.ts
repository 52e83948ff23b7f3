/** An agent in a process of its own: started, killed and asked to stop as an operating system does it. */
import { spawn } from "node:child_process"
import { resolve } from "node:path"
import { Deferred, Effect, type Scope } from "effect"

export interface ProgramLaunch {
  /** Path of the program's entry point. */
  readonly main: string
  readonly environment?: Readonly<Record<string, string>>
  /** Options of Node itself, such as `--import`. */
  readonly nodeOptions?: ReadonlyArray<string>
  /** A shell's words before the command, such as `ulimit -f 100 &&`. */
  readonly prelude?: string
}

export interface Launch extends ProgramLaunch {
  readonly configFile: string
  readonly dataDir: string
}

/** For `--import`: shifts the time of day. From the project's root, where whatever starts agents runs. */
export const shiftClock = resolve("test/crash/shift-clock.mjs")

/** How a process ended: its exit code, or the signal that ended it. */
export interface Ended {
  readonly code: number | null
  readonly signal: string | null
}

export interface AgentProcess {
  readonly pid: number
  /** SIGKILL, on the spot: when this returns, the process runs no further instruction of its own. */
  readonly kill: () => void
  readonly signal: (name: NodeJS.Signals) => void
  readonly ended: Effect.Effect<Ended>
  /** Everything that it has printed so far, on both streams. */
  readonly output: () => string
}

const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`

/** Killed when the scope closes, if it has not ended by then. */
export const startAgent = (launch: Launch): Effect.Effect<AgentProcess, never, Scope.Scope> =>
  startProgram(launch, ["run", "--config", launch.configFile, "--data-dir", launch.dataDir])

/** Any other command. */
export const startProgram = (
  launch: ProgramLaunch,
  command: ReadonlyArray<string>
): Effect.Effect<AgentProcess, never, Scope.Scope> =>
  Effect.gen(function* () {
    const words = [process.execPath, ...(launch.nodeOptions ?? []), launch.main, ...command]
    const [program = "", ...rest] =
      launch.prelude === undefined ? words : ["/bin/sh", "-c", `${launch.prelude} exec ${words.map(quoted).join(" ")}`]
    const ended = yield* Deferred.make<Ended>()
    const printed: Array<string> = []
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const child = spawn(program, rest, {
          stdio: ["ignore", "pipe", "pipe"],
          env: { ...process.env, ...launch.environment }
        })
        child.stdout.on("data", (text: Buffer) => printed.push(text.toString("utf8")))
        child.stderr.on("data", (text: Buffer) => printed.push(text.toString("utf8")))
        child.once("close", (code, signal) => Deferred.unsafeDone(ended, Effect.succeed({ code, signal })))
        child.once("error", (error) => Deferred.unsafeDone(ended, Effect.die(error)))
        return child
      }),
      (child) =>
        Effect.zipRight(
          Effect.sync(() => child.kill("SIGKILL")),
          Deferred.await(ended)
        )
    )
    return {
      pid: child.pid ?? -1,
      kill: () => {
        child.kill("SIGKILL")
      },
      signal: (name) => {
        child.kill(name)
      },
      ended: Deferred.await(ended),
      output: () => printed.join("")
    }
  })

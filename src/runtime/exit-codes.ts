/** How the program ends, as a number for whoever started it. The one place that says which error is which. */
import { ValidationError } from "@effect/cli"
import { isQuitException } from "@effect/platform/Terminal"
import { Cause, Option } from "effect"
import { ConfigInvalid } from "./config/index.js"

export const exitCodes = {
  fine: { code: 0, when: "It was done; also when SIGTERM or Ctrl-C ended what goes on until then (`run`, say)." },
  failed: { code: 1, when: "What was asked for did not work out. One sentence on stderr says why, and what to do." },
  usage: {
    code: 2,
    when: "The command line is none: an option or a command that is not known, or a value that cannot be."
  },
  bug: { code: 70, when: "A bug of site-actors. What is on stderr helps whoever mends it." },
  configuration: {
    code: 78,
    when: "The configuration file cannot be read, or something in it is wrong. `check` has it in its table, and ends with 1."
  },
  brokenOff: {
    code: 130,
    when: "Broken off by SIGTERM or Ctrl-C before it was done; at a question of `init` nothing was written."
  }
} as const

export type Ending = keyof typeof exitCodes

/** What an error means, whichever command it comes from. `goesOn`: the command is one that goes on until somebody ends it. */
export const endingOf = (cause: Cause.Cause<unknown>, goesOn: boolean): Ending => {
  if (Cause.isInterruptedOnly(cause)) return goesOn ? "fine" : "brokenOff"
  return Option.match(Cause.failureOption(cause), {
    onNone: () => "bug",
    onSome: (error): Ending => {
      if (ValidationError.isValidationError(error)) return "usage"
      if (isQuitException(error)) return "brokenOff"
      return error instanceof ConfigInvalid ? "configuration" : "failed"
    }
  })
}

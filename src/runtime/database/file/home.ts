/**
 * Whether a file is still where it was. One that somebody has removed, or moved away with its directory, takes whatever is written to it: into a place
 * where no later start looks for it.
 */
import { statSync } from "node:fs"

export interface Home {
  /** It has been opened: from now on it is this one. */
  readonly found: () => void
  /** Throws if it is not there (any more), or another one is. Looks at most every 100 ms, unless it was not there. */
  readonly assertThere: () => void
}

/** ms. A look takes some microseconds, and thousands of entries may be written in a second. */
const often = 100

export const makeHome = (path: string): Home => {
  const identity = (): string | undefined => {
    try {
      const { dev, ino } = statSync(path)
      return `${dev} ${ino}`
    } catch {
      return undefined
    }
  }
  let known: string | undefined
  let seen = Number.NEGATIVE_INFINITY
  return {
    found: () => {
      known ??= identity()
    },
    assertThere: () => {
      const now = performance.now()
      if (known === undefined || now - seen < often) return
      const there = identity()
      if (there !== known)
        throw new Error(
          `${path} ${there === undefined ? "is not there any more" : "is another file than it was"}. Put it back where it was; or restart the agent, which then begins with what is there`
        )
      seen = now
    }
  }
}

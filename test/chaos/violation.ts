/** A broken promise. The first one ends the run: what follows from it would only hide it. */
export class Violation extends Error {
  constructor(
    readonly invariant: string,
    readonly detail: string
  ) {
    super(`${invariant}: ${detail}`)
  }
}

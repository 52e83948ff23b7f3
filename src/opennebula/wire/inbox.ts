/** What has arrived of an answer and was not decoded yet. */
import type { Readable } from "node:stream"
import { Effect, Option } from "effect"

/** The next piece of the answer, or none after its end. */
export type NextChunk<E> = Effect.Effect<Option.Option<Uint8Array>, E>

export class Inbox {
  private readonly chunks: Array<Buffer> = []
  private received = 0
  private end: { readonly error?: unknown } | undefined
  private wake: (() => void) | undefined

  /** Takes all that `body` gives, but for one chunk not more than `limitBytes`: then it gives the connection up. */
  constructor(body: Readable, limitBytes: number) {
    body.on("data", (chunk: Buffer) => {
      this.received += chunk.length
      this.chunks.push(chunk)
      this.wake?.()
      if (this.received > limitBytes) body.destroy()
    })
    body.on("error", (error) => this.finish({ error }))
    body.on("end", () => this.finish({}))
    body.on("close", () => {
      // Neither before: the body was destroyed.
      if (this.end === undefined) this.finish({ error: new Error("closed") })
    })
  }

  /** Fails with what broke the connection, after all that had arrived before. One reader at a time. */
  readonly next: NextChunk<unknown> = Effect.async((resume) => {
    const give = (): boolean => {
      const chunk = this.chunks.shift()
      if (chunk !== undefined) resume(Effect.succeed(Option.some(chunk)))
      else if (this.end === undefined) return false
      else resume("error" in this.end ? Effect.fail(this.end.error) : Effect.succeed(Option.none()))
      this.wake = undefined
      return true
    }
    if (!give()) this.wake = give
  })

  private finish(end: { readonly error?: unknown }): void {
    this.end ??= end
    this.wake?.()
  }
}

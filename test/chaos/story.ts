/** What happened in a run, line by line: the timeline that `--trace` prints, and whose hash says whether two runs were the same. */
import { createHash } from "node:crypto"

export type Kind = "process" | "order" | "step" | "call" | "fault" | "world" | "check"

export class Story {
  private readonly hash = createHash("sha256")
  private readonly kept: Array<string> = []
  lines = 0

  constructor(
    private readonly now: () => number,
    private readonly began: number,
    private readonly keep: boolean
  ) {}

  tell(kind: Kind, who: string, what: string): void {
    const line = `${clock(this.now() - this.began)}  ${kind.padEnd(7)}  ${who.padEnd(10)}  ${what}`
    this.lines += 1
    this.hash.update(line)
    if (this.keep) this.kept.push(line)
  }

  get text(): string {
    return this.kept.join("\n")
  }

  get digest(): string {
    return this.hash.copy().digest("hex").slice(0, 16)
  }
}

/** "0:12:07.345" */
export const clock = (millis: number): string => {
  const two = (n: number) => String(Math.floor(n)).padStart(2, "0")
  const hours = Math.floor(millis / 3_600_000)
  return `${hours}:${two((millis / 60_000) % 60)}:${two((millis / 1000) % 60)}.${String(millis % 1000).padStart(3, "0")}`
}

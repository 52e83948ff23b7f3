/** Chance: numbers that follow from a seed alone. Parts of a run draw from sources of their own, so that a change in one leaves the others. */
import { PCGRandom } from "effect/Utils"

export class Chance {
  private readonly source: PCGRandom

  constructor(readonly seed: number) {
    this.source = new PCGRandom(seed)
    // The first numbers of neighbouring seeds are alike.
    for (let turn = 0; turn < 8; turn++) this.source.number()
  }

  /** A source of its own, named: the same name gives the same source. */
  fork(name: string): Chance {
    let hash = this.seed ^ 0x9e3779b9
    for (const letter of name) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193)
    return new Chance(hash >>> 0)
  }

  number(): number {
    return this.source.number()
  }

  /** True with this probability. */
  draw(probability: number): boolean {
    return probability > 0 && this.source.number() < probability
  }

  /** 0 to `limit` - 1. */
  below(limit: number): number {
    return Math.floor(this.source.number() * limit)
  }

  between(low: number, high: number): number {
    return low + this.source.number() * (high - low)
  }

  /** Small values often, large ones seldom. */
  skewed(low: number, high: number): number {
    return low * (high / low) ** this.source.number()
  }

  pick<A>(items: readonly [A, ...ReadonlyArray<A>]): A
  pick<A>(items: ReadonlyArray<A>): A | undefined
  pick<A>(items: ReadonlyArray<A>): A | undefined {
    return items[this.below(items.length)]
  }
}

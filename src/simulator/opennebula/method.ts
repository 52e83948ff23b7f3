/** What every method of the front-end is: a function of the world, the caller and the parameters. Throws `Refusal` or `Fault`. */
import type { Args } from "./wire/args.js"
import type { Value } from "./wire/values.js"
import type { User } from "./world/objects.js"
import type { World } from "./world/world.js"

export interface Call {
  readonly world: World
  readonly caller: User
  readonly args: Args
  readonly requestId: number
}

export type Method = (call: Call) => Value

/** By full name, for example `one.vm.info`. */
export type Methods = Readonly<Record<string, Method>>

/** What a test order (`site-actors order-test`) makes is known by its name, where it has no owner tag yet: its journal goes with whoever is killed. */
import { Option } from "effect"

const test = "-order-test-"

/** Of the name: the whole is no longer than a host's name may be. */
const longest = 16

/** The slug of a test order's resource, of which names are made. No other resource's has this in it. */
export const testSlug = (name: string, resource: string): string => `${name.slice(0, longest)}${test}${resource}`

/** The resource's uuid, if it was a test order that made what is called so. */
export const testedResource = (name: string): Option.Option<string> =>
  Option.fromNullable(new RegExp(`${test}([0-9a-f]{32})$`).exec(name)?.[1])

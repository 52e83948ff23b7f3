/** Looks after every carried-out call whether anything is there twice. */
import { type FrontEnd, VmState } from "../../src/simulator/opennebula/index.js"
import { ruleText } from "../../src/simulator/opennebula/world/acl-bits.js"

export interface Watched {
  /** Kind -> the most of it that were there at one time. */
  readonly most: ReadonlyMap<string, number>
  /** Method -> how often it has made something. */
  readonly made: ReadonlyMap<string, number>
  /** Access rules that were there twice. */
  readonly doubledRules: ReadonlySet<string>
}

const making = /\.(allocate|instantiate)$/

/** Watches from now on, for as long as the front-end lives. */
export const watchForDoubles = ({ onCall, world }: FrontEnd): Watched => {
  const most = new Map<string, number>()
  const made = new Map<string, number>()
  const doubledRules = new Set<string>()
  const note = (kind: string, count: number) => most.set(kind, Math.max(most.get(kind) ?? 0, count))
  onCall(({ answer, method }) => {
    if (answer._tag === "Ok" && making.test(method)) made.set(method, (made.get(method) ?? 0) + 1)
    note("group", world.groups.size)
    note("VDC", world.vdcs.size)
    note("network", world.networks.size)
    note("router", world.routers.size)
    note("security group", world.securityGroups.size)
    note("user", world.users.size)
    note("VM", [...world.vms].filter(({ state }) => state !== VmState.done).length)
    const rules = [...world.acl].map(ruleText)
    for (const rule of rules.filter((rule, at) => rules.indexOf(rule) !== at)) doubledRules.add(rule)
  })
  return { most, made, doubledRules }
}

/** What `actual` has more of than `expected`. */
export const doubles = (expected: Watched, actual: Watched): ReadonlyArray<string> => [
  ...[...actual.most]
    .filter(([kind, count]) => count > (expected.most.get(kind) ?? 0))
    .map(([kind, count]) => `${count} of kind ${kind} at one time, should be ${expected.most.get(kind) ?? 0}`),
  ...[...actual.made]
    .filter(([method, times]) => times > (expected.made.get(method) ?? 0))
    .map(
      ([method, times]) => `${method} has made something ${times} times, should be ${expected.made.get(method) ?? 0}`
    ),
  ...[...actual.doubledRules].map((rule) => `access rule twice: ${rule}`)
]

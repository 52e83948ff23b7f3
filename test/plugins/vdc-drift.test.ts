/** What a look at a data centre says, and does not say, of what its tenants have made of its parts. */
import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { observe } from "../../src/plugins/opennebula-vdc/between-orders/observe.js"
import { recordedIn } from "../../src/runtime/offerings/recorded.js"
import type { Plain } from "../../src/simulator/opennebula/index.js"
import { createOrder, doneOf, makeBench, terminateOrder } from "../support/vdc.js"

const made = Effect.gen(function* () {
  const bench = yield* makeBench()
  const { metadata = {} } = doneOf(yield* bench.attempt(yield* bench.journal, bench.create(createOrder(1))))
  yield* bench.idle
  const recorded = recordedIn(metadata)
  const { resource } = terminateOrder(1, "100")
  const { cloud } = yield* bench.cloud
  return {
    bench,
    recorded,
    call: (method: string, params: ReadonlyArray<Plain>, session?: string) =>
      Effect.map(bench.frontEnd.call(method, params, session), (answer) => expect(answer._tag).toBe("Ok")),
    findings: Effect.map(observe(cloud)([{ ...resource, recorded }]), ([seen]) =>
      seen?._tag === "Present" ? seen.findings : [seen?._tag]
    )
  }
})

it.scopedLive("tells a security group that was given away, called otherwise and untagged, with its number", () =>
  Effect.gen(function* () {
    const { call, findings, recorded } = yield* made
    const securityGroup = Number(recorded.sg_id)
    expect(yield* findings).toEqual([])
    yield* call("one.secgroup.rename", [securityGroup, "mine"])
    yield* call("one.secgroup.update", [securityGroup, 'NOTE="mine"', 0])
    // As long as it is in the group, it is known by that.
    expect(yield* findings).toMatchObject([{ kind: "owner", subject: `security-group ${securityGroup}` }])
    yield* call("one.secgroup.chown", [securityGroup, -1, 1])
    expect(yield* findings).toEqual([
      {
        kind: "owner",
        subject: `security group ${securityGroup}`,
        expected: "of this resource",
        found: "called mine in group 1, without this resource's tag",
        mendable: false,
        advice: expect.stringContaining(`onesecgroup chgrp ${securityGroup}`)
      }
    ])
    yield* call("one.secgroup.delete", [securityGroup])
    expect(yield* findings).toEqual([])
  })
)

it.scopedLive("does not tell addresses that a tenant has reserved as a second network", () =>
  Effect.gen(function* () {
    const { call, findings, recorded } = yield* made
    yield* call("one.user.allocate", ["tenant", "secret", "core", [100]])
    yield* call("one.vn.reserve", [Number(recorded.vnet_id), 'SIZE="3"\nNAME="mine"'], "tenant:secret")
    expect(yield* findings).toEqual([])
  })
)

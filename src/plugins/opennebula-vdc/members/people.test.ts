import { describe, expect, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { makeBench } from "../../../../test/support/vdc.js"
import type { OpenNebulaService } from "../../../opennebula/index.js"
import { enterGroup, leaveGroup } from "./people.js"

type Bench = Effect.Effect.Success<ReturnType<typeof makeBench>>

/** As many groups as said, with one person in all of them. */
const inGroups = ({ one }: Bench, count: number) =>
  Effect.gen(function* () {
    const groups = yield* Effect.forEach(Array.from({ length: count }), (_, index) => one.group.allocate(`g${index}`))
    const user = yield* one.user.allocate({ name: "alice", password: Redacted.make("x"), groups })
    return { groups, user }
  })

/** Beside the first call of this kind, before it is sent, somebody else does this. */
const disturbed = (
  one: OpenNebulaService,
  call: "chgrp" | "deleteGroup",
  meanwhile: Effect.Effect<unknown, unknown>
): OpenNebulaService => {
  let isFirst = true
  return {
    ...one,
    user: {
      ...one.user,
      [call]: (user: number, group: number) =>
        Effect.suspend(() => {
          const before = isFirst ? Effect.orDie(meanwhile) : Effect.void
          isFirst = false
          return Effect.zipRight(before, one.user[call](user, group))
        })
    }
  }
}

/** Answers come so late that what they say may have changed, the later the later they were asked for. */
const slow = (one: OpenNebulaService): OpenNebulaService => {
  let asked = 0
  const info = (user: number) =>
    Effect.suspend(() => {
      asked += 1
      return Effect.zipLeft(one.user.info(user), Effect.sleep(asked * 5))
    })
  return { ...one, user: { ...one.user, info } }
}

describe("somebody who is in several data centres", () => {
  it.scopedLive("is out of all of them, and disabled, when they end together", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      const { groups, user } = yield* inGroups(bench, 10)
      const one = slow(bench.one)
      yield* Effect.forEach(groups, (id) => leaveGroup(one, { id }, user), { concurrency: "unbounded" })
      expect(yield* bench.one.user.info(user)).toMatchObject({ gid: 1, groups: [1], enabled: false })
      yield* Effect.forEach(groups, bench.one.group.delete)
    })
  )

  it.scopedLive("is in all of them when they are entered together", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      const { groups, user } = yield* inGroups(bench, 5)
      yield* Effect.forEach(groups, (id) => leaveGroup(bench.one, { id }, user))
      const one = slow(bench.one)
      yield* Effect.forEach(groups, (id) => enterGroup(one, user, id), { concurrency: "unbounded" })
      const now = yield* bench.one.user.info(user)
      expect(now.groups.toSorted((a, b) => a - b)).toEqual(groups)
      expect(now.enabled).toBe(true)
    })
  )

  it.scopedLive("leaves a group that another process makes the primary one meanwhile (recording 351)", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      const { groups, user } = yield* inGroups(bench, 2)
      const [first = -1, second = -1] = groups
      const one = disturbed(bench.one, "deleteGroup", bench.one.user.chgrp(user, second))
      yield* leaveGroup(one, { id: second }, user)
      expect((yield* bench.one.user.info(user)).groups).not.toContain(second)
      yield* leaveGroup(bench.one, { id: first }, user)
      expect(yield* bench.one.user.info(user)).toMatchObject({ gid: 1, groups: [1], enabled: false })
    })
  )

  it.scopedLive(
    "goes elsewhere when the group to go to has ended meanwhile (recording 348), and stays in no group that ends",
    () =>
      Effect.gen(function* () {
        const bench = yield* makeBench()
        const { groups, user } = yield* inGroups(bench, 2)
        const [first = -1, second = -1] = groups
        const end = Effect.zipRight(bench.one.user.deleteGroup(user, second), bench.one.group.delete(second))
        yield* leaveGroup(disturbed(bench.one, "chgrp", end), { id: first }, user)
        expect(yield* bench.one.user.info(user)).toMatchObject({ gid: 1, groups: [1], enabled: false })
        yield* bench.one.group.delete(first)
      })
  )

  it.scopedLive("who is gone meanwhile has left", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      const { groups, user } = yield* inGroups(bench, 1)
      yield* leaveGroup(disturbed(bench.one, "chgrp", bench.one.user.delete(user)), { id: groups[0] ?? -1 }, user)
      yield* Effect.forEach(groups, bench.one.group.delete)
    })
  )

  it.scopedLive(
    "cannot be moved where a directory says in which groups it is, and that is the configuration's fault",
    () =>
      Effect.gen(function* () {
        const { one } = yield* makeBench()
        const group = yield* one.group.allocate("g")
        const other = yield* one.group.allocate("other")
        const made = { name: "alice", password: Redacted.make("x"), driver: "ldap", groups: [group] }
        const user = yield* one.user.allocate(made)
        const leaving = yield* Effect.flip(leaveGroup(one, { id: group }, user))
        const entering = yield* Effect.flip(enterGroup(one, user, other))
        for (const error of [leaving, entering]) {
          expect(error).toMatchObject({ _tag: "GroupsManagedByDriver", disposition: "fail-order" })
          expect(error.message).toContain("member_auth_driver: core")
        }
      })
  )
})

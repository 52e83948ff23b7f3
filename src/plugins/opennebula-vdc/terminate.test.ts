import { describe, expect, it } from "@effect/vitest"
import { Effect, Logger } from "effect"
import {
  type Bench,
  createOrder,
  doneOf,
  made,
  makeBench,
  objectsOf,
  refusedOf,
  settingsOf,
  terminated,
  terminateOrder,
  updateOrder
} from "../../../test/support/vdc.js"
import { rehearsed } from "../../opennebula/rehearsal/index.js"
import { makeVmWatcher } from "../../opennebula/watching/watcher.js"
import { terminate } from "./terminate.js"

/** A machine of the tenant, in the VDC's group and network. */
const startMachine = (bench: Bench, name: string) =>
  Effect.gen(function* () {
    const vm = yield* bench.one.template.instantiate(3, {
      name,
      extra: [{ _tag: "Vector", name: "NIC", values: { NETWORK_ID: "1" } }]
    })
    yield* bench.one.vm.chown(vm, { gid: 100 })
    return vm
  })

/** A session of the tenant's own user. */
const administrator = (bench: Bench) =>
  Effect.gen(function* () {
    const [user] = (yield* bench.one.user.list()).filter(({ gid }) => gid === 100)
    yield* bench.frontEnd.call("one.user.passwd", [user?.id ?? -1, "secret"])
    return `${user?.name ?? ""}:secret`
  })

describe("a data centre in which somebody still lives", () => {
  it.scopedLive("is not ended, and its machines are named, five at most", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      yield* made(bench)
      yield* Effect.forEach(["a", "b", "c", "d", "e", "f"], (name) => startMachine(bench, name))
      const objects = objectsOf(bench.frontEnd)
      const { sentence } = refusedOf(yield* terminated(bench, "100"))
      expect(sentence).toBe(
        "The data centre still has virtual machines (f, e, d, c, b and 1 more): delete them, then order again."
      )
      expect(objectsOf(bench.frontEnd)).toEqual(objects)
    })
  )

  it.scopedLive("is ended with its machines where the provider wants it so", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench(settingsOf({ terminate_policy: "cascade" }))
      yield* made(bench)
      yield* startMachine(bench, "a")
      yield* bench.idle
      doneOf(yield* terminated(bench, "100"))
      expect(objectsOf(bench.frontEnd)).toEqual([])
    })
  )

  it.scopedLive("is not ended for a user whom somebody has put there since it was looked at, who is named", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      yield* made(bench)
      bench.frontEnd.intercept(({ method }) =>
        method === "one.group.delete"
          ? {
              _tag: "Hold",
              when: "before",
              until: bench.frontEnd.call("one.user.allocate", ["eve", "x", "core", [100]])
            }
          : undefined
      )
      expect(refusedOf(yield* terminated(bench, "100")).sentence).toBe(
        "The data centre still has users (eve): remove them, then order again."
      )
      bench.frontEnd.intercept(undefined)
      yield* bench.frontEnd.call("one.user.chgrp", [3, 1])
      doneOf(yield* terminated(bench, "100"))
    })
  )

  it.scopedLive("is not ended for a machine of another group in its network, not even then", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench(settingsOf({ terminate_policy: "cascade" }))
      yield* made(bench)
      yield* bench.one.vm.chown(yield* startMachine(bench, "visitor"), { gid: 1 })
      expect(refusedOf(yield* terminated(bench, "100")).sentence).toContain("(visitor)")
    })
  )

  it.scopedLive("is not ended while its group has users that the agent has not made", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      yield* made(bench)
      yield* bench.frontEnd.call("one.user.allocate", ["alice", "secret", "core", [100]])
      const objects = objectsOf(bench.frontEnd)
      expect(refusedOf(yield* terminated(bench, "100")).sentence).toContain("users (alice)")
      expect(objectsOf(bench.frontEnd)).toEqual(objects)
    })
  )
})

/** Before its users are gone, who could have told of it. */
describe("a data centre of which a part is in use by what was not made with it is not ended, and nothing of it is touched", () => {
  const inNetwork = (values: Readonly<Record<string, string>>) =>
    ({ _tag: "Vector", name: "NIC", values: { NETWORK_ID: "1", ...values } }) as const
  const called = (name: string) => ({ _tag: "Single", name: "NAME", value: name }) as const
  type Hand = (bench: Bench) => Effect.Effect<unknown, unknown>
  const hands: ReadonlyArray<readonly [what: string, holder: string, hand: Hand]> = [
    [
      "a router with an address in its network",
      "router 1 (stranger)",
      ({ one }) => one.router.allocate([called("stranger"), inNetwork({ FLOATING_IP: "YES" })])
    ],
    [
      "a router whose machine is in its network",
      "router 1 (stranger)",
      ({ one }) =>
        Effect.flatMap(one.router.allocate([called("stranger"), inNetwork({})]), (id) =>
          one.router.instantiate(id, { count: 1, templateId: 1, name: "stranger_vm" })
        )
    ],
    [
      "a router that was given to its group, and runs elsewhere",
      "router 1 (stranger)",
      ({ one }) =>
        Effect.gen(function* () {
          const id = yield* one.router.allocate([called("stranger"), inNetwork({ NETWORK_ID: "0" })])
          yield* one.router.instantiate(id, { count: 1, templateId: 1, name: "stranger_vm" })
          yield* one.router.chown(id, { gid: 100 })
        })
    ],
    [
      "a network with a part of its addresses, which says that it is nobody's",
      "network 2 (part)",
      ({ frontEnd }) =>
        Effect.zipRight(
          frontEnd.call("one.vn.reserve", [1, 'NAME="part"\nSIZE="4"']),
          frontEnd.call("one.vn.update", [2, 'NOTE="mine"', 0])
        )
    ],
    [
      "a machine behind its security group",
      "machine 1 (guarded)",
      ({ one }) =>
        one.template.instantiate(3, {
          name: "guarded",
          extra: [{ _tag: "Vector", name: "NIC", values: { NETWORK_ID: "0", SECURITY_GROUPS: "100" } }]
        })
    ]
  ]
  it.scopedLive.each(hands)("(%s)", ([, holder, hand]) =>
    Effect.gen(function* () {
      const bench = yield* makeBench(settingsOf({ teardown_timeout: 3 }))
      yield* made(bench)
      yield* hand(bench)
      yield* bench.idle
      const objects = objectsOf(bench.frontEnd)
      expect(refusedOf(yield* terminated(bench, "100")).sentence).toBe(
        `The data centre is still in use by ${holder}: remove that, or ask the provider to, then order again.`
      )
      expect(objectsOf(bench.frontEnd)).toEqual(objects)
    })
  )
})

describe("the end of a data centre", () => {
  it.scopedLive("comes although a router has an interface in its network, and no address", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      yield* made(bench)
      yield* bench.one.router.allocate([
        { _tag: "Single", name: "NAME", value: "stranger" },
        { _tag: "Vector", name: "NIC", values: { NETWORK_ID: "1" } }
      ])
      doneOf(yield* terminated(bench, "100"))
      expect(objectsOf(bench.frontEnd)).toEqual(["router stranger"])
    })
  )

  it.scopedLive("says what its people have made and OpenNebula keeps", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      yield* made(bench)
      const { world } = bench.frontEnd
      const session = yield* administrator(bench)
      const image = yield* bench.frontEnd.call(
        "one.image.allocate",
        ['NAME="disk"\nTYPE="DATABLOCK"\nSIZE="10"', 1],
        session
      )
      expect(image).toMatchObject({ _tag: "Ok" })
      expect(yield* bench.frontEnd.call("one.template.allocate", ['NAME="mine"'], session)).toMatchObject({
        _tag: "Ok"
      })
      expect(yield* bench.frontEnd.call("one.secgroup.allocate", ['NAME="web"'], session)).toMatchObject({ _tag: "Ok" })
      const said: Array<string> = []
      const logger = Logger.make(({ message }) => said.push(String(message)))
      doneOf(yield* Effect.provide(terminated(bench, "100"), Logger.add(logger)))
      const images = [...world.images].filter(({ name }) => name === "disk").map(({ id }) => id)
      const templates = [...world.templates].filter(({ name }) => name === "mine").map(({ id }) => id)
      expect(said.filter((line) => line.includes("stays in OpenNebula"))).toEqual([
        expect.stringContaining(
          `: image ${images[0]} (disk), VM template ${templates[0]} (mine), security group 101 (web). Give it to somebody`
        )
      ])
    })
  )

  it.scopedLive("takes its VDC along although an administrator has taken the tag off that", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      yield* made(bench)
      yield* bench.frontEnd.call("one.vdc.update", [100, 'NOTE="mine"', 0])
      doneOf(yield* terminated(bench, "100"))
      expect(objectsOf(bench.frontEnd).filter((object) => object.startsWith("VDC"))).toEqual([])
    })
  )

  it.scopedLive("comes soon although the router's machine has to be told twice", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench(settingsOf({ teardown_timeout: 300 }))
      yield* made(bench)
      bench.frontEnd.faults.failNext("cancel")
      doneOf(yield* terminated(bench, "100"))
      expect(objectsOf(bench.frontEnd)).toEqual([])
    })
  )

  it.scopedLive("comes although an earlier order has deleted the router and not its machine", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      yield* made(bench)
      bench.frontEnd.faults.failNext("cancel")
      yield* bench.one.router.delete(0)
      yield* Effect.sleep("30 millis")
      expect(objectsOf(bench.frontEnd)).toContain("VM vdc-1_router_vm")
      expect(objectsOf(bench.frontEnd)).not.toContain("router vdc-1_router")
      doneOf(yield* terminated(bench, "100"))
      expect(objectsOf(bench.frontEnd)).toEqual([])
    })
  )

  it.scopedLive("comes although somebody holds an address of its network by hand", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      yield* made(bench)
      yield* bench.frontEnd.call("one.vn.hold", [1, 'LEASES=[IP="10.0.1.9"]'])
      doneOf(yield* terminated(bench, "100"))
      expect(objectsOf(bench.frontEnd)).toEqual([])
    })
  )

  it.scopedLive("frees its subnet for the next", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      yield* made(bench)
      doneOf(yield* terminated(bench, "100"))
      const next = doneOf(yield* bench.attempt(yield* bench.journal, bench.create(createOrder(2))))
      expect(next.metadata?.subnet_cidr).toBe("10.0.1.0/24")
    })
  )

  it.scopedLive("is done at once when there is nothing (any more)", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* terminated(bench, ""))
      doneOf(yield* terminated(bench, "100"))
    })
  )

  it.scopedLive("without a backend id takes what a failed create has left, and nothing else", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      const journal = yield* bench.journal
      yield* bench.attempt(journal, bench.create(createOrder(1)), { trouble: { at: 12, mishap: "crash after" } })
      doneOf(yield* bench.attempt(yield* bench.journalFor(2), bench.create(createOrder(2))))
      doneOf(yield* terminated(bench, ""))
      const names = objectsOf(bench.frontEnd).join("\n")
      expect(names).toContain("vdc-2")
      expect(names).not.toContain("vdc-1")
    })
  )
})

describe("a data centre with members", () => {
  /** Alice is a member, and its administrator; the group is her primary one. */
  const withMember = (driver: string) =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      yield* made(bench)
      const { frontEnd } = bench
      yield* frontEnd.call("one.user.allocate", ["alice", "secret", driver, [100]])
      const alice = frontEnd.world.users.byName("alice")?.id ?? -1
      yield* frontEnd.call("one.user.update", [alice, `WALDUR_USER_UUID="${"f".repeat(32)}"`, 1])
      yield* frontEnd.call("one.group.addadmin", [100, alice])
      return { alice, bench, frontEnd }
    })

  it.scopedLive(
    "whose groups a directory says is not ended, and nothing of it is touched; it is when oned.conf is mended",
    () =>
      Effect.gen(function* () {
        const { alice, bench, frontEnd } = yield* withMember("ldap")
        const objects = objectsOf(frontEnd)
        const refused = yield* terminated(bench, "100")
        expect(refusedOf(refused).sentence).toBe(
          "The account of a member is known to a directory that alone says in which groups it is: ask the provider."
        )
        expect(refused.changes).toBe(1)
        expect(objectsOf(frontEnd)).toEqual(objects)
        expect(yield* bench.one.user.info(alice)).toMatchObject({ gid: 100, groups: [100], enabled: true })
        frontEnd.world.managingGroups.delete("ldap")
        doneOf(yield* terminated(bench, "100"))
        expect(objectsOf(frontEnd)).toEqual(["user alice"])
      })
  )

  it.scopedLive("is ended when it is ordered again although a directory began to say their groups while it was", () =>
    Effect.gen(function* () {
      const { bench, frontEnd } = yield* withMember("ldap")
      const { managingGroups } = frontEnd.world
      managingGroups.clear()
      frontEnd.onCall(({ method }) => {
        if (method === "one.user.delete") managingGroups.add("ldap")
      })
      expect(refusedOf(yield* terminated(bench, "100")).sentence).toContain("known to a directory")
      managingGroups.clear()
      doneOf(yield* terminated(bench, "100"))
      expect(objectsOf(frontEnd)).toEqual(["user alice"])
    })
  )

  it.scopedLive("is ended, and they are asked about only where a directory may say their groups", () =>
    Effect.gen(function* () {
      const { alice, bench, frontEnd } = yield* withMember("core")
      doneOf(yield* terminated(bench, "100"))
      expect(frontEnd.calls.map(({ method }) => method)).not.toContain("one.user.addgroup")
      expect(yield* bench.one.user.info(alice)).toMatchObject({ gid: 1, groups: [1], enabled: false })
    })
  )

  it.scopedLive("is ended as a plan says", () =>
    Effect.gen(function* () {
      const { alice, bench, frontEnd } = yield* withMember("ldap")
      const told: Array<string> = []
      const { cloud } = yield* bench.cloud
      const one = rehearsed(cloud.one, ({ about, call }) => Effect.sync(() => told.push(`${call} ${about}`)))
      const before = frontEnd.calls.length
      const { watch } = yield* makeVmWatcher(one)
      const planned = terminate({ ...cloud, one, watch })(terminateOrder(1, "100"))
      doneOf(yield* bench.attempt(yield* bench.journal, () => planned))
      expect(frontEnd.calls.slice(before).filter(({ method }) => !method.includes("info"))).toEqual([])
      expect(told.filter((call) => call.includes(` ${alice}`) || call.includes("admin"))).toEqual([
        `one.user.enable ${alice} NO`,
        `one.group.deladmin 100 ${alice}`,
        `one.user.chgrp ${alice} 1`
      ])
    })
  )
})

describe("a backend id", () => {
  it.scopedLive.each(["0", "1", "oneadmin", "users"])("that is OpenNebula's own group %s ends nothing", (backendId) =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      expect(refusedOf(yield* terminated(bench, backendId)).sentence).toContain("belongs to something else")
    })
  )

  it.scopedLive("of another resource ends nothing and changes nothing", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.attempt(yield* bench.journalFor(2), bench.create(createOrder(2))))
      const objects = objectsOf(bench.frontEnd)
      expect(refusedOf(yield* terminated(bench, "100")).sentence).toContain("belongs to something else")
      const change = bench.update(updateOrder(1, "100", { cpu: 1 }))
      expect(refusedOf(yield* bench.attempt(yield* bench.journal, change)).sentence).toContain(
        "belongs to something else"
      )
      expect(objectsOf(bench.frontEnd)).toEqual(objects)
    })
  )
})

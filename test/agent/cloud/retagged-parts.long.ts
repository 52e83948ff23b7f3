/** Tenants who write into the parts of their data centre, long after its order is done. */
import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import * as Observations from "../../../src/runtime/observation/store.js"
import type { Resource } from "../../../src/simulator/waldur/index.js"
import { eventually } from "../../events/support.js"
import { expectNothingLeft, kinds, vdcObjects } from "../../support/agent.js"
import { typed } from "../../support/commands.js"
import {
  administratorOf,
  nobody,
  ownerDifferences,
  tags,
  twoCentres,
  watched,
  writings
} from "../../support/retagged.js"
import { usageScenario as scenario } from "../../support/usage.js"

describe("an administrator of a data centre's group who makes all that is in it another's", () => {
  const all = { vm: "vr_vm_id", vrouter: "vr_id", vn: "vnet_id", secgroup: "sg_id", group: "group_id" } as const
  for (const [how, text] of writings.slice(1))
    scenario(`(and ${how}) has no orphans, nothing to migrate, and machines made in it`, () =>
      Effect.gen(function* () {
        const { agent, lab, other, site } = yield* twoCentres
        const { resource: box } = yield* site.order.vm("box", lab.backendId)
        const asAdministrator = yield* administratorOf(site, lab)
        const written = text(other)
        yield* asAdministrator("one.vm.update", [Number(box.backendId), written, 0])
        for (const [called, key] of Object.entries(all))
          yield* asAdministrator(`one.${called}.update`, [Number(lab.backendMetadata[key]), written, 0])
        yield* asAdministrator("one.vn.rename", [Number(lab.backendMetadata.vnet_id), "mine"])
        const place = ["-c", site.config.file, "--data-dir", site.dataDir]
        expect(yield* typed("orphans", ...place)).toMatchObject({ out: "There are no orphans.", ok: true })
        expect(yield* typed("migrate", "--dry-run", ...place)).toMatchObject({
          out: expect.not.stringContaining("belongs to"),
          ok: true
        })
        const { resource: more, ...order } = yield* site.order.vm("more", lab.backendId)
        expect(order).toMatchObject({ state: "done", errorMessage: "" })
        const { gid, template } = site.cloud.world.vms.get(Number(more.backendId))
        expect({ gid, network: template.vectors("NIC")[0]?.values.get("NETWORK_ID") }).toEqual({
          gid: Number(lab.backendId),
          network: String(lab.backendMetadata.vnet_id)
        })
        for (const one of [box, more, lab, other])
          expect(yield* site.order.terminate(one.uuid)).toMatchObject({ state: "done", errorMessage: "" })
        yield* expectNothingLeft(site, agent, [
          "box Terminated",
          "lab Terminated",
          "more Terminated",
          "other Terminated"
        ])
      })
    )
})

describe("the network, the router and the security group of a data centre that are another's as they say", () => {
  const partsOf = ({ backendMetadata: { sg_id, vnet_id, vr_id } }: Resource) =>
    [
      ["network", "vn", Number(vnet_id)],
      ["router", "vrouter", Number(vr_id)],
      ["security-group", "secgroup", Number(sg_id)]
    ] as const
  for (const [how, text] of writings)
    scenario(`(whose administrator ${how}) are shown`, () =>
      Effect.gen(function* () {
        const { agent, lab, other, site } = yield* twoCentres
        const asAdministrator = yield* administratorOf(site, lab)
        const subjects = partsOf(lab).map(([kind, , id]) => `${kind} ${id}`)
        for (const [, called, id] of partsOf(lab)) yield* asAdministrator(`one.${called}.update`, [id, text(other), 0])
        for (const subject of subjects)
          yield* site.awaitLogged((line) => line.includes("Differs: ") && line.includes(`${subject}: `))
        const found = (yield* ownerDifferences(agent, lab)).map((difference) => difference.replace(/: .*/, ""))
        expect(found.toSorted()).toEqual(subjects.toSorted())
        const all = yield* Observations.differences().pipe(Effect.provide(agent.services))
        expect(all.map(({ kind }) => kind)).toEqual(["owner", "owner", "owner"])
      })
    )

  scenario("have their tags back where the policy says so", () =>
    Effect.gen(function* () {
      const site = yield* watched({ owner: "repair" })
      yield* site.start()
      const { resource: lab } = yield* site.order.vdc("lab")
      const asAdministrator = yield* administratorOf(site, lab)
      const { networks, routers, securityGroups } = site.cloud.world
      const pools = { network: networks, router: routers, "security-group": securityGroups }
      const templates = partsOf(lab).map(([kind, , id]) => pools[kind].find(id)?.template)
      const isOurs = () => templates.every((template) => template?.get("WALDUR_RESOURCE_UUID") === lab.uuid)
      expect(isOurs()).toBe(true)
      for (const [, called, id] of partsOf(lab)) yield* asAdministrator(`one.${called}.update`, [id, tags(nobody), 0])
      yield* eventually(isOurs)
    })
  )
})

describe("an administrator of a data centre's group who writes into what belongs to it", () => {
  const parts = { network: "vn", router: "vrouter", "security group": "secgroup", "router's machine": "vm" } as const
  for (const [part, called] of Object.entries(parts))
    for (const [how, text] of writings)
      scenario(`(its ${part}) and ${how} has nothing left of it at its end`, () =>
        Effect.gen(function* () {
          const { agent, lab, other, site } = yield* twoCentres
          const { sg_id, vnet_id, vr_id, vr_vm_id } = lab.backendMetadata
          const ids = { vn: vnet_id, vrouter: vr_id, secgroup: sg_id, vm: vr_vm_id }
          const id = Object.entries(ids).find(([kind]) => kind === called)?.[1]
          const asAdministrator = yield* administratorOf(site, lab)
          yield* asAdministrator(`one.${called}.update`, [Number(id), text(other), 0])
          expect(yield* site.order.terminate(lab.uuid)).toMatchObject({ state: "done", errorMessage: "" })
          const left = kinds(site.made())
          expect(left).toEqual(vdcObjects)
          expect(yield* site.order.terminate(other.uuid)).toMatchObject({ state: "done", errorMessage: "" })
          yield* expectNothingLeft(site, agent, ["lab Terminated", "other Terminated"])
        })
      )

  scenario(
    "(its network), makes it another's and takes the group's tags off is not in the way of the other's end",
    () =>
      Effect.gen(function* () {
        const { agent, lab, other, site } = yield* twoCentres
        const asAdministrator = yield* administratorOf(site, lab)
        yield* asAdministrator("one.vn.update", [Number(lab.backendMetadata.vnet_id), tags(other.uuid), 0])
        yield* asAdministrator("one.group.update", [Number(lab.backendId), 'NOTE="mine"', 0])
        expect(yield* site.order.terminate(other.uuid)).toMatchObject({ state: "done", errorMessage: "" })
        expect(kinds(site.made())).toMatchObject({ group: 1, network: 1, router: 1, vm: 1 })
        expect(yield* site.order.terminate(lab.uuid)).toMatchObject({ state: "done", errorMessage: "" })
        yield* expectNothingLeft(site, agent, ["lab Terminated", "other Terminated"])
      })
  )
})

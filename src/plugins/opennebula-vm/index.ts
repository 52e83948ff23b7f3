/**
 * Virtual machines of an OpenNebula cloud, sized by plans, each in a virtual data centre of its customer.
 *
 * Begin with `create.ts`, `update.ts` and `terminate.ts`: each reads from top to bottom as what happens to the machine. They use
 * - `settings.ts`: what the provider configures;
 * - `ordered/`: what a customer may order (`attributes.ts`, `extras.ts`, `inference.ts` for language models; `sizes.ts` with units and bounds), and what is made
 *   of it: which template, and what is sent along with that (`template-choice.ts`, `placement.ts`, `user-data.ts`);
 * - `parent.ts`: the data centre that it is in;
 * - `change.ts`, `quota.ts`, `room.ts`, `power.ts`, `resizing.ts`: what an update has to do, whether it fits, and how each of it is done and taken back;
 * - `machine.ts`: whose a VM is, and how it is brought into a state although failing actions are silent;
 * - `between-orders/`: looks, usage, pauses, and what can be put back.
 */
import { Effect } from "effect"
import { connect, openNebulaShared, withCallOwner } from "../../opennebula/index.js"
import { defineBackend } from "../../plugin/index.js"
import { ping } from "../looks.js"
import { connectionOf } from "../settings.js"
import { observe } from "./between-orders/observe.js"
import { partsOf } from "./between-orders/parts.js"
import { upkeep } from "./between-orders/upkeep.js"
import { accounting, usageOf } from "./between-orders/usage.js"
import { check } from "./check.js"
import { anotherVm, createVm } from "./create.js"
import type { VmOffering } from "./offering.js"
import { VmAttributes } from "./ordered/attributes.js"
import { accessKeys } from "./ordered/inference.js"
import { quantities } from "./ordered/sizes.js"
import { VmSettings } from "./settings.js"
import { terminateVm } from "./terminate.js"
import { waitsForMachine } from "./until-running.js"
import { updateVm } from "./update.js"

const type = "opennebula-vm"

export const opennebulaVm = defineBackend({
  contract: 1,
  type,
  /** The Python agent's way: `backend_type: opennebula` with `resource_type: vm`. */
  answersTo: (backendType, settings) =>
    backendType === type || (backendType === "opennebula" && settings.resource_type === "vm"),
  settings: VmSettings,
  attributes: VmAttributes,
  quantities,
  shared: openNebulaShared,
  rehearses: true,
  open: ({ settings, components, offering: offeringId }) =>
    Effect.gen(function* () {
      const { one, watcher } = yield* connect(connectionOf(settings))
      const offering: VmOffering = { one, ...watcher, settings, components }
      const ofOffering = withCallOwner(offeringId)
      return {
        create: (request) => withCallOwner(request.resource.id)(createVm(offering)(request)),
        waitsFor: waitsForMachine(offering),
        another: anotherVm(offering),
        update: (request) => withCallOwner(request.resource.id)(updateVm(offering)(request)),
        terminate: (request) => withCallOwner(request.resource.id)(terminateVm(offering)(request)),
        usage: (resources) => ofOffering(usageOf(offering)(resources)),
        accounting: (resources, spans) => ofOffering(accounting(offering)(resources, spans)),
        observe: (resources) => ofOffering(observe(offering)(resources)),
        parts: (resource) => ofOffering(partsOf(offering)(resource)),
        upkeep: upkeep(offering),
        keptMetadata: accessKeys,
        ping: ofOffering(ping(one)),
        check: ofOffering(check(offering))
      }
    })
})

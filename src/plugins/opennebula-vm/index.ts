/**
 * Virtual machines of an OpenNebula cloud, sized by plans, each in a virtual data centre of its customer.
 *
 * Begin with `create.ts`, `update.ts` and `terminate.ts`: each reads from top to bottom as what happens to the machine. They use
 * - `settings.ts` and `attributes.ts`: what the provider configures, and what a customer may write (the SSH key among it);
 * - `sizes.ts`: components, units and bounds; `change.ts` and `quota.ts`: what an update has to do, and whether it fits;
 * - `template-choice.ts`, `parent.ts`, `placement.ts`: which template, which VDC, and what is sent along with the template;
 * - `extras.ts`, `user-data.ts`: host name, further networks and security groups; cloud-init;
 * - `inference.ts`: machines that serve a language model;
 * - `machine.ts`: whose a VM is, and how it is brought into a state although failing actions are silent;
 * - `usage.ts`, `check.ts`: what is reported; `observe.ts`, `standing.ts`, `upkeep.ts`: between orders.
 */
import { Effect } from "effect"
import { connect, openNebulaShared, withCallOwner } from "../../opennebula/index.js"
import { defineBackend } from "../../plugin/index.js"
import { ping } from "../looks.js"
import { connectionOf } from "../settings.js"
import { VmAttributes } from "./attributes.js"
import { check } from "./check.js"
import { anotherVm, createVm } from "./create.js"
import { accessKeys } from "./inference.js"
import { observe } from "./observe.js"
import type { VmOffering } from "./offering.js"
import { partsOf } from "./parts.js"
import { VmSettings } from "./settings.js"
import { quantities } from "./sizes.js"
import { terminateVm } from "./terminate.js"
import { waitsForMachine } from "./until-running.js"
import { updateVm } from "./update.js"
import { upkeep } from "./upkeep.js"
import { accounting, usageOf } from "./usage.js"

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

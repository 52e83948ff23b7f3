/**
 * Backend `opennebula-vdc`: a virtual data centre for a tenant, with a group, quotas, a network of its own behind a virtual router, a
 * security group and, where configured, a user.
 *
 * Begin with `create.ts` and `terminate.ts`, which read from top to bottom as things happen; `update.ts` changes quotas, `check.ts` only looks. What they
 * do with OpenNebula stands by the noun: `tenant.ts` (group, VDC, rights, user), `network.ts` (with the security group), `router.ts`, `quotas.ts`.
 * `plan.ts` is what a create decides once, `subnet.ts` the arithmetic of addresses, `settings.ts` and `attributes.ts` what may be configured and ordered.
 *
 * - `belongings/`: the answer to the question what is ours, also where somebody has changed or lost a tag.
 * - `between-orders/`: looks, usage, pauses, and what can be put back.
 * - `members/`: who may use it.
 *
 * A VDC's backend id is the number of its group.
 */
import { Effect, Layer } from "effect"
import { keycloakShared } from "../../keycloak/index.js"
import { connect, openNebulaShared, withCallOwner } from "../../opennebula/index.js"
import { defineBackend } from "../../plugin/index.js"
import { ping } from "../looks.js"
import { connectionOf } from "../settings.js"
import { accounts } from "./accounts.js"
import { VdcAttributes } from "./attributes.js"
import { observe } from "./between-orders/observe.js"
import { partsOf } from "./between-orders/parts.js"
import { upkeep } from "./between-orders/upkeep.js"
import { accounting, usage } from "./between-orders/usage.js"
import { check } from "./check.js"
import type { Cloud } from "./cloud.js"
import { create } from "./create.js"
import { openMapping } from "./mapping-file.js"
import { keycloakOf, membersOf } from "./members/index.js"
import { quantities } from "./quotas.js"
import { VdcSettings } from "./settings.js"
import { terminate } from "./terminate.js"
import { update } from "./update.js"

const type = "opennebula-vdc"

export const opennebulaVdc = defineBackend({
  contract: 1,
  type,
  /** The Python agent's way: `backend_type: opennebula`, and `resource_type: vdc` or none. */
  answersTo: (backendType, settings) =>
    backendType === type || (backendType === "opennebula" && (settings.resource_type ?? "vdc") === "vdc"),
  settings: VdcSettings,
  attributes: VdcAttributes,
  quantities,
  rehearses: true,
  shared: Layer.merge(openNebulaShared, keycloakShared),
  open: ({ settings, components, offering }) =>
    Effect.gen(function* () {
      const { one, watcher } = yield* connect(connectionOf(settings))
      const keycloak = yield* keycloakOf(settings)
      const mapping = yield* openMapping(settings.saml_mapping_file)
      const cloud: Cloud = { one, settings, components, keycloak, mapping, watch: watcher.watch }
      const ofOffering = withCallOwner(offering)
      return {
        create: (request) => withCallOwner(request.resource.id)(create(cloud)(request)),
        update: (request) => withCallOwner(request.resource.id)(update(cloud)(request)),
        terminate: (request) => withCallOwner(request.resource.id)(terminate(cloud)(request)),
        usage: (resources, options) => ofOffering(usage(cloud)(resources, options)),
        accounting: (resources, spans) => ofOffering(accounting(cloud)(resources, spans)),
        observe: (resources) => ofOffering(observe(cloud)(resources)),
        parts: (resource) => ofOffering(partsOf(cloud)(resource)),
        upkeep: upkeep(cloud),
        members: { compare: (question) => ofOffering(membersOf(cloud).compare(question)) },
        accounts: accounts(cloud),
        ping: ofOffering(Effect.zipRight(ping(one), keycloak?.ping ?? Effect.void)),
        check: ofOffering(check(cloud))
      }
    })
})

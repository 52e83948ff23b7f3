/** Locks. Somebody's own is there on purpose: it is not for us to undo, nor to wait for. Ours, of a machine that is paused, goes when it is in the way. */
import { Effect } from "effect"
import type { OpenNebulaError, OpenNebulaService, Vm } from "../opennebula/index.js"
import { OrderRefused, type SiteError } from "../plugin/index.js"
import { isUnder } from "./standing.js"

export const isLocked = (error: SiteError): boolean => error._tag === "ObjectLocked"

/** `what`: "network lab_internal". */
export const lockedRefusal = (what: string): OrderRefused =>
  new OrderRefused({ customerMessage: `The ${what} is locked in the cloud: unlock it, then order again.` })

/** Locked, and by us. */
export const isOurLock = (vm: Vm): boolean => vm.locked && isUnder(vm.userTemplate) === "paused"

/** Takes our own lock away. Somebody else's stays, and refuses what comes next. */
export const released = ({ one }: { readonly one: OpenNebulaService }, vm: Vm): Effect.Effect<void, OpenNebulaError> =>
  isOurLock(vm) ? one.vm.unlock(vm.id) : Effect.void

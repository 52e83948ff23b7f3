/** The registry: the plugins of this build. Nothing else imports them. */
import type { Plugin } from "../core/index.js"
import { opennebulaVdc } from "../plugins/opennebula-vdc/index.js"
import { opennebulaVm } from "../plugins/opennebula-vm/index.js"

export const plugins: ReadonlyArray<Plugin> = [opennebulaVdc, opennebulaVm]

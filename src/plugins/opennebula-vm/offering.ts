/** What the handlers of one offering work with. */
import type { OpenNebulaService, VmWatcher } from "../../opennebula/index.js"
import type { Component } from "../../plugin/index.js"
import type { VmSettings } from "./settings.js"

export interface VmOffering {
  readonly one: OpenNebulaService
  /** The poller that all waits share. */
  readonly watch: VmWatcher["watch"]
  readonly glance: VmWatcher["glance"]
  readonly tellWhen: VmWatcher["tellWhen"]
  readonly settings: VmSettings
  readonly components: ReadonlyArray<Component>
}

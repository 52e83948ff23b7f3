/** docs/configuration.md is made from the schemas that read the file, so it cannot say anything else. `npm run docs` writes it. */
import { expect, it } from "vitest"
import { VdcSettings } from "../../src/plugins/opennebula-vdc/settings.js"
import { VmSettings } from "../../src/plugins/opennebula-vm/settings.js"
import { ComponentKeys, OfferingKeys, OrderDeadlineKeys, RootKeys } from "../../src/runtime/config/keys.js"
import { commentsOf } from "./comments.js"
import { tableOf } from "./reference.js"

const keys = ["src/runtime/config/keys.ts"]
const vdc = ["src/plugins/settings.ts", "src/plugins/opennebula-vdc/settings.ts"]
const vm = ["src/plugins/settings.ts", "src/plugins/opennebula-vm/settings.ts"]
const backend = { api_url: "http://one.example.com:2633/RPC2", credentials: "oneadmin:secret" }

const document = () =>
  [
    "# Configuration",
    "<!-- Made from the schemas in src/runtime/config/keys.ts and src/plugins by `npm run docs`. Change those. -->",
    "One YAML file, with the keys of Waldur's Python agent and some more. [examples/config.yaml](../examples/config.yaml) is a complete one.",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the syntax of the file that is described.
    "`site-actors check -c config.yaml` says everything that is wrong with a file at once. Unknown keys are errors. In every value, `${NAME}` is an environment variable, `${NAME:-default}` one with a default, `${file:/path}` the text of a file, `${credential:name}` that of the file `name` in the folder `CREDENTIALS_DIRECTORY` ([deploy](deploy.md)); secrets need not stand in the file.",
    "## The file",
    tableOf({ schema: RootKeys, comments: commentsOf(keys, "RootKeys"), required: { offerings: [{}] } }),
    "## `offerings[]`",
    tableOf({
      schema: OfferingKeys,
      comments: commentsOf(keys, "OfferingKeys"),
      required: {
        name: "An offering",
        waldur_api_url: "https://waldur.example.com/api/",
        waldur_offering_uuid: "0".repeat(32),
        backend_type: "opennebula-vdc"
      }
    }),
    "### `order_deadlines`",
    tableOf({ schema: OrderDeadlineKeys, comments: commentsOf(keys, "OrderDeadlineKeys"), required: {} }),
    "### `backend_components.<type>`",
    "What is absent is as Waldur's offering has it.",
    tableOf({ schema: ComponentKeys, comments: commentsOf(keys, "ComponentKeys"), required: {} }),
    "## `backend_settings` of `opennebula-vdc`",
    "Some of these may be set for an offering by its `plugin_options` in Waldur, which win.",
    tableOf({ schema: VdcSettings, comments: commentsOf(vdc, "VdcSettings", "overridable"), required: backend }),
    "## `backend_settings` of `opennebula-vm`",
    tableOf({
      schema: VmSettings,
      comments: commentsOf(vm, "VmSettings"),
      required: backend,
      hidden: new Set(commentsOf(vm, "acceptedOnly").keys())
    })
  ].join("\n\n")

it("the configuration reference is as the schemas are (if not: npm run docs)", async () => {
  await expect(`${document()}\n`).toMatchFileSnapshot("../../docs/configuration.md")
})

/** What is sent along when a template is instantiated: sizes, place, key, network, owner. */
import { Option } from "effect"
import {
  mergeForInstantiate,
  type Owner,
  ownerTags,
  type Single,
  single,
  type Template,
  type Vector,
  type VmTemplate,
  valueOf,
  vector,
  vectorsOf
} from "../../../opennebula/index.js"
import type { Parent } from "../parent.js"
import type { PlacementRules } from "../settings.js"
import { type Extras, extraInterfaces, securityGroupsOf } from "./extras.js"
import type { Inference } from "./inference.js"
import type { Sizes } from "./sizes.js"

export interface Instance {
  readonly sizes: Partial<Sizes>
  readonly parent: Parent
  readonly rules: Pick<PlacementRules, "clusters" | "requirements">
  readonly sshKey: string | undefined
  readonly inference?: Inference | undefined
  readonly extras?: Extras | undefined
  /** Base64. */
  readonly userData?: string | undefined
  readonly owner: Owner
}

/** The extra template: what the order changes, merged with what the template has, as OpenNebula would replace it. */
export const extraTemplate = (template: VmTemplate, instance: Instance): Template => {
  const own = template.template
  const { extras, inference, parent, sizes } = instance
  const { vcpu, ram, disk } = sizes
  return mergeForInstantiate(own, {
    singles: [
      ...ownerTags(instance.owner),
      // A vCPU is a whole core's share, as the Python agent has it.
      ...(vcpu === undefined ? [] : [single("CPU", vcpu), single("VCPU", vcpu)]),
      ...(ram === undefined ? [] : [single("MEMORY", ram)]),
      ...requirements(own, instance.rules)
    ],
    context: {
      ...(hasNetworkContext(own) ? {} : { NETWORK: true }),
      ...(instance.sshKey === undefined ? {} : { SSH_PUBLIC_KEY: instance.sshKey }),
      ...(extras?.hostname === undefined ? {} : { SET_HOSTNAME: extras.hostname }),
      ...(instance.userData === undefined ? {} : { USER_DATA: instance.userData, USERDATA_ENCODING: "base64" }),
      ...inference?.context
    },
    nics: {
      mode: "replace",
      add: [...interfaces(own, parent, securityGroupsOf(parent, extras)), ...extraInterfaces(parent, extras)]
    },
    ...(disk === undefined ? {} : { osDiskSize: disk }),
    // Behind all others, so that it is never taken for the disk to boot from.
    ...(inference === undefined ? {} : { addDisks: [vector("DISK", { IMAGE_ID: inference.image })] })
  })
}

/** Without NETWORK="YES" a guest does not configure its interfaces. A template that says otherwise is taken at its word. */
const hasNetworkContext = (own: Template): boolean =>
  vectorsOf(own, "CONTEXT").some((context) => context.values.NETWORK !== undefined)

/** The template's own expression, the provider's and the clusters all have to be met. */
const requirements = (own: Template, rules: Instance["rules"]): ReadonlyArray<Single> => {
  const asked = [rules.requirements, rules.clusters.map((id) => `CLUSTER_ID=${id}`).join(" | ")].filter(
    (part) => part !== ""
  )
  if (asked.length === 0) return []
  const all = [Option.getOrElse(valueOf(own, "SCHED_REQUIREMENTS"), () => "").trim(), ...asked].filter(
    (part) => part !== ""
  )
  return [single("SCHED_REQUIREMENTS", all.length === 1 ? all.join("") : all.map((part) => `(${part})`).join(" & "))]
}

const networkKeys = ["NETWORK", "NETWORK_ID", "NETWORK_MODE"] as const
const hasNetwork = (nic: Vector): boolean => networkKeys.some((key) => nic.values[key] !== undefined)

/**
 * The template's interfaces stay, with all their settings. One that names no network (only a MODEL, say) gets the parent's; if there is none
 * such, an interface of the parent's network comes first, so that it is ETH0, as in VMs of the Python agent.
 */
const interfaces = (own: Template, parent: Parent, securityGroups: string | undefined): ReadonlyArray<Vector> => {
  const nics = vectorsOf(own, "NIC")
  if (parent.network === undefined) return nics
  const internal = {
    NETWORK_ID: parent.network,
    ...(securityGroups === undefined ? {} : { SECURITY_GROUPS: securityGroups })
  }
  return nics.some((nic) => !hasNetwork(nic))
    ? nics.map((nic) => (hasNetwork(nic) ? nic : vector("NIC", { ...internal, ...nic.values })))
    : [vector("NIC", internal), ...nics]
}

/** Would this VM have an interface at all? */
export const isConnected = (template: VmTemplate, parent: Parent): boolean =>
  parent.network !== undefined || vectorsOf(template.template, "NIC").some(hasNetwork)

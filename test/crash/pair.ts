/** The two offerings that an agent of a trial or of a measurement has: data centres, and machines in them, of one simulated pair of servers. */
export interface PairOfServers {
  /** Ends in `/api/`. */
  readonly waldurUrl: string
  readonly agentToken: string
  readonly cloudUrl: string
  /** `user:password` at the cloud. */
  readonly session: string
  /** Their uuids. */
  readonly vdcOffering: string
  readonly vmOffering: string
}

type Keys = Readonly<Record<string, unknown>>

/** For `offerings:` of a configuration file. `more`: put over the keys of both; `machines`, `centres`: over the backend settings of one. */
export const pairOfOfferings = (servers: PairOfServers, more: Keys = {}, machines: Keys = {}, centres: Keys = {}) => {
  const common = {
    waldur_api_url: servers.waldurUrl,
    waldur_api_token: servers.agentToken,
    backend_type: "opennebula",
    order_processing_backend: "opennebula",
    ...more
  }
  const backend = { api_url: servers.cloudUrl, credentials: servers.session, cluster_ids: [0] }
  return [
    {
      ...common,
      name: "VDC",
      waldur_offering_uuid: servers.vdcOffering,
      backend_settings: {
        ...backend,
        resource_type: "vdc",
        external_network_id: 0,
        virtual_router_template_id: 1,
        create_opennebula_user: true,
        security_group_defaults: [{ direction: "inbound", protocol: "TCP", range: "22" }],
        ...centres
      }
    },
    {
      ...common,
      name: "VM",
      waldur_offering_uuid: servers.vmOffering,
      backend_settings: { ...backend, resource_type: "vm", template_id: 2, ...machines }
    }
  ]
}

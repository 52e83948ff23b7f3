/** The templates that both ways beside this send. */
import { field } from "./rpc.js"

export const network = (name: string) =>
  `NAME="${name}"\nVN_MAD="vxlan"\nPHYDEV="eth0"\nAUTOMATIC_VLAN_ID="YES"\nAR=[TYPE="IP4",IP="10.9.0.1",SIZE="254"]`
export const securityGroup = (name: string) =>
  `NAME="${name}"\nRULE=[PROTOCOL="TCP",RULE_TYPE="inbound",RANGE="22"]\nRULE=[PROTOCOL="ALL",RULE_TYPE="outbound"]`
export const routerNics = (network: number) => `NIC=[NETWORK_ID="${network}",IP="10.9.0.1"]\nNIC=[NETWORK_ID="0"]`
export const quota =
  'VM=[CPU="100",MEMORY="100000",VMS="-2",SYSTEM_DISK_SIZE="1000000",RUNNING_CPU="-2",RUNNING_MEMORY="-2",RUNNING_VMS="-2"]'
export const machine = (network: number) => `CPU="1"\nVCPU="1"\nMEMORY="512"\nNIC=[NETWORK_ID="${network}"]`

/** The VM of a router, in its document. */
export const routersVm = (document: string): number => Number(field(document.slice(document.indexOf("&lt;VMS")), "ID"))

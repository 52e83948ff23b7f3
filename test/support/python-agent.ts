/**
 * The calls of the Python agent 1.0.7 with its OpenNebula plugin, in its order, as they were seen on the wire: to be cut off anywhere. Reads are left
 * out. Ids are those of a front-end on which nothing was made before.
 */
type Call = readonly [method: string, args: ReadonlyArray<string | number | boolean>]

/** A data centre, after the order was approved. With a user, without a quota, which it sets at updates only where its file has no components. */
export const pythonVdc = (name: string): ReadonlyArray<Call> => [
  ["one.group.allocate", [name]],
  ["one.vdc.allocate", [`NAME="${name}"`, -1]],
  ["one.vdc.addgroup", [100, 100]],
  ["one.vdc.addcluster", [100, 0, 0]],
  [
    "one.vn.allocate",
    [
      `NAME="${name}_internal"\nVN_MAD="vxlan"\nAUTOMATIC_VLAN_ID="YES"\nPHYDEV="eth0"\nAR=[ TYPE="IP4", IP="10.0.1.1", SIZE="254" ]\nDNS="8.8.8.8"\nGATEWAY="10.0.1.1"`,
      0
    ]
  ],
  ["one.vdc.addvnet", [100, 0, 1]],
  ["one.vrouter.allocate", [`NAME="${name}_router"`]],
  [
    "one.vrouter.instantiate",
    [
      0,
      1,
      1,
      `${name}_router_vm`,
      false,
      'NIC=[NETWORK_ID="1", IP="10.0.1.1"]\nNIC=[NETWORK_ID="0"]\nSCHED_REQUIREMENTS="CLUSTER_ID=0"'
    ]
  ],
  ["one.secgroup.allocate", [`NAME="${name}_default"\nRULE=[PROTOCOL="TCP", RULE_TYPE="inbound", RANGE="22:22"]`]],
  ["one.user.allocate", [`${name}_admin`, "swordfish", "core"]],
  ["one.user.chgrp", [2, 100]],
  ["one.user.update", [2, 'WALDUR_PASSWORD="swordfish"', 1]]
]

/** A machine in the network 1 of group 100. */
export const pythonVm = (name: string, template: number, vm: number): ReadonlyArray<Call> => [
  [
    "one.template.instantiate",
    [template, name, false, 'NIC=[NETWORK_ID="1"]\nCPU="1"\nVCPU="1"\nMEMORY="512"\nCONTEXT=[NETWORK="YES"]', false]
  ],
  ["one.vm.chown", [vm, -1, 100]]
]

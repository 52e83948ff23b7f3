/** The methods that OpenNebula 7.4 announces, in its order, with their signatures (recording 525 and `signatures.txt`). */

/** Per noun: `verb:types`, where s is a string, i an integer, b a boolean, A an array; the first s is the session. */
const announced: ReadonlyArray<readonly [noun: string, verbs: string]> = [
  ["acl", "addrule:sssss delrule:si info:s"],
  ["host", "allocate:ssssi delete:si info:sib update:sisi rename:sis status:sii monitoring:si"],
  ["hostpool", "info:s monitoring:s"],
  [
    "cluster",
    "allocate:ssssi delete:si info:sib update:sisi rename:sis addhost:sii delhost:sii adddatastore:sii deldatastore:sii addvnet:sii delvnet:sii optimize:si planexecute:si plandelete:si"
  ],
  ["clusterpool", "info:s"],
  [
    "template",
    "allocate:ss delete:si info:sibb update:sisi rename:sis chmod:siiiiiiiiiib chown:siii lock:siib unlock:si clone:sisb instantiate:sisbs"
  ],
  ["templatepool", "info:siii"],
  [
    "vntemplate",
    "allocate:ss delete:si info:sib update:sisi rename:sis chmod:siiiiiiiiii chown:siii lock:siib unlock:si clone:sis instantiate:siss"
  ],
  ["vntemplatepool", "info:s"],
  [
    "vm",
    "allocate:ss info:sib update:sisi rename:sis chmod:siiiiiiiiii chown:siii lock:siib unlock:si deploy:siibis action:ssi migrate:siibbii disksaveas:siissi disksnapshotcreate:siis disksnapshotdelete:siii disksnapshotrevert:sii disksnapshotrename:siiis attach:sis detach:sii diskresize:siis attachnic:sis detachnic:sii updatenic:siis attachsg:siii detachsg:siii snapshotcreate:sis snapshotdelete:sii snapshotrevert:sii resize:siis updateconf:sis recover:sii monitoring:si schedadd:sis schedupdate:siis scheddelete:sii backup:siib backupcancel:si restore:siiii attachpci:sis detachpci:sii exec:siss retryexec:si cancelexec:si vmgroupadd:siis vmgroupdel:si"
  ],
  [
    "vmpool",
    "info:siiiis infoextended:siiiis infoset:ssb accounting:siii monitoring:sii showback:siiiii calculateshowback:siiiii"
  ],
  [
    "vn",
    "allocate:si delete:si info:sib update:sisi rename:sis chmod:siiiiiiiiii chown:siii lock:siib unlock:si add_ar:sis rm_ar:siib update_ar:sis reserve:sis free_ar:sii hold:sis release:sis recover:sii"
  ],
  ["vnpool", "info:siii"],
  [
    "image",
    "allocate:ssib delete:sib info:sib update:sisi rename:sis chmod:siiiiiiiiii chown:siii lock:siib unlock:si clone:sisi enable:sib persistent:sib chtype:sis snapshotdelete:sii snapshotrevert:sii snapshotflatten:sii restore:siis"
  ],
  ["imagepool", "info:siii"],
  ["datastore", "allocate:ssi delete:si info:sib update:sisi rename:sis chown:siii chmod:siiiiiiiiii enable:sib"],
  ["datastorepool", "info:s"],
  ["group", "allocate:ss delete:si info:sib quota:sis vlan:sis update:sisi addadmin:sii deladmin:sii"],
  ["grouppool", "info:s"],
  ["groupquota", "info:s update:ss"],
  [
    "user",
    "allocate:ssssA update:sisi delete:si info:sib passwd:sis chgrp:sii addgroup:sii delgroup:sii chauth:siss quota:sis login:sssii enable:sii"
  ],
  ["userpool", "info:s"],
  ["userquota", "info:s update:ss"],
  [
    "document",
    "allocate:ssi delete:si info:sib update:sisi chown:siii chmod:siiiiiiiiii clone:sis rename:sis lock:siib unlock:si"
  ],
  ["documentpool", "info:siiii"],
  [
    "zone",
    "updatedb:sis allocate:ss update:sisi delete:si info:sib rename:sis enable:sii replicate:siiiiiiis fedreplicate:sis voterequest:siiii raftstatus:s addserver:sis delserver:sii resetserver:sis"
  ],
  ["zonepool", "info:s"],
  [
    "secgroup",
    "allocate:ss delete:si info:sib update:sisi chown:siii chmod:siiiiiiiiii clone:sis rename:sis commit:sib"
  ],
  ["secgrouppool", "info:siii"],
  [
    "vmgroup",
    "allocate:ss delete:si info:sib chown:siii chmod:siiiiiiiiii rename:sis update:sisi lock:siib unlock:si roleadd:sis roledelete:sii roleupdate:siis"
  ],
  ["vmgrouppool", "info:siii"],
  [
    "vdc",
    "allocate:ss update:sisi delete:si addgroup:sii delgroup:sii addcluster:siii delcluster:siii addhost:siii delhost:siii adddatastore:siii deldatastore:siii addvnet:siii delvnet:siii info:sib rename:sis"
  ],
  ["vdcpool", "info:s"],
  [
    "vrouter",
    "update:sisi allocate:ss delete:si info:sib chown:siii chmod:siiiiiiiiii rename:sis instantiate:siiisbs attachnic:sis detachnic:sii lock:siib unlock:si"
  ],
  ["vrouterpool", "info:siii"],
  [
    "market",
    "updatedb:sis allocatedb:ss allocate:ss update:sisi delete:si chmod:siiiiiiiiii chown:siii info:sib rename:sis enable:sii"
  ],
  ["marketpool", "info:s"],
  [
    "marketapp",
    "updatedb:sis dropdb:si allocatedb:ss allocate:ss delete:si info:si update:sisi rename:sis chmod:siiiiiiiiii chown:siii enable:sii lock:siib unlock:si"
  ],
  ["marketapppool", "info:s"],
  ["hook", "allocate:ss delete:si update:sisi rename:sis info:sib lock:siib unlock:si retry:sii"],
  ["hookpool", "info:siii"],
  ["hooklog", "info:siiii"],
  [
    "backupjob",
    "allocate:ss delete:si update:sisi rename:sis info:sib chown:siii chmod:siiiiiiiiii lock:siib unlock:si backup:si cancel:si retry:si priority:sii schedadd:sis scheddelete:sii schedupdate:siis"
  ],
  ["backupjobpool", "info:siii"],
  ["system", "version:s config:s sql:ssb sqlquery:ss"]
]

export interface AnnouncedMethod {
  readonly name: string
  readonly signature: string
}

export const announcedMethods: ReadonlyArray<AnnouncedMethod> = announced.flatMap(([noun, verbs]) =>
  verbs.split(" ").map((verb) => {
    const [name = "", signature = ""] = verb.split(":")
    return { name: `one.${noun}.${name}`, signature }
  })
)

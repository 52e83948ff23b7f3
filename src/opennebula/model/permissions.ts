/** Who may do what with an object: USE, MANAGE and ADMIN for its owner, its group and all others (OpenNebula 7.4). */
import { Schema } from "effect"
import type { XmlElement } from "../wire/answer.js"
import { Flag, find, fromElement, Int, text } from "./element.js"

const Rights = Schema.Struct({ use: Flag, manage: Flag, admin: Flag })
const rights = (element: XmlElement, use: string, manage: string, admin: string) => ({
  use: text(element, use),
  manage: text(element, manage),
  admin: text(element, admin)
})

const Struct = Schema.Struct({ owner: Rights, group: Rights, other: Rights })

export const Permissions = fromElement(Struct, (element) => ({
  owner: rights(element, "OWNER_U", "OWNER_M", "OWNER_A"),
  group: rights(element, "GROUP_U", "GROUP_M", "GROUP_A"),
  other: rights(element, "OTHER_U", "OTHER_M", "OTHER_A")
}))
export type Permissions = typeof Permissions.Type

/** The fields that every object with an owner has. */
export const ownedFields = { id: Int, name: Schema.String, uid: Int, gid: Int }
export const owned = (element: XmlElement) => ({
  id: text(element, "ID"),
  name: text(element, "NAME"),
  uid: text(element, "UID"),
  gid: text(element, "GID")
})
export const ownedReads = { ID: true, NAME: true, UID: true, GID: true } as const

const absent: XmlElement = { name: "PERMISSIONS", text: "", children: [] }
/** The PERMISSIONS element of an object; one without any gives no rights. */
export const permissions = (element: XmlElement): XmlElement => find(element, "PERMISSIONS") ?? absent

/**
 * Is every change of it refused, its deletion too, and to everybody, until it is unlocked? A lock stops what asks for as much as its level, or for more: 1 (USE) and
 * 2 (MANAGE) stop MANAGE, which is what we ask for; 3 (ADMIN) stops what is an administrator's alone, such as a migration (OpenNebula 7
 * `RequestManagerLock::request_execute`, `AclManager::oneadmin_authorize`; recordings 144 to 148). The same for machines, networks and routers.
 */
export const locked = (element: XmlElement): boolean => /^[12]$/.test(text(element, "LOCK", "LOCKED"))

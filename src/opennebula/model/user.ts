/** Users. */
import { Option, Schema } from "effect"
import { type Single, single, valueOf, without } from "../template/template.js"
import type { XmlElement } from "../wire/answer.js"
import { Flag, fromElement, Ids, Int, ids, TemplateSchema, template, text } from "./element.js"

/** Where the Python agent keeps a user's password, in clear. */
const pythonPassword = "WALDUR_PASSWORD"
/** The attribute that stands for it: empty, it says nothing any more. */
export const storedPassword = (value: ""): Single => single(pythonPassword, value)

/** Attributes of a user's template that are secrets; nobody here needs them. */
const secrets = ["TOKEN_PASSWORD", "SSH_PRIVATE_KEY", "SSH_PASSPHRASE", pythonPassword]

/** As `one.user.info` and `one.userpool.info` give it (recordings 061, 209). */
export const User = fromElement(
  Schema.Struct({
    id: Int,
    name: Schema.String,
    /** Primary group. */
    gid: Int,
    groups: Ids,
    enabled: Flag,
    /** core, public, ldap ... */
    authDriver: Schema.String,
    passwordHash: Schema.Redacted(Schema.String),
    /** Whether the Python agent left the password in the template. */
    hasStoredPassword: Schema.Boolean,
    /** SSH_PUBLIC_KEY, the owner tag; without OpenNebula's own secrets. */
    template: TemplateSchema
  }),
  (element: XmlElement) => ({
    id: text(element, "ID"),
    name: text(element, "NAME"),
    gid: text(element, "GID"),
    groups: ids(element, "GROUPS"),
    enabled: text(element, "ENABLED"),
    authDriver: text(element, "AUTH_DRIVER"),
    passwordHash: text(element, "PASSWORD"),
    hasStoredPassword: Option.exists(valueOf(template(element), pythonPassword), (password) => password !== ""),
    template: without(template(element), secrets)
  })
)
export type User = typeof User.Type

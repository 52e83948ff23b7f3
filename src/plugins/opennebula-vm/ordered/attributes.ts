/** What a customer may write into a create order, and the SSH key among it. */
import { Effect, Either, Encoding, Option, Schema } from "effect"
import { Marketplace, OrderRefused, type SiteError } from "../../../plugin/index.js"
import { ObjectId } from "../../settings.js"
import { field, textOf } from "../fields.js"
import { ParentVdc } from "../settings.js"
import { extraFields } from "./extras.js"
import { vllmFields } from "./inference.js"

/** Others that an order carries (`name`, `description`, ...) are Waldur's own, and are left alone. */
export const VmAttributes = Schema.Struct({
  /** Must be one of the offering's. */
  template_id: field(ObjectId, "the id of a template"),
  /** The VDC that the VM shall be in: `backend_id` of a resource of the same project. */
  parent_backend_id: field(ParentVdc, "the backend id of a virtual data centre"),
  /** One line as in `id_ed25519.pub`, or the uuid of a key in Waldur. */
  ssh_public_key: field(Schema.String, "a public key, or the uuid of one in Waldur"),
  /** A language model to serve: its image, by name or by id. */
  model: field(textOf, "the name of a model"),
  /** The same under its older name. */
  model_image_id: field(textOf, "the id of a model's image"),
  ...vllmFields,
  ...extraFields,
  /** That there is user data for cloud-init; the data itself is not kept. */
  user_data: field(Schema.Unknown, "user data")
})
export type VmAttributes = typeof VmAttributes.Type

const uuidPattern = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i

/** The public key that the order names, as text; none if it names none. A key that cannot be found or used is a refusal. */
export const sshKeyOf = (attributes: VmAttributes): Effect.Effect<Option.Option<string>, SiteError, Marketplace> =>
  Effect.gen(function* () {
    const given = (attributes.ssh_public_key ?? "").trim()
    if (given === "") return Option.none()
    if (!uuidPattern.test(given)) return Option.some(yield* validSshKey(given))
    const marketplace = yield* Marketplace
    const stored = yield* marketplace.sshKey(given.replaceAll("-", "").toLowerCase())
    if (stored === undefined) {
      return yield* new OrderRefused({
        customerMessage: `The SSH key ${given} does not exist (any more): choose another key and order again.`
      })
    }
    return Option.some(yield* validSshKey(stored.trim()))
  })

const longestKey = 16_384
const keyTypes: ReadonlySet<string> = new Set([
  "ssh-ed25519",
  "ssh-rsa",
  "ssh-dss",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "sk-ssh-ed25519@openssh.com",
  "sk-ecdsa-sha2-nistp256@openssh.com"
])
const typeName = new TextDecoder()

/** RFC 4253, 6.6: the decoded key begins with its own type's name, after that name's length in four bytes. */
const typeInside = (base64: string): string | undefined => {
  const decoded = Encoding.decodeBase64(base64)
  if (Either.isLeft(decoded) || decoded.right.length < 5) return undefined
  const bytes = decoded.right
  const length = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0)
  return bytes.length > 4 + length ? typeName.decode(bytes.subarray(4, 4 + length)) : undefined
}

/** One line: type, key in base64, comment. */
const validSshKey = (text: string): Effect.Effect<string, OrderRefused> => {
  const refused = (reason: string) =>
    new OrderRefused({
      customerMessage: `The SSH key is not valid (${reason}): give one line as in a .pub file, or choose a key of your profile.`
    })
  if (text.length > longestKey) return refused("it is too long")
  if (/\p{Cc}/u.test(text)) return refused("it has more than one line or a control character")
  const [type = "", key = ""] = text.split(/ +/)
  // OpenNebula replaces variables in CONTEXT: `$USER[TEMPLATE]` would show the guest the agent's own user, login tokens and all.
  if (text.includes("$")) return refused("it has a $ sign, which the cloud would take for a variable")
  if (text.includes("PRIVATE KEY")) return refused("it is a private key, which must not be given to anybody")
  if (!keyTypes.has(type)) return refused("it does not begin with a key type such as ssh-ed25519")
  if (typeInside(key) !== type) return refused("its key is incomplete or damaged")
  return Effect.succeed(text)
}

/**
 * cloud-init's user data of a machine. It often holds passwords, so it stands in no journal: the order that is kept says only that there is
 * some, and the data itself is read from the marketplace when it is needed.
 *
 * It goes into CONTEXT as base64 (`USER_DATA`, `USERDATA_ENCODING`, as cloud-init's OpenNebula source reads them): OpenNebula would replace
 * `$USER[...]` in plain text, which `#cloud-config` has every right to contain.
 */
import { Effect, Either, Encoding } from "effect"
import { Marketplace, type OrderId, OrderRefused, type SiteError } from "../../../plugin/index.js"

/** Of the data itself; cloud-init's other sources take 16 kB. */
const longest = 32_768

/** What cloud-init knows: a line with # that says its kind, MIME parts, or gzip of either. */
const isKnown = (bytes: Uint8Array): boolean =>
  /^(#|content-type:|mime-version:)/i.test(new TextDecoder().decode(bytes.subarray(0, 64)).trimStart()) ||
  (bytes[0] === 0x1f && bytes[1] === 0x8b)

const refused = (reason: string) =>
  new OrderRefused({
    customerMessage: `The user data cannot be used (${reason}): give cloud-init's text, beginning with "#cloud-config" or "#!", or the base64 of it.`
  })

/** Base64 of the data. Neither the data nor a part of it is in the error. */
export const encoded = (value: unknown): Either.Either<string, OrderRefused> => {
  if (typeof value !== "string") return Either.left(refused("it is no text"))
  const text = value.trim()
  if (text.length > 2 * longest) return Either.left(refused(`it is longer than ${longest} bytes`))
  const plain = new TextEncoder().encode(value)
  const decoded = Encoding.decodeBase64(text.replace(/\s+/g, ""))
  const bytes = isKnown(plain) ? plain : Either.getOrElse(decoded, () => plain)
  if (!isKnown(bytes)) return Either.left(refused("cloud-init would not know what it is"))
  if (bytes.length > longest) return Either.left(refused(`it is longer than ${longest} bytes`))
  return Either.right(Encoding.encodeBase64(bytes))
}

/** Read anew each time. Refused if it is no user data. */
export const userData = (order: OrderId): Effect.Effect<string, SiteError, Marketplace> =>
  Effect.flatMap(Marketplace, (marketplace) => Effect.flatMap(marketplace.withheld(order, "user_data"), encoded))

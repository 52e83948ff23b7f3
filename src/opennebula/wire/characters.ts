/** Which characters XML has, and which of them have names. */

/** By code point (XML 1.0, 2.2). */
export const isXmlCharacter = (code: number): boolean =>
  code === 0x09 ||
  code === 0x0a ||
  code === 0x0d ||
  (code >= 0x20 && code <= 0xd7ff) ||
  (code >= 0xe000 && code <= 0xfffd) ||
  (code >= 0x10000 && code <= 0x10ffff)

const named: ReadonlyMap<string, string> = new Map([
  ["lt", "<"],
  ["gt", ">"],
  ["amp", "&"],
  ["quot", '"'],
  ["apos", "'"]
])

/**
 * `lt`, `#38`, `#x0d`: the character that stands between `&` and `;`; nothing if XML has none of that name. There are no other entities where there
 * is no DOCTYPE.
 */
export const referredTo = (reference: string): string | undefined => {
  const numeric = /^#(?:x([0-9a-fA-F]+)|([0-9]+))$/.exec(reference)
  if (numeric === null) return named.get(reference)
  const code = numeric[1] === undefined ? Number.parseInt(numeric[2] ?? "", 10) : Number.parseInt(numeric[1], 16)
  return isXmlCharacter(code) ? String.fromCodePoint(code) : undefined
}

/**
 * What a front-end says is text from outside: before it goes into an error it loses secrets, control characters and length.
 * Faults of OpenNebula 7.4 do quote the request, which holds the session (recording 543).
 */

const longest = 500
/** A shorter password would also blot out harmless words; it is still hidden as part of the whole session string. */
const shortestPassword = 4

const escapeXml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

const escapeUrl = (text: string): string => new URLSearchParams([["", text]]).toString().slice(1)

/** The session string and its password, in the spellings in which they may come back, longest first. */
const spellings = (session: string): ReadonlyArray<string> => {
  const password = session.slice(session.indexOf(":") + 1)
  const secrets = password.length >= shortestPassword ? [session, password] : [session]
  return secrets
    .flatMap((secret) => [secret, escapeXml(secret), JSON.stringify(secret).slice(1, -1), escapeUrl(secret)])
    .filter((spelling) => spelling.length > 0)
    .sort((a, b) => b.length - a.length)
}

/** Makes the function that cleans the texts of one client's calls. */
export const makeRedactor = (session: string): ((text: string) => string) => {
  const secrets = spellings(session)
  return (text) => {
    const visible = text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim()
    const clean = secrets.reduce((rest, secret) => rest.replaceAll(secret, "<redacted>"), visible)
    return clean.length <= longest ? clean : `${clean.slice(0, longest)}... (${clean.length} characters)`
  }
}

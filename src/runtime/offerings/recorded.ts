/** What Waldur remembers of a resource since it was made, as far as it tells one thing in the cloud from another. */

/** Of `backend_metadata` only ids, addresses and when it began: passwords that customers are shown stand there too. */
const isIdentity = (key: string): boolean => /^[a-z]+_(id|stime)$/.test(key) || key === "ip_address"

export const recordedIn = (metadata: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(metadata).flatMap(([key, value]) =>
      isIdentity(key) &&
      (typeof value === "number" || typeof value === "string") &&
      value !== "" &&
      String(value).length <= longest
        ? [[key, String(value)] as const]
        : []
    )
  )

/** As IPv6 addresses are, and more than any number. Requests are kept in the journal with it. */
const longest = 64

/** Who may come in, and what is agreed on at the door: CONNECT. */
import type { Broker } from "./broker.js"
import { type Frame, headerOf } from "./frames.js"

export const versions = "1.0,1.1,1.2"

export type Entry =
  | { readonly refusal: string; readonly body: string }
  | {
      /** Empty: the plugin's default user, who may do everything (recording 014). */
      readonly login: string
      readonly vhost: string
      readonly version: string
      /** ms between two beats of ours, and of theirs; 0: none. */
      readonly beat: number
      readonly expect: number
    }

export const entryOf = (broker: Broker, of: Frame): Entry => {
  const wanted = (headerOf(of, "accept-version") ?? "1.0").split(",")
  const version = versions.split(",").findLast((known) => wanted.includes(known))
  if (version === undefined) return { refusal: "Version mismatch", body: `Supported versions are ${versions}\n` }
  const login = headerOf(of, "login")
  const vhost = headerOf(of, "host") ?? "/"
  if (login !== undefined && !broker.isUser(login, headerOf(of, "passcode") ?? "")) {
    return { refusal: "Bad CONNECT", body: `Access refused for user '${login}'\n` }
  }
  if (login === undefined ? !broker.hasVhost(vhost) : !broker.mayEnter(login, vhost)) {
    return { refusal: "Bad CONNECT", body: `Virtual host '${vhost}' access denied` }
  }
  // A real broker rounds to whole seconds; here any number of ms goes, for tests that cannot wait.
  const [expect = 0, beat = 0] = (headerOf(of, "heart-beat") ?? "0,0").split(",").map(Number)
  return { login: login ?? "", vhost, version, beat, expect }
}

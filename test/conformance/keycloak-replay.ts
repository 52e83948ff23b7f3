/**
 * Sends every recorded request to the simulated Keycloak, in order, as whoever sent it then, and compares the answers as text.
 *
 * Everything has to be equal: status, headers, and the body to the letter, the order of keys included. Normalised are only: the
 * server's address, uuids (through a table that is learnt from the answers and has to stay one to one), tokens, sessions and instants.
 * Long bodies were cut by the recorder, which noted how long they were: the beginning and the length have to match.
 */
import { Effect } from "effect"
import { addGroup, addUser, type Realm, serve, type World } from "../../src/simulator/keycloak/index.js"
import { type Exchange, isRace, type Race, type Recording, recordings } from "./keycloak-recordings.js"

export interface Verdict {
  readonly recording: Recording
  /** Empty: it matches. */
  readonly differences: ReadonlyArray<string>
}

const recordedOrigin = "http://127.0.0.1:18081"
const uuids = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g
const nobody = "00000000-0000-0000-0000-000000000000"
/** Their items come in no order that could be told, so position says nothing of which uuid is which. */
const unordered: ReadonlySet<number> = new Set([267, 268, 269])
const cut = /\.\.\.cut by the recorder, (\d+) characters in all$/

/** Whose token a request carried. The recorder took the tokens out; who it was follows from what is asked and answered. */
const bearers: ReadonlyArray<readonly [who: string, ...numbers: ReadonlyArray<number>]> = [
  ["garbage", 14, 15, 280],
  ["operator", 29, 30, 31, 36, 38, 39, 40, 223, 224, 229, 232, 239, 240, 241, 242, 243, 244, 245, 246, 247, 248, 292],
  ["alice", 163, 164, 165, 166, 167, 168, 174, 279, 283, 284]
]
const bearerOf = (number: number): string => bearers.find(([, ...own]) => own.includes(number))?.[0] ?? "administrator"

/** Sees which tokens come, and who they are for. */
const whose = (number: number): string => {
  if ([1, 2, 3, 20].includes(number)) return "administrator"
  return number === 162 || number === 278 ? "alice" : "operator"
}

const only = (realm: Realm, ...roles: ReadonlyArray<string>): void => {
  for (const user of realm.users.values()) {
    if (!user.serviceAccount) continue
    user.roles.clear()
    for (const role of roles) user.roles.add(role)
  }
}

/** What the recording client did in between without recording it: it shows in the answers that follow. */
const between: Readonly<
  Record<number, (world: World, realm: Realm, learnt: (recorded: string, here: string) => void) => void>
> = {
  143: (_, realm) => {
    const users = [...realm.groups.values()].find(({ name }) => name === "user")
    for (const user of realm.users.values()) if (user.username.startsWith("bulk")) users?.members.add(user)
  },
  224: (world) => {
    const { now } = world
    world.now = () => now() + 4000
  },
  239: (_, realm) => only(realm, "manage-users"),
  241: (_, realm) => only(realm, "query-groups"),
  243: (_, realm) => only(realm, "query-users"),
  245: (_, realm) => only(realm, "view-realm"),
  247: (_, realm) => only(realm, "manage-users"),
  248: (_, realm) => only(realm, "query-groups"),
  257: (world, realm, learnt) => {
    const paging = addGroup(realm, "paging")
    learnt("789c8487-9a16-4fc1-80af-1156e15fd63e", paging.id)
    for (let index = 0; index < 112; index++) {
      paging.members.add(addUser(world, realm, { username: `p${String(index).padStart(3, "0")}` }))
    }
  },
  263: (_, realm) => {
    for (let index = 0; index < 112; index++) {
      addGroup(realm, "deep", { parent: addGroup(realm, `top${String(index).padStart(3, "0")}`) })
    }
  },
  270: (_, realm) => {
    const racer = [...realm.users.values()].find(({ username }) => username === "racer")
    for (const group of realm.groups.values())
      if (racer !== undefined && /^top/.test(group.name)) group.members.add(racer)
  },
  276: (_, realm) => {
    for (const user of realm.users.values()) if (user.username === "alice") user.enabled = true
  }
}

/** Where a text begins to differ from another. */
const around = (text: string, other: string): string => {
  const at = [...text].findIndex((character, index) => character !== other[index])
  return JSON.stringify(text.slice(Math.max(at - 60, 0), Math.max(at, 0) + 120))
}

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

export const replay = Effect.gen(function* () {
  const { url, world } = yield* serve()
  const known = { forth: new Map<string, string>(), back: new Map<string, string>() }
  let now = 0
  const tokens = new Map<string, { readonly access: string; readonly refresh: string }>()

  const translated = (text: string): string =>
    text.replaceAll(recordedOrigin, url).replace(uuids, (uuid) => known.forth.get(uuid) ?? uuid)

  const send = (
    request: { readonly method: string; readonly path: string; readonly query?: string | null },
    init: RequestInit
  ) =>
    Effect.promise(async (): Promise<Answer> => {
      const query = request.query === null || request.query === undefined ? "" : `?${request.query}`
      const response = await fetch(`${url}${translated(request.path)}${query}`, { method: request.method, ...init })
      return { status: response.status, headers: response.headers, text: await response.text() }
    })

  const headersOf = ({ number, exchange }: Recording): Record<string, string> => {
    if (isRace(exchange)) return { Authorization: `Bearer ${tokens.get("administrator")?.access}` }
    const scheme = exchange.request.headers.Authorization
    const type = exchange.request.headers["Content-Type"]
    const basic = `Basic ${Buffer.from("vdc-operator:test-client-secret").toString("base64")}`
    const bearer = bearerOf(number)
    return {
      ...(scheme === undefined
        ? {}
        : { Authorization: scheme.includes("Basic") ? basic : `Bearer ${tokens.get(bearer)?.access ?? bearer}` }),
      ...(type === undefined ? {} : { "Content-Type": type })
    }
  }

  /** Refresh tokens and the like stand in the body where the recorder took them out. */
  const bodyOf = ({ number }: Recording, body: string): string => {
    const who = number <= 3 ? "administrator" : number === 225 ? "operator" : "alice"
    const own = tokens.get(who)
    const token = body.includes("refresh_token=") ? own?.refresh : own?.access
    return translated(body.replace(/<JWT of \d+ characters>/, token ?? ""))
  }

  const learn = (recorded: string, here: string): void => {
    if (unordered.has(now)) return
    const given = here.match(uuids) ?? []
    for (const [index, uuid] of (recorded.match(uuids) ?? []).entries()) {
      const counterpart = given[index]
      if (counterpart === undefined || known.forth.has(uuid) || known.back.has(counterpart) || uuid === nobody) continue
      known.forth.set(uuid, counterpart)
      known.back.set(counterpart, uuid)
    }
  }

  const plain = (text: string): string =>
    text
      .replace(/<JWT of \d+ characters>|[\w-]{20,}\.[\w-]{20,}\.[\w-]{20,}/g, "<token>")
      .replace(/"session_state":"[^"]*"/, '"session_state":"<session>"')
      .replace(/"createdTimestamp":\d{13}/g, '"createdTimestamp":<instant>')

  const texts = (where: string, recorded: string, here: string): ReadonlyArray<string> => {
    learn(recorded, here)
    const whole = cut.exec(recorded)
    const seen =
      whole === null ? recorded : recorded.slice(0, recorded.lastIndexOf(",", recorded.length - whole[0].length))
    const expected = plain(translated(seen))
    const given = plain(whole === null ? here : here.slice(0, seen.length))
    return [
      ...(expected === given
        ? []
        : [`${where}: recorded ${around(expected, given)}, simulated ${around(given, expected)}`]),
      ...(whole === null || Number(whole[1]) === here.length
        ? []
        : [`${where}: recorded ${whole[1]} characters, simulated ${here.length}`])
    ]
  }

  const compare = ({ response }: Exchange, answer: Answer): ReadonlyArray<string> => [
    ...(response.status === answer.status ? [] : [`status: recorded ${response.status}, simulated ${answer.status}`]),
    ...texts("body", response.body, answer.text),
    ...Object.entries(response.headers)
      .filter(([name]) => !/^(content-length|transfer-encoding)$/i.test(name))
      .flatMap(([name, value]) => texts(name, value, answer.headers.get(name) ?? "absent")),
    ...["WWW-Authenticate", "Location", "Cache-Control", "Link", "ETag"]
      .filter((name) => answer.headers.has(name) && response.headers[name] === undefined)
      .map((name) => `${name}: recorded absent, simulated ${answer.headers.get(name)}`)
  ]

  const keepTokens = (number: number, text: string): void => {
    const found = /"access_token":"([^"]+)"/.exec(text)?.[1]
    if (found === undefined) return
    tokens.set(whose(number), { access: found, refresh: /"refresh_token":"([^"]+)"/.exec(text)?.[1] ?? "" })
  }

  const renew = Effect.map(
    send(
      { method: "POST", path: "/realms/opennebula/protocol/openid-connect/token" },
      {
        headers: { "Content-Type": "application/x-www-form-urlencoded" },
        body: "grant_type=client_credentials&client_id=vdc-operator&client_secret=test-client-secret"
      }
    ),
    ({ text }) => keepTokens(227, text)
  )

  const race = (recording: Recording, { request, responses }: Race) =>
    Effect.gen(function* () {
      const init: RequestInit = {
        headers: { ...headersOf(recording), "Content-Type": "application/json" },
        ...(request.body === null ? {} : { body: JSON.stringify(request.body) })
      }
      const answers = yield* Effect.all(
        responses.map(() => send(request, init)),
        { concurrency: "unbounded" }
      )
      const byStatus = (one: { readonly status: number }, other: { readonly status: number }) =>
        one.status - other.status
      const expected = responses.toSorted(byStatus)
      return answers.toSorted(byStatus).flatMap((answer, index) => {
        const { status = 0, body = "" } = expected[index] ?? {}
        return [
          ...(answer.status === status ? [] : [`status: recorded ${status}, simulated ${answer.status}`]),
          ...texts("body", body, answer.text),
          ...texts("Location", expected[index]?.location ?? "", answer.headers.get("Location") ?? "")
        ]
      })
    })

  return yield* Effect.forEach(recordings(), (recording) =>
    Effect.gen(function* () {
      const { number, exchange } = recording
      now = number
      const realm = world.realms.get("opennebula")
      if (realm !== undefined) between[number]?.(world, realm, learn)
      // The recording client asked for a new token, as its last one had expired on purpose.
      if (number === 227) yield* renew
      if (isRace(exchange)) return { recording, differences: yield* race(recording, exchange) } satisfies Verdict
      const { request } = exchange
      const answer = yield* send(request, {
        headers: headersOf(recording),
        ...(request.body === null ? {} : { body: bodyOf(recording, request.body) })
      })
      keepTokens(number, answer.text)
      return { recording, differences: compare(exchange, answer) } satisfies Verdict
    })
  )
})

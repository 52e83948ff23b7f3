/**
 * The one table from what the front-end answered to what we call it. Codes and messages as OpenNebula 7.4 gives them; the messages
 * that are recognised here are those of the recordings.
 */
import { Effect } from "effect"
import {
  ActionRefused,
  AllocationRefused,
  AuthenticationFailed,
  FrontEndNotReady,
  GroupsManagedByDriver,
  InternalRefusal,
  InvalidName,
  MisusedApi,
  NameTaken,
  NoSuchObject,
  NotAuthorized,
  ObjectLocked,
  type OpenNebulaError,
  OwnerMissing,
  QuotaExceeded,
  type RefusalFields,
  RefusedWithoutReason,
  UnsupportedFrontEnd
} from "../errors.js"
import { isLook } from "./looks.js"

type Refused = (fields: RefusalFields) => Effect.Effect<never, OpenNebulaError>

const misused =
  (code: number): Refused =>
  (fields) =>
    Effect.die(new MisusedApi({ ...fields, code }))

/** Error codes. `0x1000` (a bad filter flag, recording 226) is a bug of ours, so it dies. */
const byCode: ReadonlyMap<number, Refused> = new Map<number, Refused>([
  [0x0100, (fields) => new AuthenticationFailed(fields)],
  [0x0200, (fields) => new NotAuthorized(fields)],
  [0x0400, (fields) => new NoSuchObject(fields)],
  [0x0800, (fields) => new ActionRefused(fields)],
  [0x1000, misused(0x1000)],
  [0x2000, (fields) => new InternalRefusal(fields)],
  [0x4000, (fields) => new AllocationRefused(fields)],
  [0x8000, (fields) => new ObjectLocked(fields)]
])

/** Messages that say more than their code, under whatever code they come: the same refusal has several. First match counts. */
const byMessage: ReadonlyArray<readonly [RegExp, (fields: RefusalFields, found: RegExpExecArray) => OpenNebulaError]> =
  [
    [
      // OpenNebula writes the limit as C++ does a float: six digits, and from a million on (1 TB in MB) "1.04858e+06".
      /\b(group|user) \[(\d+)\] limit of (-?[\d.]+(?:e[+-]?\d+)?) reached for (\w+) quota in (.+?)\.?$/,
      (fields, [, holder, holderId, limit = "", metric = "", section = ""]) =>
        new QuotaExceeded({
          ...fields,
          holder: holder === "user" ? "user" : "group",
          holderId: Number(holderId),
          metric,
          limit: Number(limit),
          rounded: limit.includes("e"),
          section
        })
    ],
    // 0x0200 although nobody's rights are short: the object's user or group was deleted, so no quota can be asked (recording 463).
    [/^(?:User \[\d+\] : )?(?:User|Group) not found\.?$/, (fields) => new OwnerMissing(fields)],
    [
      /NAME is already taken by (\w+) (\d+)/,
      (fields, [, takenByKind = "", id]) => new NameTaken({ ...fields, takenByKind, takenById: Number(id) })
    ],
    [/Invalid NAME, (.+?)\.?$/, (fields, [, reason = ""]) => new InvalidName({ ...fields, reason })],
    // 0x0200 although nobody's rights are short: the administrator's own call on a locked VM (recording 146).
    [/^User \[\d+\] : [\w ]+ is locked\b/, (fields) => new ObjectLocked(fields)],
    // 0x0200 although it is missing: group.quota on an id without a group (recording 312). Lacking rights read differently.
    [/^User \[\d+\] not authorized to perform action on group\.$/, (fields) => new NoSuchObject(fields)],
    // Whoever lacks a right on a machine reads which one (recordings 145, 239).
    [
      /^User \[\d+\] not authorized to perform action on virtual machine\.$/,
      (fields) => new RefusedWithoutReason(fields)
    ],
    // A zone with several front-ends: no leader found, election, log replication; or the leader, to which a follower passes calls on, does not answer
    // it, which comes in the words of xmlrpc-c (OpenNebula 7.4 `RequestXRPC::execute`, `ClientXRPC::call`).
    [
      /^(?:Cannot process request, |RPC call timed out and aborted$|libcurl failed |HTTP response(?: code)? is \d)/,
      (fields) => new FrontEndNotReady(fields)
    ]
  ]

const managedByDriver = /^Groups cannot be manually managed for auth driver (\S+?)\.?$/

/** `[method] ` stands before the message, and the error has the method already. */
const withoutMethod = (message: string): string => message.replace(/^\[[\w.]+\] /, "")

/** `[false, message, code, id, -1]`. Fails with the error that fits, or dies with `MisusedApi`. */
export const refuse = (fields: RefusalFields, code: number): Effect.Effect<never, OpenNebulaError> => {
  const said = { ...fields, serverMessage: withoutMethod(fields.serverMessage) }
  // Under the code of a bad call as well.
  const [, driver] = managedByDriver.exec(said.serverMessage) ?? []
  if (driver !== undefined) return new GroupsManagedByDriver({ ...said, driver })
  // Both come before everything else: their messages may quote anything.
  if (code !== 0x0100 && code !== 0x1000) {
    for (const [pattern, make] of byMessage) {
      const found = pattern.exec(said.serverMessage)
      if (found !== null) return make(said, found)
    }
  }
  // What only looks has nothing of an order's in it: the front-end's database did not answer it ("Internal error": `PoolSharedAPI::dump`, 7.4).
  if (code === 0x2000 && isLook(fields.method)) return new FrontEndNotReady(said)
  return (byCode.get(code) ?? ((rest: RefusalFields) => new InternalRefusal(rest)))(said)
}

/** A fault: -506 says that there is no such method; all others (-500, -501, -503) that our request was wrong. */
export const refuseFault = (fields: RefusalFields, code: number): Effect.Effect<never, OpenNebulaError> =>
  code === -506 ? new UnsupportedFrontEnd(fields) : misused(code)(fields)

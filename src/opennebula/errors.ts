/**
 * What can go wrong with a call to OpenNebula, and what follows from it (`disposition`, see core/errors).
 *
 * Four families:
 * - the front-end refused: `AuthenticationFailed`, `NotAuthorized`, `OwnerMissing`, `QuotaExceeded`, `RefusedWithoutReason`, `NoSuchObject`,
 *   `ActionRefused`, `GroupsManagedByDriver`, `InternalRefusal`, `NameTaken`, `InvalidName`, `AllocationRefused`, `ObjectLocked`, `FrontEndNotReady`;
 * - it could not be talked to: `Unreachable`, `TimedOut`, `HttpFailure`;
 * - what answered is not the front-end that was meant: `WrongEndpoint`, `UnsupportedFrontEnd`, `MalformedAnswer`, `AnswerTooLarge`;
 * - the text to send cannot be sent: `UnsendableText`.
 *
 * Beside them stand the defects `MisusedApi` and `UnsendableNumber`: our own bugs, never typed errors.
 * `wire/refusal.ts` holds the table from error codes and messages to these classes, and `wire/redact.ts` keeps secrets out of them.
 */
import { Data } from "effect"
import { connectionAdvice, withAdvice } from "../connect/index.js"
import type { Verdict } from "../core/calls/breaker.js"
import type { Disposition } from "../core/errors.js"

/** What every error of a call carries. All texts are already free of secrets and control characters, and capped. */
export interface CallContext {
  /** `one.vm.action` */
  readonly method: string
  /** URL of the front-end, without credentials. */
  readonly endpoint: string
  /** The object that the answer, or else the call, names. */
  readonly objectId?: number | undefined
}

/** A refusal by the front-end: `[false, message, code, id, -1]`. */
export interface RefusalFields extends CallContext {
  /** The front-end's own words, without its `[method]` prefix. */
  readonly serverMessage: string
}

/** How it was asked. */
interface Way {
  /** Over `proxy`, which then may be what cannot be reached, or who answers. */
  readonly throughProxy?: boolean
}

/** Whether a call without an answer may have been carried out all the same. */
export type Outcome = "not-sent" | "unknown"

const describe = (call: Partial<CallContext>, what: string, detail: string): string => {
  const object = call.objectId === undefined ? "" : ` (object ${call.objectId})`
  return `${call.method ?? "A call"} on ${call.endpoint ?? "OpenNebula"}${object}: ${what}${detail === "" ? "" : `: ${detail}`}`
}

const afterwards = (outcome: Outcome): string =>
  outcome === "not-sent" ? "the call was not sent" : "the call may have been carried out"

/** 0x0100: wrong user or password. */
export class AuthenticationFailed extends Data.TaggedError("AuthenticationFailed")<RefusalFields> {
  readonly disposition = "stop-offering" as const
  override get message(): string {
    return `${describe(this, "0x0100 AUTHENTICATION", this.serverMessage)} Check the credentials in backend_settings.`
  }
}

/** 0x0200: the agent's user has no right to do this. */
export class NotAuthorized extends Data.TaggedError("NotAuthorized")<RefusalFields> {
  readonly disposition = "stop-offering" as const
  override get message(): string {
    return describe(this, "0x0200 AUTHORIZATION", this.serverMessage)
  }
}

/** 0x0200, on `resume` 0x0800: "group [100] limit of 8 reached for CPU quota in VM." */
export class QuotaExceeded extends Data.TaggedError("QuotaExceeded")<
  RefusalFields & {
    readonly holder: "group" | "user"
    readonly holderId: number
    /** `CPU`, `MEMORY`, `RUNNING_VMS`, `LEASES`, `SIZE`, ... */
    readonly metric: string
    /** As the message gives it: `MEMORY` and `SYSTEM_DISK_SIZE` in MB, `CPU` may be a fraction. */
    readonly limit: number
    /** The message gives six digits of it, and it has more. */
    readonly rounded?: boolean
    /** `VM`, `NETWORK with ID: 1`, ... */
    readonly section: string
  }
> {
  readonly disposition = "fail-order" as const
  get customerMessage(): string {
    // There is nothing to free: it is how a data centre is paused (docs/decisions/0008-paused-and-downscaled.md).
    if (this.metric === "RUNNING_VMS" && this.limit === 0) return nothingMayRun
    const unit = megabyteMetrics.has(this.metric) ? " MB" : ""
    const name = this.metric
      .toLowerCase()
      .replaceAll("_", " ")
      .replace("cpu", "CPU")
      .replace(/\bvms\b/, "VMs")
    const limit = `${this.rounded === true ? "about " : ""}${this.limit}${unit}`
    return this.holder === "user"
      ? `The quota for ${name} (${limit}) of the owner in the cloud is exhausted: ask the provider.`
      : `The quota for ${name} (${limit}) is exhausted: free some of it or have it raised, then order again.`
  }
  override get message(): string {
    return describe(this, "quota exceeded", this.serverMessage)
  }
}
export const nothingMayRun =
  "No machine may run there at present, as while a virtual data centre is paused: have it resumed, then order again."
const megabyteMetrics: ReadonlySet<string> = new Set(["MEMORY", "RUNNING_MEMORY", "SYSTEM_DISK_SIZE", "SIZE"])

/** 0x0200 "User not found.", "Group not found.": whose the object is was deleted, so OpenNebula can ask no quota for it. */
export class OwnerMissing extends Data.TaggedError("OwnerMissing")<RefusalFields> {
  readonly disposition = "fail-order" as const
  readonly customerMessage = "The owner of this in the cloud does not exist any more: ask the provider."
  override get message(): string {
    return describe(this, "its owner was deleted", this.serverMessage)
  }
}

/**
 * 0x0200 without a word of what right is missing: `one.vm.diskresize` says so of a quota of machines that is exhausted, and where the machine's owner was
 * deleted, as it puts the reason where nobody reads it (OpenNebula 7.4 `VirtualMachineAPI::disk_resize`, `Request::failure_message`).
 */
export class RefusedWithoutReason extends Data.TaggedError("RefusedWithoutReason")<RefusalFields> {
  readonly disposition = "fail-order" as const
  readonly customerMessage =
    "The cloud refused this operation, perhaps by a quota: order less, have the quota raised, or ask the provider."
  override get message(): string {
    return describe(this, "refused without a reason", this.serverMessage)
  }
}

/** 0x0400: no object with this id (`objectId`). Where that is expected, catch it by its tag. */
export class NoSuchObject extends Data.TaggedError("NoSuchObject")<RefusalFields> {
  readonly disposition = "fail-order" as const
  /** "Error getting group [100]." (recordings 281 to 303) */
  get customerMessage(): string {
    const [, kind] = /^Error getting ([a-z ]+) \[/i.exec(this.serverMessage) ?? []
    const what = kind === undefined ? "Something" : `A ${kind}`
    return `${what} that this order needs does not exist in the cloud (any more): order again, or ask the provider.`
  }
  override get message(): string {
    return describe(this, "0x0400 NO_EXISTS", this.serverMessage)
  }
}

/** 0x0800: not in this state, still in use, or not with these values. */
export class ActionRefused extends Data.TaggedError("ActionRefused")<RefusalFields> {
  readonly disposition = "fail-order" as const
  readonly customerMessage =
    "The cloud refused this operation in the resource's present state: try again later, or ask the provider."
  override get message(): string {
    return describe(this, "0x0800 ACTION", this.serverMessage)
  }
}

/**
 * 0x0800 and, of `one.user.chgrp`, 0x1000: who is in a group, only the directory behind the user's driver says. For `ldap` and `saml` OpenNebula has it so unless
 * `oned.conf` says otherwise (OpenNebula 7.4 `UserAPI::edit_group`, `UserAPI::chown`).
 */
export class GroupsManagedByDriver extends Data.TaggedError("GroupsManagedByDriver")<
  RefusalFields & { readonly driver: string }
> {
  readonly disposition = "fail-order" as const
  readonly customerMessage =
    "The account of a member is known to a directory that alone says in which groups it is: ask the provider."
  override get message(): string {
    const advice = `Set DRIVER_MANAGED_GROUPS = "NO" for ${this.driver} in oned.conf, or member_auth_driver: core.`
    return `${describe(this, "the driver manages groups", this.serverMessage)}. ${advice}`
  }
}

/** 0x2000: everything from a parse error to "already assigned". */
export class InternalRefusal extends Data.TaggedError("InternalRefusal")<RefusalFields> {
  readonly disposition = "fail-order" as const
  readonly customerMessage = "The cloud refused this operation: try again later, or ask the provider."
  override get message(): string {
    return describe(this, "0x2000 INTERNAL", this.serverMessage)
  }
}

/** "NAME is already taken by GROUP 100." (0x2000, 0x4000, or 0x0800 on a rename). */
export class NameTaken extends Data.TaggedError("NameTaken")<
  RefusalFields & {
    /** `GROUP`, `NET`, `USER`, `Vdc`, `SecurityGroup`, ... as the message spells it. */
    readonly takenByKind: string
    readonly takenById: number
  }
> {
  readonly disposition = "fail-order" as const
  readonly customerMessage = "The name is already taken: choose another name and order again."
  override get message(): string {
    return describe(this, "name taken", this.serverMessage)
  }
}

/** "Invalid NAME, char ':' is not allowed" (0x2000, 0x4000, or 0x0800 on a rename). */
export class InvalidName extends Data.TaggedError("InvalidName")<RefusalFields & { readonly reason: string }> {
  readonly disposition = "fail-order" as const
  get customerMessage(): string {
    return `The cloud does not accept this name (${this.reason}): choose another name and order again.`
  }
  override get message(): string {
    return describe(this, "invalid name", this.serverMessage)
  }
}

/** 0x4000: a VM, host or image could not be made from this template. */
export class AllocationRefused extends Data.TaggedError("AllocationRefused")<RefusalFields> {
  readonly disposition = "fail-order" as const
  readonly customerMessage = "The cloud could not make this resource with the values ordered: ask the provider."
  override get message(): string {
    return describe(this, "0x4000 ALLOCATE", this.serverMessage)
  }
}

/** 0x8000, or 0x0200 "VM is locked": somebody holds it for now. */
export class ObjectLocked extends Data.TaggedError("ObjectLocked")<RefusalFields> {
  readonly disposition = "retry" as const
  override get message(): string {
    return describe(this, "locked", this.serverMessage)
  }
}

/**
 * The front-end runs but takes no calls now (0x2000): its zone elects a leader, the leader does not answer the follower that was asked, or its
 * database does not answer a look. What was passed on to a leader may have been carried out.
 */
export class FrontEndNotReady extends Data.TaggedError("FrontEndNotReady")<RefusalFields> {
  readonly disposition = "retry" as const
  override get message(): string {
    return describe(this, "front-end not ready", this.serverMessage)
  }
}

/** Fault -506: the front-end does not know this method, so it is not a release that we can work with. */
export class UnsupportedFrontEnd extends Data.TaggedError("UnsupportedFrontEnd")<RefusalFields> {
  readonly disposition = "stop-offering" as const
  override get message(): string {
    return describe(this, "the front-end does not know this method", this.serverMessage)
  }
}

/** The connection could not be made, or broke before the answer was complete. */
export class Unreachable extends Data.TaggedError("Unreachable")<
  CallContext & Way & { readonly reason: string; readonly outcome: Outcome }
> {
  readonly disposition = "retry" as const
  override get message(): string {
    const isProxied = this.throughProxy === true
    const proxy = isProxied ? "proxy in backend_settings" : undefined
    const advice = connectionAdvice(this.reason, { url: "api_url", ca: "ca_file", proxy })
    const what = `unreachable${isProxied ? " through the proxy" : ""}, ${afterwards(this.outcome)}`
    return withAdvice(describe(this, what, this.reason), advice)
  }
}

/** No complete answer in time. */
export class TimedOut extends Data.TaggedError("TimedOut")<
  CallContext & { readonly seconds: number; readonly outcome: Outcome }
> {
  readonly disposition = "retry" as const
  override get message(): string {
    return describe(this, `no answer within ${this.seconds} s, ${afterwards(this.outcome)}`, "")
  }
}

/** An HTTP status that is no answer of the front-end: most often of a proxy before it. */
export class HttpFailure extends Data.TaggedError("HttpFailure")<CallContext & Way & { readonly status: number }> {
  readonly outcome = "unknown" as const
  /** 5xx, 408 and 429 pass by themselves; 401, 403, 407 and the rest are a fault of the configuration. */
  get disposition(): Exclude<Disposition, "fail-order"> {
    return this.status >= 500 || this.status === 408 || this.status === 429 ? "retry" : "stop-offering"
  }
  override get message(): string {
    const said = describe(this, `HTTP status ${this.status}`, "")
    if (this.throughProxy !== true) return said
    return this.status === 407
      ? `${said}: the proxy wants a user and a password, or others. Write them into proxy in backend_settings: http://user:password@host:port.`
      : `${said}, the proxy's or the front-end's. Check proxy in backend_settings too.`
  }
}

/** HTTP 404, 405 or a redirect: XML-RPC is not served at this URL. Redirects are not followed, as they would carry the session along. */
export class WrongEndpoint extends Data.TaggedError("WrongEndpoint")<
  CallContext & { readonly status: number; readonly hint: string }
> {
  readonly disposition = "stop-offering" as const
  override get message(): string {
    return describe(this, `HTTP status ${this.status}, no XML-RPC is served here`, this.hint)
  }
}

/**
 * The answer is cut off, not XML, or not what the call promises. Those who decode values give only the `reason`; the client adds
 * method and endpoint.
 */
export class MalformedAnswer extends Data.TaggedError("MalformedAnswer")<
  Partial<CallContext> & { readonly reason: string }
> {
  readonly disposition = "retry" as const
  readonly outcome = "unknown" as const
  override get message(): string {
    return describe(this, "malformed answer", this.reason)
  }
}

/** The answer is longer than this client reads. */
export class AnswerTooLarge extends Data.TaggedError("AnswerTooLarge")<CallContext & { readonly limitBytes: number }> {
  readonly disposition = "stop-offering" as const
  readonly outcome = "unknown" as const
  override get message(): string {
    return describe(this, `the answer is longer than ${Math.round(this.limitBytes / 1e6)} MB`, "")
  }
}

/** A text with control characters or half a surrogate pair: XML cannot carry it, and the front-end would answer fault -503. */
export class UnsendableText extends Data.TaggedError("UnsendableText")<
  CallContext & {
    /** Position among the parameters, the session not counted; -1: the method's name or the session itself. */
    readonly parameter: number
    /** `U+0001` */
    readonly character: string
  }
> {
  readonly disposition = "fail-order" as const
  readonly customerMessage =
    "A text in this order contains characters that cannot be stored: remove control characters."
  override get message(): string {
    return describe(this, `parameter ${this.parameter} holds ${this.character}, which XML cannot carry`, "")
  }
}

export type OpenNebulaError =
  | AuthenticationFailed
  | NotAuthorized
  | OwnerMissing
  | QuotaExceeded
  | RefusedWithoutReason
  | NoSuchObject
  | ActionRefused
  | GroupsManagedByDriver
  | InternalRefusal
  | NameTaken
  | InvalidName
  | AllocationRefused
  | ObjectLocked
  | FrontEndNotReady
  | UnsupportedFrontEnd
  | Unreachable
  | TimedOut
  | HttpFailure
  | WrongEndpoint
  | MalformedAnswer
  | AnswerTooLarge
  | UnsendableText

/** What an error says of the front-end, for its breaker. Garbage may be a proxy's, or one object's that cannot be read: no verdict. */
export const verdictOf = (error: OpenNebulaError): Verdict => {
  switch (error._tag) {
    case "Unreachable":
    case "TimedOut":
      return "away"
    case "HttpFailure":
      return error.status >= 500 ? "away" : "answers"
    case "MalformedAnswer":
    case "UnsendableText":
      return "unclear"
    default:
      return "answers"
  }
}

/** Defect: 0x1000, or a fault that says that our request was wrong (-500, -501, -503 and kin). A bug of ours, so no disposition. */
export class MisusedApi extends Data.TaggedError("MisusedApi")<RefusalFields & { readonly code: number }> {
  override get message(): string {
    return describe(this, `the front-end did not understand the call (${this.code})`, this.serverMessage)
  }
}

/** Defect: NaN, a fraction, or more than 32 bits. What OpenNebula takes beyond that, it takes as strings. */
export class UnsendableNumber extends Data.TaggedError("UnsendableNumber")<
  CallContext & { readonly parameter: number; readonly value: string }
> {
  override get message(): string {
    return describe(this, `parameter ${this.parameter} is ${this.value}, which is no 32-bit integer`, "")
  }
}

import { readFileSync } from "node:fs"
import { describe, expect, it } from "@effect/vitest"
import { Cause, Effect, Exit } from "effect"
import { isSiteError } from "../../core/errors.js"
import { makeRedactor } from "./redact.js"
import { refuse, refuseFault } from "./refusal.js"

const fields = { method: "one.vm.resize", endpoint: "http://front-end:2633/RPC2" }

const refused = (code: number, serverMessage: string) => Effect.flip(refuse({ ...fields, serverMessage }, code))
const defectOf = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.map(Effect.exit(effect), (exit) => (Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined))

/** `seq method case code name id message`, of every refused call. */
const recorded = readFileSync(new URL("../../../test/fixtures/opennebula/errors.tsv", import.meta.url), "utf8")
  .split("\n")
  .slice(1)
  .map((line) => line.split("\t"))
  .filter(([, , , code]) => code?.startsWith("0x") === true)
  .map(([sequence = "", , , code = "", , , message = ""]) => ({ sequence, code: Number(code), message }))

const tagOfCode = new Map([
  [0x0100, ["AuthenticationFailed"]],
  [0x0200, ["NotAuthorized", "OwnerMissing", "QuotaExceeded", "ObjectLocked", "NoSuchObject"]],
  [0x0400, ["NoSuchObject"]],
  [0x0800, ["ActionRefused", "QuotaExceeded", "NameTaken", "InvalidName"]],
  [0x2000, ["InternalRefusal", "NameTaken", "InvalidName"]],
  [0x4000, ["AllocationRefused", "NameTaken", "InvalidName"]]
])

describe("a refusal by the front-end", () => {
  it.live.each(recorded.filter(({ code }) => code !== 0x1000))(
    "as in recording $sequence: $message",
    ({ code, message }) =>
      Effect.gen(function* () {
        const error = yield* refused(code, message)
        expect(isSiteError(error)).toBe(true)
        expect(tagOfCode.get(code)).toContain(error._tag)
        if (/ limit of \d+ reached for /.test(message)) expect(error._tag).toBe("QuotaExceeded")
        if (message.includes("already taken by")) expect(error._tag).toBe("NameTaken")
        if (message.includes("Invalid NAME")) expect(error._tag).toBe("InvalidName")
        if (error.disposition === "fail-order") expect(error.customerMessage).toMatch(/^[A-Z].*\.$/)
      })
  )

  it.effect.each([
    [0x0200, "User [2] : group [100] limit of 8 reached for CPU quota in VM.", "group", 100, 8, "CPU", "VM"],
    [0x0800, "group [100] limit of 1 reached for RUNNING_VMS quota in VM", "group", 100, 1, "RUNNING_VMS", "VM"],
    [0x0200, "User [2] : user [2] limit of 2.5 reached for CPU quota in VM.", "user", 2, 2.5, "CPU", "VM"],
    [
      0x0200,
      "User [0] : group [100] limit of 3 reached for LEASES quota in NETWORK with ID: 1.",
      "group",
      100,
      3,
      "LEASES",
      "NETWORK with ID: 1"
    ],
    // A limit goes through C++'s stream of a float: six digits, and from a million on in exponents (Quota::check_quota).
    [
      0x0200,
      "User [0] : group [100] limit of 1.04858e+06 reached for MEMORY quota in VM.",
      "group",
      100,
      1048580,
      "MEMORY",
      "VM"
    ],
    [
      0x0200,
      "User [0] : group [100] limit of 1e+06 reached for SYSTEM_DISK_SIZE quota in VM.",
      "group",
      100,
      1_000_000,
      "SYSTEM_DISK_SIZE",
      "VM"
    ]
  ] as const)(
    "0x%i %s says whose quota of what is used up",
    ([code, message, holder, holderId, limit, metric, section]) =>
      Effect.gen(function* () {
        const error = yield* refused(code, `[one.vm.resize] ${message}`)
        expect(error).toMatchObject({ _tag: "QuotaExceeded", holder, holderId, limit, metric, section })
        expect(error.disposition).toBe("fail-order")
      })
  )

  it.effect("of quota tells the customer the metric and the limit with its unit", () =>
    Effect.gen(function* () {
      const user = yield* refused(0x0200, "User [2] : user [2] limit of 2.5 reached for CPU quota in VM.")
      expect(user).toMatchObject({
        customerMessage: "The quota for CPU (2.5) of the owner in the cloud is exhausted: ask the provider."
      })
      const memory = yield* refused(0x0200, "User [2] : group [100] limit of 16384 reached for MEMORY quota in VM.")
      expect(memory).toMatchObject({ customerMessage: expect.stringContaining("memory (16384 MB)") })
      const vms = yield* refused(0x0800, "group [100] limit of 1 reached for RUNNING_VMS quota in VM")
      expect(vms).toMatchObject({ customerMessage: expect.stringContaining("running VMs (1)") })
      const rounded = yield* refused(0x0200, "group [100] limit of 1.04858e+06 reached for MEMORY quota in VM.")
      expect(rounded).toMatchObject({ customerMessage: expect.stringContaining("memory (about 1048580 MB)") })
    })
  )

  it.effect("of a name says what is wrong with it", () =>
    Effect.gen(function* () {
      expect(yield* refused(0x2000, "[one.group.allocate] NAME is already taken by GROUP 100.")).toMatchObject({
        _tag: "NameTaken",
        takenByKind: "GROUP",
        takenById: 100
      })
      expect(
        yield* refused(0x4000, "Error allocating a new image. Invalid NAME, char '<' is not allowed")
      ).toMatchObject({
        _tag: "InvalidName",
        reason: "char '<' is not allowed"
      })
    })
  )

  it.effect("stops the offering only where credentials or rights are at fault", () =>
    Effect.gen(function* () {
      expect((yield* refused(0x0100, "[one.vm.info] User couldn't be authenticated, aborting call.")).disposition).toBe(
        "stop-offering"
      )
      expect(
        (yield* refused(0x0200, "[one.vm.info] User [2] : Not authorized to perform USE VM [1].")).disposition
      ).toBe("stop-offering")
      // Missing, not forbidden (recording 312).
      expect(
        (yield* refused(0x0200, "[one.group.quota] User [0] not authorized to perform action on group."))._tag
      ).toBe("NoSuchObject")
    })
  )

  it.effect.each(["User [0] : User not found.", "User [0] : Group not found.", "Group not found"])(
    "is the order's own where the object's owner was deleted: %s",
    (message) =>
      Effect.gen(function* () {
        const error = yield* refused(0x0200, message)
        expect(error).toMatchObject({ _tag: "OwnerMissing", disposition: "fail-order" })
      })
  )

  it.effect("is the order's own where it gives no reason, as to a disk that a quota does not allow", () =>
    Effect.gen(function* () {
      const message = "[one.vm.diskresize] User [0] not authorized to perform action on virtual machine."
      expect(yield* refused(0x0200, message)).toMatchObject({
        _tag: "RefusedWithoutReason",
        disposition: "fail-order",
        customerMessage: expect.stringContaining("quota")
      })
    })
  )

  it.effect.each([0x0800, 0x1000])("is no bug of ours where a driver manages the groups of its users: 0x%i", (code) =>
    Effect.gen(function* () {
      const message = "[one.user.chgrp] Groups cannot be manually managed for auth driver ldap"
      const error = yield* refused(code, message)
      expect(error).toMatchObject({ _tag: "GroupsManagedByDriver", driver: "ldap", disposition: "fail-order" })
      expect(error.message).toContain('DRIVER_MANAGED_GROUPS = "NO" for ldap in oned.conf')
    })
  )

  it.effect("is tried again while the object is locked or the zone has no leader", () =>
    Effect.gen(function* () {
      expect(yield* refused(0x8000, "whatever")).toMatchObject({ _tag: "ObjectLocked", disposition: "retry" })
      expect(yield* refused(0x0200, "[one.vm.action] User [0] : VM is locked. [1].")).toMatchObject({
        _tag: "ObjectLocked"
      })
      expect(yield* refused(0x2000, "Cannot process request, no leader found")).toMatchObject({ disposition: "retry" })
    })
  )

  it.effect.each([
    "RPC call timed out and aborted",
    "libcurl failed to execute the HTTP POST transaction, explaining:  Failed to connect to 10.0.0.2 port 2633: Connection refused",
    "HTTP response code is 503, not 200"
  ])("is tried again where a follower could not pass the call on to its leader: %s", (said) =>
    Effect.gen(function* () {
      expect(yield* refused(0x2000, `[one.template.instantiate] ${said}`)).toMatchObject({
        _tag: "FrontEndNotReady",
        disposition: "retry"
      })
    })
  )

  it.effect("is tried again where the front-end's database did not answer a look", () =>
    Effect.gen(function* () {
      const serverMessage = "[one.vmpool.infoset] Internal error"
      const error = yield* Effect.flip(refuse({ ...fields, method: "one.vmpool.infoset", serverMessage }, 0x2000))
      expect(error).toMatchObject({ _tag: "FrontEndNotReady", disposition: "retry" })
      expect(yield* refused(0x2000, "[one.vm.resize] Internal error")).toMatchObject({ _tag: "InternalRefusal" })
    })
  )

  it.effect("with a code nobody knows is still a refusal", () =>
    Effect.gen(function* () {
      expect((yield* refused(0x10000, "new"))._tag).toBe("InternalRefusal")
    })
  )

  it.effect("of our own misuse is a defect, not an error of the order", () =>
    Effect.gen(function* () {
      const said = { ...fields, serverMessage: "Incorrect filter_flag" }
      for (const defect of [
        yield* defectOf(refuse(said, 0x1000)),
        yield* defectOf(refuseFault(said, -500)),
        yield* defectOf(refuseFault(said, -501)),
        yield* defectOf(refuseFault(said, -503))
      ]) {
        expect(defect).toMatchObject({ _tag: "MisusedApi" })
        expect(isSiteError(defect)).toBe(false)
      }
      expect(yield* Effect.flip(refuseFault(said, -506))).toMatchObject({
        _tag: "UnsupportedFrontEnd",
        disposition: "stop-offering"
      })
    })
  )

  it.effect("tells operators the method, front-end, object and code", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(refuse({ ...fields, objectId: 7, serverMessage: "[one.vm.resize] No." }, 0x0800))
      expect(error.message).toBe("one.vm.resize on http://front-end:2633/RPC2 (object 7): 0x0800 ACTION: No.")
    })
  )
})

describe("what a front-end says", () => {
  const session = 'oneadmin:pa&ss<"word'
  const redact = makeRedactor(session)

  it("never shows the session or its password, however it is written", () => {
    for (const echoed of [
      session,
      'pa&ss<"word',
      'oneadmin:pa&amp;ss&lt;"word',
      "oneadmin%3Apa%26ss%3C%22word",
      'pa&ss<\\"word'
    ]) {
      const said = redact(`token at '${echoed}</string>': invalid`)
      expect(said).toBe("token at '<redacted></string>': invalid")
    }
  })

  it("does not show a part of the session where the text is cut", () => {
    for (let before = 470; before < 510; before++)
      expect(redact(`${"x".repeat(before)}${session} more`)).not.toContain("pa&")
  })

  it("loses control characters, which could forge lines of a log or hide a secret's spelling", () => {
    expect(redact("one\r\n2026-01-01 ERROR\u001b[31m\u0000 two\u2028three")).toBe(
      "one 2026-01-01 ERROR [31m  two three"
    )
  })

  it("is cut to a length that a log line bears", () => {
    expect(redact("x".repeat(100_000)).length).toBeLessThan(600)
  })

  it("is left as it is when the password is too short to be looked for", () => {
    expect(makeRedactor("a:b")("a bad b, but a:b")).toBe("a bad b, but <redacted>")
  })
})

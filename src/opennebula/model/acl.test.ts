import { describe, expect, it } from "@effect/vitest"
import { Effect, FastCheck as fc } from "effect"
import { decode } from "../../../test/support/openNebulaDecoding.js"
import { recording } from "../../../test/support/openNebulaRecordings.js"
import {
  AclRule,
  type AclRuleSpec,
  type AclTarget,
  aclAll,
  aclCluster,
  aclGroup,
  aclId,
  decodeAclRule,
  encodeAclRule,
  sameAclRule
} from "./acl.js"
import { poolOf } from "./element.js"

const rules = (number: string) => decode(poolOf("ACL", AclRule), recording(number).response)

/** As the front-end itself writes a rule in STRING, written here from its documentation. */
const targetText = (target: AclTarget): string =>
  target._tag === "All" ? "*" : `${{ Id: "#", Group: "@", Cluster: "%" }[target._tag]}${target.id}`
const ruleText = ({ user, resources, target, rights, zone }: AclRuleSpec): string =>
  `${targetText(user)} ${resources.join("+")}/${targetText(target)} ${rights.join("+")} ${targetText(zone)}`

describe("access rules", () => {
  it.effect.each(["016", "037", "068", "210", "460", "484"])(
    "of recording %s mean what the front-end says they mean",
    (number) =>
      Effect.gen(function* () {
        const found = yield* rules(number)
        expect(found.length).toBeGreaterThan(5)
        for (const { rule, text } of found) expect(ruleText(rule)).toBe(text)
      })
  )

  it.effect("are written as they were read", () =>
    Effect.gen(function* () {
      for (const { rule } of yield* rules("068")) {
        const [user, resource, rights, zone] = encodeAclRule(rule)
        expect(decodeAclRule({ user, resource, rights, zone })).toEqual(rule)
      }
    })
  )

  it("of clusters and networks are told apart: what isolation takes back is exactly the cluster's networks", () => {
    const spec: AclRuleSpec = {
      user: aclGroup(100),
      resources: ["NET"],
      target: aclCluster(0),
      rights: ["USE"],
      zone: aclId(0)
    }
    expect(encodeAclRule(spec)).toEqual(["0x200000064", "0x4800000000", "0x1", "0x100000000"])
    expect(sameAclRule(spec, { ...spec, target: aclAll })).toBe(false)
    expect(sameAclRule(spec, { ...spec, target: aclId(0) })).toBe(false)
    expect(sameAclRule({ ...spec, resources: ["VM", "NET"] }, { ...spec, resources: ["NET", "VM"] })).toBe(true)
  })

  it("keep ids of up to 32 bits", () =>
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0x7fff_ffff }), (id) => {
        const [user, resource, rights, zone] = encodeAclRule({
          user: aclGroup(id),
          resources: ["VM"],
          target: aclId(id),
          rights: ["USE", "ADMIN"],
          zone: aclAll
        })
        expect(decodeAclRule({ user, resource, rights, zone })).toMatchObject({ user: aclGroup(id), target: aclId(id) })
      })
    ))

  it("that are none are not read as one", () => {
    const fine = { user: "200000064", resource: "1400000000", rights: "1", zone: "400000000" }
    expect(decodeAclRule(fine)).toBeDefined()
    expect(decodeAclRule({ ...fine, user: "zz" })).toBeUndefined()
    expect(decodeAclRule({ ...fine, user: "64" })).toBeUndefined()
    expect(decodeAclRule({ ...fine, zone: "" })).toBeUndefined()
  })
})

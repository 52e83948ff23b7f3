/** Every answer that two generations of real servers gave to the calls that we make can be read. */
import { readdirSync, readFileSync } from "node:fs"
import { describe, expect, it } from "@effect/vitest"
import { Either, Option, Schema } from "effect"
import { decodeQuickly } from "../../core/lean/quickly.js"
import {
  Offering,
  Order,
  orderFields,
  Plan,
  ProviderResource,
  planFields,
  resourceFields,
  TeamMember,
  User
} from "./index.js"

const Recording = Schema.parseJson(
  Schema.Struct({
    request: Schema.Struct({ method: Schema.String, path: Schema.String, query: Schema.Unknown }),
    response: Schema.Struct({ status: Schema.Number, json: Schema.Unknown })
  })
)

const recordings = (generation: string) => {
  const folder = new URL(`../../../test/fixtures/${generation}/`, import.meta.url)
  return readdirSync(folder).map((name) => ({
    name,
    ...Schema.decodeUnknownSync(Recording)(readFileSync(new URL(name, folder), "utf8"))
  }))
}

type Decoder = (json: unknown) => unknown
/** As answers are read, which has to be what Schema itself makes of them. */
const reading = <A, I>(schema: Schema.Schema<A, I>): Decoder => {
  const [quickly, slowly] = [decodeQuickly(schema), Schema.decodeUnknownSync(schema)]
  return (json) => {
    const read = Either.getOrThrow(quickly(json))
    expect(read).toEqual(slowly(json))
    return read
  }
}
const decoders: ReadonlyArray<readonly [RegExp, Decoder]> = [
  [/^\/api\/marketplace-orders\/[0-9a-f]{32}\/$/, reading(Order)],
  [/^\/api\/marketplace-orders\/$/, reading(Schema.Array(Order))],
  [/^\/api\/marketplace-provider-resources\/[0-9a-f]{32}\/$/, reading(ProviderResource)],
  [/^\/api\/marketplace-provider-resources\/$/, reading(Schema.Array(ProviderResource))],
  [/^\/api\/marketplace-provider-resources\/[0-9a-f]{32}\/team\/$/, reading(Schema.Array(TeamMember))],
  [/^\/api\/marketplace-provider-offerings\/[0-9a-f]{32}\/$/, reading(Offering)],
  [/^\/api\/marketplace-public-offerings\/[0-9a-f]{32}\/plans\/$/, reading(Schema.Array(Plan))],
  [/^\/api\/users\/me\/$/, reading(User)]
]

describe.each(["waldur-2024", "waldur-current"])("recordings of %s", (generation) => {
  const readable = recordings(generation).flatMap((recording) => {
    const decode = decoders.find(([path]) => path.test(recording.request.path))?.[1]
    const isRead = recording.request.method === "GET" && recording.response.status === 200
    return decode !== undefined && isRead ? [{ ...recording, decode }] : []
  })

  it("are there in numbers", () => expect(readable.length).toBeGreaterThan(40))

  it.each(readable)("$name is read, and no word in it is unknown", ({ decode, response }) => {
    const text = JSON.stringify(decode(response.json))
    expect(text).not.toContain("unknown:")
  })

  // Of lists and of single objects only these are asked for (`field=`).
  it.each([
    ["marketplace-orders", Order, orderFields],
    ["marketplace-provider-resources", ProviderResource, resourceFields],
    ["marketplace-public-offerings", Plan, planFields]
  ] as const)("of %s the fields that are asked for are all that are read", (path, schema, names) => {
    const wanted = new Set<string>(names)
    const decode = Schema.decodeUnknownSync(Schema.Struct(schema.fields))
    const items = readable
      .filter(({ request }) => request.path.startsWith(`/api/${path}/`) && !request.path.endsWith("/team/"))
      .flatMap(({ response }) => response.json)
    expect(items.length).toBeGreaterThan(0)
    for (const item of items) {
      const few = Object.fromEntries(Object.entries(Object(item)).filter(([name]) => wanted.has(name)))
      expect(decode(few)).toEqual(decode(item))
    }
  })

  const find = <A, I>(name: string, schema: Schema.Schema<A, I>): A => {
    const recording = recordings(generation).find((candidate) => candidate.name.includes(name))
    return Schema.decodeUnknownSync(schema)(recording?.response.json)
  }

  it("a plan switch names the new plan and the old one, and has no limits", () => {
    const order = find("order-detail-switch-pending-provider", Order)
    expect(order).toMatchObject({ type: "Update", state: "pending-provider", limits: {}, attributes: {} })
    expect(Option.isSome(order.planUuid) && Option.isSome(order.oldPlanUuid)).toBe(true)
    expect(order.planUuid).not.toEqual(order.oldPlanUuid)
  })

  it("an executing create has its limits, its project, and the scope only on the older server", () => {
    const order = find("054-order-detail-executing", Order)
    expect(order).toMatchObject({
      type: "Create",
      state: "executing",
      limits: { cpu: 4, ram: 4096, storage: 20480, floating_ip: 1 },
      resourceName: "vdc-alice",
      projectName: "Protein Structure Prediction",
      backendId: Option.none()
    })
    expect(Option.isSome(order.resourceUuid)).toBe(true)
    expect(Option.isSome(order.scopeUuid)).toBe(generation === "waldur-2024")
  })

  it("a terminate has no plan", () => {
    const order = find("order-detail-terminate", Order)
    expect(order).toMatchObject({ type: "Terminate", planUuid: Option.none(), attributes: { force: true } })
  })

  it("a finished resource has its backend id", () => {
    expect(find("082-provider-resource-detail-ok", ProviderResource)).toMatchObject({
      state: "OK",
      backendId: Option.some("105"),
      backendMetadata: { vdc_id: 105 },
      paused: false
    })
  })

  it("an offering has its components, billed as they are, one to one where there is no factor", () => {
    const offering = find("008-provider-offering-vm", Offering)
    expect(offering.state).toBe("Active")
    expect(
      offering.components.map(({ type, accountingType, unitFactor }) => [type, accountingType, unitFactor])
    ).toEqual(expect.arrayContaining([["cpu", "fixed", 1]]))
    expect(offering.plans.find(({ name }) => name === "Medium")?.quotas).toEqual({ cpu: 1, ram: 1024, storage: 5120 })
  })
})

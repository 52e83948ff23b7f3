/**
 * The world as it was when the recording began, read off the recordings: who there was, with which roles, and the two offerings with
 * their components and plans. Projects, offerings and plans get the recorded uuids, since requests name them before any answer
 * does; all other uuids are the simulator's own.
 */
import type { AccountingType, Marketplace, NewOffering } from "../../src/simulator/waldur/index.js"
import { isRecord, type Recording, type Value } from "./waldur-recordings.js"

const textAt = (value: Value | undefined, name: string): string => {
  const found = isRecord(value) ? value[name] : undefined
  if (typeof found !== "string") throw new Error(`the recordings have no ${name} where one was expected`)
  return found
}

const listAt = (value: Value | undefined, name: string): ReadonlyArray<Value> => {
  const found = isRecord(value) ? value[name] : undefined
  return Array.isArray(found) ? found : []
}

const numbersAt = (value: Value, name: string): { readonly [type: string]: number } => {
  const found = isRecord(value) ? value[name] : undefined
  if (!isRecord(found)) return {}
  return Object.fromEntries(Object.entries(found).map(([type, amount]) => [type, Number(amount)]))
}

const accountingTypes: ReadonlyArray<AccountingType> = ["limit", "fixed", "usage", "one"]

const offeringFrom = (view: Value): Omit<NewOffering, "customer"> => ({
  name: textAt(view, "name"),
  uuid: textAt(view, "uuid"),
  type: textAt(view, "type"),
  components: listAt(view, "components").map((component) => ({
    type: textAt(component, "type"),
    name: textAt(component, "name"),
    measuredUnit: textAt(component, "measured_unit"),
    accountingType: accountingTypes.find((one) => one === textAt(component, "billing_type")) ?? "usage"
  })),
  plans: listAt(view, "plans").map((plan) => ({
    name: textAt(plan, "name"),
    uuid: textAt(plan, "uuid"),
    quotas: numbersAt(plan, "quotas"),
    prices: numbersAt(plan, "prices")
  }))
})

const bodyOf = (recordings: ReadonlyArray<Recording>, name: string): Value => {
  const found = recordings.find((recording) => recording.name === name)?.response.json
  if (found === undefined || found === null) throw new Error(`the recordings have no answer called ${name}`)
  return found
}

/** Role in the recordings -> `Authorization` header, undefined for none. */
export const worldOf = (
  recordings: ReadonlyArray<Recording>,
  marketplace: Marketplace
): ReadonlyMap<string, string | undefined> => {
  const agentView = bodyOf(recordings, "users-me-agent")
  const someOrder = bodyOf(recordings, "create-vdc-as-project-admin")
  const provider = marketplace.addCustomer({ name: textAt(someOrder, "provider_name") })
  const customer = marketplace.addCustomer({ name: textAt(someOrder, "customer_name") })
  const project = marketplace.addProject({
    customer,
    name: textAt(someOrder, "project_name"),
    uuid: textAt(someOrder, "project_uuid")
  })
  const offerings = ["provider-offering-vdc", "provider-offering-vm"].map((name) =>
    marketplace.addOffering({ customer: provider, ...offeringFrom(bodyOf(recordings, name)) })
  )

  const staff = marketplace.addUser({ username: "staff", fullName: "Stan Staff", staff: true })
  const agent = marketplace.addUser({
    username: "site-agent",
    fullName: "Site Agent",
    token: textAt(agentView, "token")
  })
  marketplace.addCustomerRole(agent, provider, "CUSTOMER.OWNER")
  const manager = marketplace.addUser({ username: "om", fullName: "Offering Manager" })
  for (const offering of offerings) {
    marketplace.addOfferingManager(agent, offering)
    marketplace.addOfferingManager(manager, offering)
  }
  const owner = marketplace.addUser({ username: "owner", fullName: "Olga Owner" })
  marketplace.addCustomerRole(owner, customer, "CUSTOMER.OWNER")
  const alice = marketplace.addUser({ username: "alice", fullName: "Alice Admin" })
  marketplace.addProjectRole(alice, project, "PROJECT.ADMIN")
  const bob = marketplace.addUser({ username: "bob", fullName: "Bob Member" })
  marketplace.addProjectRole(bob, project, "PROJECT.MEMBER")
  const pi = marketplace.addUser({ username: "pi", fullName: "Paul Investigator" })
  marketplace.addProjectRole(pi, project, "PROJECT.MANAGER")
  const outsider = marketplace.addUser({ username: "outsider", fullName: "Otto Outsider" })

  const token = (user: { readonly token: string }) => `Token ${user.token}`
  return new Map<string, string | undefined>([
    ["anonymous", undefined],
    ["badtoken", `Token ${"0".repeat(40)}`],
    ["emptytoken", "Token "],
    ["staff", token(staff)],
    ["agent", token(agent)],
    ["agent(UA waldur-site-agent)", token(agent)],
    ["agent_om", token(manager)],
    ["owner", token(owner)],
    ["alice", token(alice)],
    ["bob", token(bob)],
    ["pi", token(pi)],
    ["outsider", token(outsider)]
  ])
}

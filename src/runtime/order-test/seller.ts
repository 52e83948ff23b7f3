/** The least that a simulated Waldur needs for an order: who sells, who buys, what, and the agent's user. */
import type * as Waldur from "../../simulator/waldur/index.js"

/** A provider with one offering that the agent serves, and a customer with a project. */
export const sell = (marketplace: Waldur.Marketplace, offering: Omit<Waldur.NewOffering, "customer">) => {
  const provider = marketplace.addCustomer({ name: "Provider" })
  const sold = marketplace.addOffering({ ...offering, customer: provider })
  const agent = marketplace.addUser({ username: "agent" })
  marketplace.addCustomerRole(agent, provider, "CUSTOMER.OWNER")
  marketplace.addOfferingManager(agent, sold)
  const organisation = marketplace.addCustomer({ name: "Customer" })
  const project = marketplace.addProject({ customer: organisation, name: "order-test" })
  const owner = marketplace.addUser({ username: "customer" })
  marketplace.addCustomerRole(owner, organisation, "CUSTOMER.OWNER")
  return { agent, owner, project, sold }
}

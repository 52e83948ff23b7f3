/** Keycloak in a rehearsal: what is read is real, what would be changed is only told, and is there for what comes after it. */
import { Effect, Option } from "effect"
import type { PlannedCall } from "../core/calls/rehearsal.js"
import type { KeycloakGroup, KeycloakService } from "./calls.js"
import { KeycloakConflict } from "./errors.js"

type Tell = (call: PlannedCall) => Effect.Effect<void>

/** In angle brackets: it would only be made. */
const isImagined = (id: string): boolean => id.startsWith("<")

export const rehearsed = (real: KeycloakService, tell: Tell): KeycloakService => {
  const imagined = new Map<string, KeycloakGroup>()
  const removed = new Set<string>()
  const told = (call: string, about: string) => tell({ system: "keycloak", call, about })
  const below = (parent: string | undefined) => [...imagined.values()].filter(({ parentId }) => parentId === parent)
  const group = (name: string) =>
    Effect.suspend(() => {
      const made = below(undefined).find((one) => one.name === name)
      return made === undefined
        ? Effect.map(
            real.group(name),
            Option.filter(({ id }) => !removed.has(id))
          )
        : Effect.succeedSome(made)
    })
  const children = (parent: string) =>
    isImagined(parent)
      ? Effect.sync(() => below(parent))
      : Effect.map(real.children(parent), (found) => [...found, ...below(parent)])
  return {
    endpoint: real.endpoint,
    ping: real.ping,
    user: real.user,
    group,
    children,
    members: (id) => (isImagined(id) ? Effect.succeed([]) : real.members(id)),
    createGroup: (name, attributes, parent) =>
      Effect.gen(function* () {
        const siblings = parent === undefined ? Option.toArray(yield* group(name)) : yield* children(parent)
        if (siblings.some((one) => one.name === name)) return yield* new KeycloakConflict({ call: "create a group" })
        const id = `<group ${imagined.size + 1}>`
        imagined.set(id, { id, name, attributes, ...(parent === undefined ? {} : { parentId: parent }) })
        yield* told("create group", parent === undefined ? name : `${name} in ${parent}`)
        return id
      }),
    setAttributes: ({ name }) => told("change group", name),
    deleteGroup: (id) =>
      Effect.suspend(() => {
        removed.add(id)
        imagined.delete(id)
        return told("delete group", id)
      }),
    join: (user, groupId) => told("add member", `${user} to ${groupId}`),
    leave: (user, groupId) => told("remove member", `${user} from ${groupId}`)
  }
}

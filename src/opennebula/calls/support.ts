/** What all calls share: a template made into text, answers that are an id, ownership and permissions. */
import { Effect } from "effect"
import type { OpenNebulaClient } from "../client.js"
import type { OpenNebulaError } from "../errors.js"
import { serialize, type TemplateUnencodable } from "../template/serialize.js"
import type { Template } from "../template/template.js"
import type { Answer, Param } from "../wire/answer.js"

/** What a call without a template can fail with. */
export type Call<A> = Effect.Effect<A, OpenNebulaError>
/** What a call with a template can fail with: also with a value in it that OpenNebula cannot carry. */
export type TemplateCall<A> = Effect.Effect<A, OpenNebulaError | TemplateUnencodable>

/** The id of the object that was made or changed. */
export const id: Answer<number> = { _tag: "Integer", decode: Effect.succeed }
export const plainText: Answer<string> = { _tag: "Text", decode: Effect.succeed }

/** A call whose answer says no more than that it went well. */
export const command = (client: OpenNebulaClient, method: string, params: ReadonlyArray<Param>): Call<void> =>
  Effect.asVoid(client.call(method, params, id))

/** Makes the text first: nothing is sent if it cannot be made. */
export const withTemplate = <A, E>(
  template: Template,
  call: (text: string) => Effect.Effect<A, E>
): Effect.Effect<A, E | TemplateUnencodable> => Effect.flatMap(serialize(template), call)

const updateModes = { replace: 0, append: 1 } as const

/**
 * The two ways of `one.*.update`. `append` replaces attributes of the same name and keeps all others; `replace` throws
 * all others away, and with them the owner tag.
 */
export const updates = (client: OpenNebulaClient, method: string) => ({
  append: (objectId: number, template: Template): TemplateCall<void> =>
    withTemplate(template, (text) => command(client, method, [objectId, text, updateModes.append])),
  replace: (objectId: number, template: Template): TemplateCall<void> =>
    withTemplate(template, (text) => command(client, method, [objectId, text, updateModes.replace]))
})

/** The new owner; what is left out stays as it is. */
export interface NewOwner {
  readonly uid?: number
  readonly gid?: number
}
const unchanged = -1

export const chown =
  (client: OpenNebulaClient, method: string) =>
  (objectId: number, owner: NewOwner): Call<void> =>
    command(client, method, [objectId, owner.uid ?? unchanged, owner.gid ?? unchanged])

export interface RightChanges {
  readonly use?: boolean
  readonly manage?: boolean
  readonly admin?: boolean
}
/** Rights to give (true) or take (false); what is left out stays as it is. */
export interface PermissionChanges {
  readonly owner?: RightChanges
  readonly group?: RightChanges
  readonly other?: RightChanges
}
const bit = (change: boolean | undefined): number => (change === undefined ? unchanged : change ? 1 : 0)

export const chmod =
  (client: OpenNebulaClient, method: string) =>
  (objectId: number, changes: PermissionChanges): Call<void> =>
    command(client, method, [
      objectId,
      ...[changes.owner, changes.group, changes.other].flatMap((who) => [
        bit(who?.use),
        bit(who?.manage),
        bit(who?.admin)
      ])
    ])

/** A whole pool, whoever owns what (-2), without paging (-1, -1). */
export const everything = [-2, -1, -1] as const

/** What a resource is made of in the backend, for a picture of it. */
export interface ResourcePart {
  /** `group`, `vdc`, `cluster`, `network`, `subnet`, `router`, `vm`, `security group`, `user`. */
  readonly kind: string
  /** The backend's id; of a kind that has none, what tells it from its like. */
  readonly id: string
  /** Empty: it has none. */
  readonly name: string
  /** The backend's own word; empty: the kind has no states. */
  readonly state: string
  /** `undefined`: the kind is neither well nor ill. */
  readonly healthy?: boolean
  /** "10.4.0.0/24, gateway 10.4.0.1"; may be empty. Never a secret. */
  readonly detail: string
  /** What it belongs to, as `partKey` says it; absent: to the resource itself. */
  readonly parent?: string
}

export const partKey = ({ id, kind }: Pick<ResourcePart, "kind" | "id">): string => `${kind} ${id}`

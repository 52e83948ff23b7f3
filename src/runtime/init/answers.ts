/** What has to be known before a configuration file can be written. */
import type { Redacted } from "effect"

/** A secret, and how the file refers to it. */
export type Secret =
  | { readonly _tag: "Environment"; readonly name: string; readonly value: Redacted.Redacted }
  | { readonly _tag: "File"; readonly path: string; readonly value: Redacted.Redacted }
  /** Typed in: it stands in the file itself. */
  | { readonly _tag: "Typed"; readonly value: Redacted.Redacted }

/** Something of OpenNebula's. */
export interface Named {
  readonly id: number
  readonly name: string
}

export type Kind = "opennebula-vdc" | "opennebula-vm"
export const kinds: ReadonlyArray<Kind> = ["opennebula-vdc", "opennebula-vm"]

interface OfOffering {
  readonly uuid: string
  readonly name: string
  /** In words, as Waldur has them: "cpu (limit, cores)". */
  readonly components: ReadonlyArray<string>
}

export type OfferingAnswers = OfOffering &
  (
    | {
        readonly kind: "opennebula-vdc"
        /** Both or neither: without them data centres have no network. */
        readonly network: { readonly external: Named; readonly routerTemplate: Named } | undefined
      }
    | { readonly kind: "opennebula-vm"; readonly template: Named }
  )

export interface Answers {
  readonly waldur: { readonly apiUrl: string; readonly token: Secret; readonly caFile: string | undefined }
  readonly openNebula: {
    readonly apiUrl: string
    readonly credentials: Secret
    readonly caFile: string | undefined
    readonly zone: Named
    /** None: all of the zone. */
    readonly clusters: ReadonlyArray<Named>
  }
  /** At least one. */
  readonly offerings: ReadonlyArray<OfferingAnswers>
  readonly dataDir: string
}

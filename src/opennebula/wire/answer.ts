/**
 * How the value of a successful answer is read: `[true, value, 0]` (OpenNebula 7.4, every method).
 *
 * The wire knows four shapes. A call says which one it expects, and the decoder does it in one streaming pass.
 */
import type { Effect } from "effect"
import type { MalformedAnswer } from "../errors.js"

/** One element of an XML document: numbers are text, one child or many have the same shape, CDATA and text are joined. */
export interface XmlElement {
  readonly name: string
  readonly text: string
  readonly children: ReadonlyArray<XmlElement>
}

/**
 * What is read of an element: the children by their names, and of each what is read of it in turn. `true`: all that is in it. What nobody reads is
 * parsed, so that a broken document is refused, and not built.
 */
export interface Reads {
  readonly [name: string]: Reads | true
}

/** What the items of a pool become. */
export interface Gathering<A> {
  /** One item after the other. */
  readonly add: (item: XmlElement) => Effect.Effect<void, MalformedAnswer>
  readonly result: () => A
}

export type Answer<A> =
  /** An integer: the id of the object that was made or changed. */
  | { readonly _tag: "Integer"; readonly decode: (value: number) => Effect.Effect<A, MalformedAnswer> }
  /** A plain string, as `one.system.version` gives it. */
  | { readonly _tag: "Text"; readonly decode: (value: string) => Effect.Effect<A, MalformedAnswer> }
  /** One XML document, escaped inside a `<string>`. */
  | { readonly _tag: "Document"; readonly decode: (root: XmlElement) => Effect.Effect<A, MalformedAnswer> }
  /** A pool: each item is decoded as soon as it is complete, and its tree is let go. */
  | {
      readonly _tag: "Pool"
      /** The names of the root's children that make it up. */
      readonly items: ReadonlyArray<string>
      /** What is read of an item; all of it unless said. */
      readonly reads?: Reads | true
      /** One for each answer that is read. */
      readonly gather: () => Gathering<A>
    }

/** A parameter as the wire takes it. A number must be a 32-bit integer: what 64-bit values there are, OpenNebula wants as strings. */
export type Param = string | number | boolean | ReadonlyArray<number>

/** The two modules of the `xmlrpc` package (1.3) that its own types leave out. */
declare module "xmlrpc/lib/serializer.js" {
  export function serializeMethodCall(method: string, params: ReadonlyArray<unknown>, encoding?: string): string
}

declare module "xmlrpc/lib/customtype.js" {
  interface ValueNode {
    ele(tagName: string): { txt(text: string): unknown }
  }
  /** A value that writes its own element: `<tagName>raw</tagName>`. */
  export default class CustomType {
    constructor(raw: string)
    tagName: string
    raw: string
    serialize(node: ValueNode): unknown
  }
}

/** The module of the `xmlrpc` package (1.3) that its own types leave out. */
declare module "xmlrpc/lib/deserializer.js" {
  import type { Readable } from "node:stream"

  interface XmlRpcFault extends Error {
    readonly faultCode?: unknown
    readonly faultString?: string
  }

  export default class Deserializer {
    deserializeMethodResponse(
      stream: Readable,
      done: (error: XmlRpcFault | null | undefined, value: unknown) => void
    ): void
    deserializeMethodCall(
      stream: Readable,
      done: (error: Error | null | undefined, method: string, params: ReadonlyArray<unknown>) => void
    ): void
  }
}

/**
 * The way to a server, whichever it is: `tunnel.ts` goes through a proxy by CONNECT, `throughProxy.ts` is the same under undici, and `connection.ts` says
 * what can be done about a connection that does not come about.
 */
export * from "./connection.js"
export * from "./throughProxy.js"
export * from "./tunnel.js"

/** What the Abyss HTTP server around the front-end answers by itself: paths, methods, lengths (recordings 532, 537 to 540). */

const page = (status: number, reason: string): string =>
  `<HTML><HEAD><TITLE>Error ${status}</TITLE></HEAD><BODY><H1>Error ${status}</H1><P>${reason}</P><p><HR><b><i>` +
  '<a href="http://xmlrpc-c.sourceforge.net">ABYSS Web Server for XML-RPC For C/C++</a></i></b> version 1.33.14<br></p></BODY></HTML>'

export interface Refused {
  readonly status: number
  readonly contentType: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const refused = (status: number, reason: string): Refused => ({
  status,
  contentType: "text/html",
  headers: {},
  body: page(status, reason)
})

export interface RequestHead {
  readonly method: string
  /** With query, which is ignored. */
  readonly url: string
  readonly contentLength: string | undefined
}

/** Why a request never reaches XML-RPC, or undefined when it does. */
export const refuseRequest = ({ contentLength, method, url }: RequestHead): Refused | undefined => {
  const path = url.split("?")[0] ?? ""
  if (path !== "/RPC2")
    return refused(
      404,
      `This XML-RPC For C/C++ Abyss XML-RPC server responds to only one URI path.  I don't know what URI path that is, but it's not the one you requested: '${path}'.  (Typically, it's '/RPC2')`
    )
  if (method === "OPTIONS") return { status: 200, contentType: "text/html", headers: { Allow: "POST" }, body: "" }
  if (method !== "POST") return refused(405, "POST is the only HTTP method this server understands")
  if (contentLength === undefined)
    return refused(411, "You must send a content-length HTTP header in the HTTP request header")
  if (Number(contentLength) === 0)
    return refused(400, "According to your content-length HTTP header, your request is empty (zero length)")
  return undefined
}

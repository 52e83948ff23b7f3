// Loaded with `node --import` before the agent: a firewall between this process and some ports of this machine. WALLS names a file with these ports, a line
// each, which is looked at every 100 ms. What connects hears nothing. What is connected is reset, or after `34431 silent` hears nothing any more, for ever:
// as by a firewall that has lost what it knew of connections.
import { readFileSync } from "node:fs"
import { Socket } from "node:net"

const connected = new Map()
let walls = new Map()

const look = () => {
  const lines = readFileSync(process.env.WALLS, "utf8").split("\n").filter(Boolean)
  walls = new Map(lines.map((line) => line.split(" ")).map(([port, how]) => [Number(port), how ?? "reset"]))
  for (const [socket, port] of connected) {
    const how = walls.get(port)
    if (how === "reset") socket.destroy(Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }))
    if (how === "silent") {
      socket.cork()
      socket.pause()
    }
  }
}

const { connect } = Socket.prototype
Socket.prototype.connect = function (...words) {
  const [first] = Array.isArray(words[0]) ? words[0] : words
  const port = Number(typeof first === "object" ? first.port : first)
  connected.set(this, port)
  this.once("close", () => connected.delete(this))
  return walls.has(port) ? this : connect.apply(this, words)
}

look()
setInterval(look, 100).unref()

// Loaded with `node --import` before the agent: a firewall between this process and some ports of this machine. WALLS names a file with these ports, which is
// looked at every 100 ms. What is connected is reset, what connects hears nothing.
import { readFileSync } from "node:fs"
import { Socket } from "node:net"

const connected = new Map()
let walls = new Set()

const look = () => {
  walls = new Set(readFileSync(process.env.WALLS, "utf8").split("\n").filter(Boolean).map(Number))
  for (const [socket, port] of connected) {
    if (walls.has(port)) socket.destroy(Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }))
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

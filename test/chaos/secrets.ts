/** Every secret of a run, and whether a text holds one. */
export class Secrets {
  readonly cloudPassword = "s3cr3t-of-the-cloud"
  readonly agentToken = "a9e27000000000000000000000000000000000a1"
  private readonly known: Array<string> = [this.cloudPassword, this.agentToken]

  /** Passwords that the agent sends for tenants' users: seen on the wire. */
  learn(method: string, body: string): void {
    if (method !== "one.user.allocate" && method !== "one.user.passwd") return
    const strings = [...body.matchAll(/<string>([^<]*)<\/string>/g)].map(([, text]) => text ?? "")
    const secret = strings.at(method === "one.user.allocate" ? 2 : 1)
    if (secret !== undefined && secret.length >= 8 && !this.known.includes(secret)) this.known.push(secret)
  }

  in(text: string): string | undefined {
    return this.known.find((secret) => text.includes(secret))
  }
}

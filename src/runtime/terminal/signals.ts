/**
 * Signals beside the first one that ends the agent.
 *
 * Those that come while the agent ends already. The first one begins the end; Node would end the process on the spot at the second, as by kill -9,
 * and with it the calls on the wire that are seen to their end (docs/decisions/0049-what-was-sent-may-still-come.md). Who presses Ctrl-C under
 * npx sends two at once.
 */
const ends = ["SIGTERM", "SIGINT"] as const

/** What of all commands' options has a value beside it. */
const valued = ["--log-level", "--completions"]

/** The options that every command has. They stand before it; `--help` may stand anywhere. */
export const ofEveryCommand = [...valued, "--wizard", "--version", "--help", "-h"]

/** These words with `--log-level` before the command, wherever it stands. */
export const levelFirst = (words: ReadonlyArray<string>): ReadonlyArray<string> => {
  const at = words.findIndex((word) => word === "--log-level" || word.startsWith("--log-level="))
  const end = words.indexOf("--")
  if (at < 0 || (end >= 0 && end < at)) return words
  const inWord = words[at] !== "--log-level"
  // Without a value it must not take the command for one.
  const level = inWord ? words[at] : `--log-level=${words[at + 1] ?? ""}`
  return [level ?? "", ...words.slice(0, at), ...words.slice(at + (inWord ? 1 : 2))]
}

/** These words (without `node` and its file) from the command on: the options that every command has may stand before it. */
export const fromCommand = (words: ReadonlyArray<string>): ReadonlyArray<string> => {
  const [first, ...rest] = words
  return first?.startsWith("-") === true ? fromCommand(valued.includes(first) ? rest.slice(1) : rest) : words
}

/**
 * Whether these words, from the command on, are of one that goes on until somebody ends it, which is no failure then. All others are
 * to be done: a `journal backup` that was broken off has made none, and whoever carries its file away has to hear of it.
 */
export const goesOn = ([command = "", ...words]: ReadonlyArray<string>): boolean =>
  ["run", "simulate", "top"].includes(command) ||
  (command === "demo" && words.includes("--ui")) ||
  (command === "logs" && words.some((word) => word === "--follow" || word === "-f"))

/** To be called right before whoever ends at the first one begins to listen. */
export const heedFurtherSignals = (): void => {
  let count = 0
  const heard = (): void => {
    count += 1
    if (count !== 2) return
    process.stderr.write(
      "It ends already, when the calls that are on their way have their answers: a minute at most. SIGQUIT (Ctrl-\\) ends it at once.\n"
    )
  }
  for (const signal of ends) process.on(signal, heard)
}

/**
 * At SIGUSR1 Node would open a port on which every user of the machine may run code in the agent's name, and at SIGUSR2 end it. Whoever sends them has
 * another program in mind, which opens its log anew or says how it is.
 */
const others = ["SIGUSR1", "SIGUSR2"] as const

export const heedOtherSignals = (): void => {
  // There are none on Windows.
  if (process.platform === "win32") return
  for (const signal of others)
    process.on(signal, () => {
      process.stderr.write(
        `${signal} means nothing here: the agent goes on. SIGHUP has the levels of the log read anew, SIGTERM ends it.\n`
      )
    })
}

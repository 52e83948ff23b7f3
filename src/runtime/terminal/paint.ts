/** Colours, where somebody sees them: on a terminal, unless NO_COLOR is set (https://no-color.org) or TERM is dumb. */
export const coloured = (
  stream: { readonly isTTY?: boolean } = process.stdout,
  environment: Readonly<Record<string, string | undefined>> = process.env
): boolean => stream.isTTY === true && (environment.NO_COLOR ?? "") === "" && environment.TERM !== "dumb"

const codes: Readonly<Record<string, number>> = {
  DEBUG: 34,
  INFO: 32,
  WARN: 33,
  ERROR: 31,
  FATAL: 31,
  executing: 36,
  waiting: 33,
  waits: 33,
  undoing: 33,
  quarantined: 31,
  erred: 31,
  done: 32,
  ok: 32,
  down: 31
}

/** A word in the colour of what it means. */
export const painted = (word: string, colours: boolean = coloured()): string => {
  const code = codes[word]
  return colours && code !== undefined ? `\u001b[${code}m${word}\u001b[0m` : word
}

/** Midnight in a time zone. */

const partsIn = (
  timezone: string,
  at: number
): { readonly hour: number; readonly minute: number; readonly second: number } => {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone: timezone,
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23"
  }).formatToParts(at)
  const of = (type: string) => Number(parts.find((part) => part.type === type)?.value ?? 0)
  return { hour: of("hour"), minute: of("minute"), second: of("second") }
}

/** When today began there; ms since 1970. On the two days a year on which clocks are changed it may be an hour off. */
export const midnight = (timezone: string, now: number): number => {
  const { hour, minute, second } = partsIn(timezone, now)
  return now - (now % 1000) - ((hour * 60 + minute) * 60 + second) * 1000
}

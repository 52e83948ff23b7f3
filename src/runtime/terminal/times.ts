/** Times for people: UTC to the second, and durations in two units at most. */

/** "2026-11-23 04:49:26" */
export const when = (at: number): string => new Date(at).toISOString().slice(0, 19).replace("T", " ")

/** "12 ms", "1.4 s", "3 min 5 s", "2 h 4 min", "5 d 3 h" */
export const span = (millis: number): string => {
  if (millis < 1_000) return `${Math.max(0, Math.round(millis))} ms`
  if (millis < 60_000) return `${(millis / 1_000).toFixed(1)} s`
  const units = [
    [86_400_000, "d", 3_600_000, "h"],
    [3_600_000, "h", 60_000, "min"],
    [60_000, "min", 1_000, "s"]
  ] as const
  const [large, largeName, small, smallName] = units.find(([size]) => millis >= size) ?? units[2]
  const rest = Math.floor((millis % large) / small)
  return `${Math.floor(millis / large)} ${largeName}${rest === 0 ? "" : ` ${rest} ${smallName}`}`
}

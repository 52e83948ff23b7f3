/** How figures and times are written. */

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

/** A stretch of time in its two largest units at most: "840 ms", "4.2 s", "3 min 20 s", "5 h 12 min", "2 d 4 h". */
export const span = (milliseconds: number): string => {
  const exact = Math.max(0, milliseconds)
  if (exact < second) return `${Math.round(exact)} ms`
  if (exact < 9.95 * second) return `${(exact / second).toFixed(1).replace(".0", "")} s`
  const ms = Math.round(exact / second) * second
  if (ms < minute) return `${ms / second} s`
  const two = (large: number, largeName: string, small: number, smallName: string) => {
    const whole = Math.floor(ms / large)
    const rest = Math.floor((ms - whole * large) / small)
    return rest === 0 || whole >= 20 ? `${whole} ${largeName}` : `${whole} ${largeName} ${rest} ${smallName}`
  }
  if (ms < hour) return two(minute, "min", second, "s")
  if (ms < day) return two(hour, "h", minute, "min")
  return two(day, "d", hour, "h")
}

/** Coarser, for what is read at a glance: "12 s", "3 min", "5 h", "2 d". */
export const age = (milliseconds: number): string => {
  const ms = Math.max(0, milliseconds)
  if (ms < minute) return `${Math.floor(ms / second)} s`
  if (ms < hour) return `${Math.floor(ms / minute)} min`
  if (ms < day) return `${Math.floor(ms / hour)} h`
  return `${Math.floor(ms / day)} d`
}

const two = (value: number) => String(value).padStart(2, "0")

export const clockTime = (at: number): string => {
  const date = new Date(at)
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

export const dateOf = (at: number): string => {
  const date = new Date(at)
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

/** The time of day; with its date when that is another day than `now`'s. */
export const timeOf = (at: number, now: number): string =>
  dateOf(at) === dateOf(now) ? clockTime(at) : `${dateOf(at)} ${clockTime(at)}`

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 2 })
export const number = (value: number): string => (Number.isFinite(value) ? grouped.format(value) : "no limit")

export const percent = (share: number): string =>
  `${share === 0 ? 0 : share < 0.1 ? (share * 100).toFixed(1) : Math.round(share * 100)} %`

/** "1 order", "2 orders" */
export const count = (amount: number, one: string, many = `${one}s`): string =>
  `${number(amount)} ${amount === 1 ? one : many}`

/** Enough of a uuid to know it by. The whole one is in the title and the link. */
export const short = (uuid: string): string => uuid.slice(0, 8)

/** A value from the journal, as text. */
export const plain = (value: unknown): string =>
  value === undefined || value === null ? "" : typeof value === "string" ? value : JSON.stringify(value)

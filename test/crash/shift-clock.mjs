// Loaded with `node --import` before the agent: shifts the time of day by an hour, forward on SIGUSR2, back on SIGHUP; from the beginning on by
// CLOCK_SHIFT, in ms. The clock that nobody sets (performance.now, process.hrtime, timers) goes on as it does on a real machine.
const hour = 3_600_000
const RealDate = Date
let shift = Number(process.env.CLOCK_SHIFT ?? 0)

class ShiftedDate extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(RealDate.now() + shift)
    else super(...parts)
  }
  static now() {
    return RealDate.now() + shift
  }
}
globalThis.Date = ShiftedDate

const move = (by) => () => {
  shift += by
  process.stdout.write(`clock shifted by ${by / hour} h\n`)
}
process.on("SIGUSR2", move(hour))
process.on("SIGHUP", move(-hour))

/** The broker's sense of time, so that a replay of a recording need not wait for it. */
export interface Timers {
  /** Runs `task` once after so many ms; gives how to call it off. */
  readonly after: (ms: number, task: () => void) => () => void
}

export const realTimers: Timers = {
  after: (ms, task) => {
    const timer = setTimeout(task, ms)
    return () => clearTimeout(timer)
  }
}

/** Again and again, the first time after `first` ms; gives how to end it. */
export const repeatedly = (timers: Timers, first: number, interval: number, task: () => void): (() => void) => {
  let cancel = () => {}
  const again = (ms: number): void => {
    cancel = timers.after(ms, () => {
      again(interval)
      task()
    })
  }
  again(first)
  return () => cancel()
}

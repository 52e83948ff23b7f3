/** A time that is given once, and is over until somebody ends it. */
export interface Term {
  /** If it has not begun already. */
  readonly begin: () => void
  /** Over or not. */
  readonly isBegun: () => boolean
  readonly isOver: () => boolean
  readonly end: () => void
}

/** `millis`: by Node's own timers, as what counts by it is no effect. It keeps no process from ending. */
export const makeTerm = (millis: number, over: () => void): Term => {
  let state: "none" | "begun" | "over" = "none"
  let timer: NodeJS.Timeout | undefined
  return {
    begin: () => {
      if (state !== "none") return
      state = "begun"
      timer = setTimeout(() => {
        state = "over"
        over()
      }, millis).unref()
    },
    isBegun: () => state !== "none",
    isOver: () => state === "over",
    end: () => {
      clearTimeout(timer)
      state = "none"
    }
  }
}

/** How long the simulated front-end, scheduler and drivers take, in milliseconds. */
export interface Times {
  /** From PENDING to the choice of a host. A stock scheduler takes up to 15,000. */
  readonly schedule: number
  /** From the answer to a resume until the life cycle manager has its turn: nothing, unless much is going on. */
  readonly queue: number
  /** ACTIVE without a state yet. */
  readonly dispatch: number
  readonly prolog: number
  readonly boot: number
  readonly shutdown: number
  readonly epilog: number
  readonly save: number
  readonly restore: number
  readonly liveResize: number
  readonly diskResize: number
  readonly hotplug: number
  readonly migrate: number
  readonly cleanup: number
  readonly networkReady: number
  readonly networkDelete: number
  readonly imageReady: number
}

/** About as fast as the front-end with dummy drivers that was recorded. */
export const labTimes: Times = {
  schedule: 20,
  queue: 0,
  dispatch: 15,
  prolog: 20,
  boot: 40,
  shutdown: 30,
  epilog: 40,
  save: 20,
  restore: 20,
  liveResize: 10,
  diskResize: 40,
  hotplug: 20,
  migrate: 20,
  cleanup: 20,
  networkReady: 20,
  networkDelete: 15,
  imageReady: 20
}

/** `bootTime` is the time from a host's choice to RUNNING, split over PROLOG and BOOT. */
export const timesFrom = (options: Partial<Times> & { readonly bootTime?: number | undefined }): Times => {
  const { bootTime, ...given } = options
  const boot =
    bootTime === undefined
      ? {}
      : { dispatch: 0, prolog: Math.floor(bootTime / 3), boot: bootTime - Math.floor(bootTime / 3) }
  return { ...labTimes, ...boot, ...given }
}

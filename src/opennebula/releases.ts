/** Which releases of OpenNebula have all that is called here. */

/** Lowest major release that has all that the plugins call. */
export const lowestRelease = 6
export const testedRelease = "7.4"

/** `version`: as `one.system.version` gives it, "7.4.0". */
export const isSupportedRelease = (version: string): boolean => Number.parseInt(version, 10) >= lowestRelease

/**
 * A browser that runs under the locale C or POSIX, on a screen on a wall say, calls its language "en-US@posix". That is no language tag, and uPlot
 * (1.6.32) asks `Intl` for it as soon as it is loaded: nothing of the page would be shown. To be imported before all else.
 */
const isTag = (language: string): boolean => {
  try {
    return Intl.getCanonicalLocales(language).length > 0
  } catch {
    return false
  }
}

if (!isTag(navigator.language)) Object.defineProperty(navigator, "language", { value: "en" })

export {}

/**
 * After each test the worker's event loop gets a turn. A file of a thousand tests without any I/O of their own would keep it for a minute on
 * a slow machine, and the runner, whose answers nobody reads, would call that an error of the whole run.
 */
import { afterEach } from "vitest"

afterEach(
  () =>
    new Promise<void>((resolve) => {
      setImmediate(resolve)
    })
)

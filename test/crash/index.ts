/**
 * Real processes, real HTTP, a real database file, and kill -9: nothing is lost and nothing is made twice.
 *
 * `npm run crash` (`main.ts`) is the matrix. A dry run of each operation records the calls that the agent makes for it; then each call is
 * a row with three cells: the agent is killed before the call is carried out, after it and before the answer is read, and after the
 * journal has what came of it. It is started again on the same data directory, has to finish the order, and everything on both sides has
 * to be as after the dry run; then the customer ends all there is, and nothing may be left. `--twice` kills the second agent too.
 *
 * How the parts fit: `site.ts` is a world of its own for each trial, `process.ts` the agent in it, `tap.ts` every call on its way, `calls.ts` which
 * of them are the order's, `strike.ts` when to kill. `picture.ts`, `watch.ts` and `journal.ts` look at what came of it; `trial.ts` puts these
 * together, `matrix.ts` runs and prints the cells, `operations.ts` says what is ordered. The tests beside them: the matrix in short
 * (`crash.test.ts`), SIGTERM under load (`stop.long.ts`), events in hand (`events.long.ts`), from an event to the order's start
 * (`event-to-start.long.ts`), the database at its worst (`database.long.ts`), and a clock that jumps (`clock.long.ts`). Begin with `trial.ts`.
 */
export { type CellName, type MatrixOptions, runMatrix } from "./matrix.js"
export { type Operation, type OperationName, operationNames, operations } from "./operations.js"
export { type Trial, trial, type Violation } from "./trial.js"

/**
 * `site-actors check`: what would go wrong, before an order does.
 *
 * `report.ts` puts it together: rows for the file (`fileAccepted`, `fileRefused`) and its database (`database.ts`), then each offering's
 * (`offering.ts`), whose Waldur side and backend side are looked at together, each with a time-out. `components.ts`
 * compares the file's components with Waldur's and says what is written back as limits. `table.ts` prints rows,
 * `row.ts` has their shape and the exit status.
 */
export { checkOffering, type OfferingAccess } from "./offering.js"
export { checkAll, fileRefused } from "./report.js"
export { asJson, type CheckRow, exitCode } from "./row.js"
export { renderTable } from "./table.js"

/**
 * What an operator asks for between orders, at the command line, on both sides at once: orphans removed (`orphans.ts`), the Python agent's
 * resources taken over (`migrate.ts`); and what the agent offers for import (`import.ts`).
 *
 * The commands work beside a running agent: for each resource they take its lease, so that whoever worked on it before stops, and they
 * leave alone what an open order owns.
 */
export { watchImports } from "./import.js"
export { type MigrationRow, migrate, planMigration } from "./migrate.js"
export { findOrphans, isDoubtful, type Orphan, removeOrphan } from "./orphans.js"
export { connectSites, type Site } from "./sites.js"

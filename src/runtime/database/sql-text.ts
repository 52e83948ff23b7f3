/** A statement that makes something in a database: SQLite's, translated for PostgreSQL where that is needed; or each in its own words. */
export type SqlText = string | { readonly sqlite?: string; readonly postgres?: string }

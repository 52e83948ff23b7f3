/** What `site-actors check` finds: rows of a table, and whether all is well. */
import type { CheckResult } from "../../core/backend.js"

export interface CheckRow {
  /** The file, or an offering's name. */
  readonly about: string
  /** What was looked at: "Waldur", "component ram", "template 7". */
  readonly subject: string
  readonly status: CheckResult["status"]
  readonly detail: string
}

export type Finding = Omit<CheckRow, "about">

export const ok = (subject: string, detail: string): Finding => ({ subject, status: "ok", detail })
export const warning = (subject: string, detail: string): Finding => ({ subject, status: "warning", detail })
export const failed = (subject: string, detail: string): Finding => ({ subject, status: "failed", detail })

export const about = (name: string, findings: ReadonlyArray<Finding>): ReadonlyArray<CheckRow> =>
  findings.map((finding) => ({ about: name, ...finding }))

/** 1 if anything failed; warnings are no failure. */
export const exitCode = (rows: ReadonlyArray<CheckRow>): 0 | 1 => (rows.some((row) => row.status === "failed") ? 1 : 0)

/** For `--json`. */
export const asJson = (rows: ReadonlyArray<CheckRow>) => ({ ok: exitCode(rows) === 0, rows })

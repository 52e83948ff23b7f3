/**
 * What the journal and the looks say in short, one row an order and one a resource, so that a page of a long list is a look at an index.
 *
 * Kept by triggers: in the very statement that writes the journal, whoever writes it, and gone with what the journal forgets. The words are
 * those of `history.ts`, which reads them from the entries of one order. Nothing in a trigger may fail: it would take the entry with it. So
 * every value has a default, and no text is taken apart that may not be JSON.
 */
import { saidIn } from "../database/dialect.js"
import type { SqlText } from "../database/sql-text.js"

type Said = (column: string, path: ReadonlyArray<string>) => string

/** A text out of an entry's data; empty if it is not there. */
const textBy =
  (said: Said) =>
  (...path: ReadonlyArray<string>): string =>
    `coalesce(${said("NEW.data", path)}, '')`
type Text = ReturnType<typeof textBy>

const isAccepted = "NEW.step = 'order' AND NEW.event = 'accepted'"
const isOver = "NEW.step = 'order' AND NEW.event IN ('done', 'erred')"

const accepted = (text: Text) => `
  INSERT INTO known_order (order_id, seq, resource_id, offering, project, type, name, state, refusal, accepted, ended, last_at, last, retries)
  SELECT NEW.order_id, NEW.id, NEW.resource_id, ${text("offering")}, ${text("request", "resource", "projectName")},
    ${text("request", "_tag")}, ${text("request", "resource", "name")}, 'executing', NULL, NEW.at, NULL, NEW.at, 'accepted', 0
  WHERE ${isAccepted}
  ON CONFLICT (order_id) DO UPDATE SET seq = excluded.seq, offering = excluded.offering, project = excluded.project, type = excluded.type,
    name = excluded.name, state = excluded.state, refusal = NULL, accepted = excluded.accepted, ended = NULL, last_at = excluded.last_at,
    last = excluded.last, retries = 0;
  INSERT INTO known_resource (resource_id, offering, name, life)
  SELECT NEW.resource_id, ${text("offering")}, ${text("request", "resource", "name")},
    CASE ${text("request", "_tag")} WHEN 'Create' THEN 'making' ELSE 'active' END
  WHERE ${isAccepted}
  ON CONFLICT (resource_id) DO UPDATE SET
    name = CASE excluded.name WHEN '' THEN known_resource.name ELSE excluded.name END,
    life = CASE excluded.life WHEN 'making' THEN 'making' ELSE known_resource.life END;`

const orderGoesOn = (text: Text) => `
  UPDATE known_order SET
    last_at = NEW.at,
    state = CASE
      WHEN NEW.step = 'order' THEN CASE NEW.event
        WHEN 'failed' THEN 'undoing'
        WHEN 'resumed' THEN CASE WHEN refusal IS NULL THEN 'executing' ELSE 'undoing' END
        WHEN 'quarantined' THEN 'quarantined'
        WHEN 'done' THEN 'done'
        WHEN 'erred' THEN 'erred'
        ELSE state END
      WHEN state IN ('executing', 'waits') THEN CASE NEW.event WHEN 'interrupted' THEN 'waits' ELSE 'executing' END
      ELSE state END,
    refusal = CASE WHEN NEW.step = 'order' AND NEW.event = 'failed' THEN ${text("customerMessage")} ELSE refusal END,
    ended = CASE WHEN ${isOver} THEN NEW.at ELSE ended END,
    retries = retries + CASE NEW.event WHEN 'interrupted' THEN 1 ELSE 0 END,
    last = CASE
      WHEN NEW.step = 'order' AND NEW.event = 'failed' THEN ${text("customerMessage")}
      WHEN NEW.step = 'order' AND NEW.event = 'quarantined' THEN ${text()}
      WHEN state = 'quarantined' AND NOT (NEW.step = 'order' AND NEW.event IN ('resumed', 'done', 'erred')) THEN last
      WHEN refusal IS NOT NULL THEN refusal
      WHEN NEW.step = 'order' THEN CASE NEW.event WHEN 'done' THEN '' ELSE NEW.event END
      WHEN NEW.event = 'interrupted' THEN NEW.step || ' interrupted: ' || ${text()}
      ELSE NEW.step || ' ' || NEW.event END
  WHERE order_id = NEW.order_id AND NOT (${isAccepted});`

const resourceIsDone = `
  UPDATE known_resource SET life = CASE (SELECT type FROM known_order WHERE order_id = NEW.order_id)
      WHEN 'Terminate' THEN CASE NEW.event WHEN 'done' THEN 'ended' ELSE life END
      WHEN 'Create' THEN CASE NEW.event WHEN 'done' THEN 'active' ELSE 'failed' END
      ELSE CASE NEW.event WHEN 'done' THEN 'active' ELSE life END END
  WHERE ${isOver} AND resource_id = NEW.resource_id;`

interface Trigger {
  readonly name: string
  /** "AFTER INSERT ON journal" */
  readonly on: string
  readonly when?: string
  readonly body: (text: Text, only: Only) => string
}

/** Statements that say themselves when they are meant; PostgreSQL need not look at the others: half of an entry's time there. */
type Only = (when: string, statements: string) => string

const trigger = ({ body, name, on, when }: Trigger) => ({
  sqlite: `CREATE TRIGGER ${name} ${on} ${when === undefined ? "" : `WHEN ${when} `}BEGIN ${body(textBy(saidIn.sqlite), (_, statements) => statements)} END`,
  postgres: [
    `CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body(
      textBy(saidIn.postgres),
      (condition, statements) => `IF ${condition} THEN ${statements} END IF;`
    )} RETURN NULL; END $$`,
    `CREATE TRIGGER ${name} ${on} FOR EACH ROW ${when === undefined ? "" : `WHEN (${when}) `}EXECUTE FUNCTION ${name}()`
  ].join("; ")
})

const onEntry = (name: string, table: string, when?: string) =>
  trigger({
    name,
    on: `AFTER INSERT ON ${table}`,
    ...(when === undefined ? {} : { when }),
    body: (text, only) =>
      [
        only(isAccepted, accepted(text)),
        only(`NOT (${isAccepted})`, orderGoesOn(text)),
        only(isOver, resourceIsDone)
      ].join(" ")
  })

/** Of what concerns the order as a whole there are few entries, and each may change what the order's row is found by. */
const ofWholeOrder = "NEW.step = 'order'"

/**
 * The same for an entry of a step, of which there are ten times as many: it changes no state but that of one that waits, and SQLite writes anew each
 * index of a column that a statement sets, also to the same value.
 */
const stepGoesOn = (text: Text) => `
  UPDATE known_order SET
    last_at = NEW.at,
    retries = retries + CASE NEW.event WHEN 'interrupted' THEN 1 ELSE 0 END,
    last = CASE
      WHEN state = 'quarantined' THEN last
      WHEN refusal IS NOT NULL THEN refusal
      WHEN NEW.event = 'interrupted' THEN NEW.step || ' interrupted: ' || ${text()}
      ELSE NEW.step || ' ' || NEW.event END
  WHERE order_id = NEW.order_id;
  UPDATE known_order SET state = CASE NEW.event WHEN 'interrupted' THEN 'waits' ELSE 'executing' END
  WHERE order_id = NEW.order_id AND state = CASE NEW.event WHEN 'interrupted' THEN 'executing' ELSE 'waits' END;`

const seen = `
  INSERT INTO known_resource (resource_id, offering, name, life) VALUES (NEW.resource_id, NEW.offering, NEW.name, 'active')
  ON CONFLICT (resource_id) DO UPDATE SET offering = excluded.offering, name = excluded.name,
    life = CASE known_resource.life WHEN 'making' THEN known_resource.life ELSE 'active' END;`

export const knownTables: ReadonlyArray<SqlText> = [
  // `seq`: the journal's id of its acceptance, by which orders are listed. `refusal`: it has failed, and is only undone from then on.
  `CREATE TABLE known_order (
     order_id TEXT PRIMARY KEY,
     seq INTEGER NOT NULL,
     resource_id TEXT NOT NULL,
     offering TEXT NOT NULL,
     project TEXT NOT NULL,
     type TEXT NOT NULL,
     name TEXT NOT NULL,
     state TEXT NOT NULL,
     refusal TEXT,
     accepted INTEGER NOT NULL,
     ended INTEGER,
     last_at INTEGER NOT NULL,
     last TEXT NOT NULL,
     retries INTEGER NOT NULL
   ) STRICT`,
  // Each entry changes a row of it, and mostly no index: with room on its page that costs no index anything.
  { postgres: "ALTER TABLE known_order SET (fillfactor = 70)" },
  "CREATE INDEX known_order_seq ON known_order (seq)",
  "CREATE INDEX known_order_offering ON known_order (offering, seq)",
  "CREATE INDEX known_order_resource ON known_order (resource_id, seq)",
  "CREATE INDEX known_order_state ON known_order (state, seq)",
  "CREATE INDEX known_order_open ON known_order (resource_id) WHERE ended IS NULL",
  "CREATE INDEX known_order_accepted ON known_order (accepted)",
  "CREATE INDEX known_order_ended ON known_order (ended) WHERE ended IS NOT NULL",
  // `life`: making, active, failed, ended.
  `CREATE TABLE known_resource (
     resource_id TEXT PRIMARY KEY,
     offering TEXT NOT NULL,
     name TEXT NOT NULL COLLATE NOCASE,
     life TEXT NOT NULL
   ) STRICT`,
  {
    sqlite: "CREATE INDEX known_resource_name ON known_resource (name, resource_id)",
    postgres: "CREATE INDEX known_resource_name ON known_resource (lower(name), resource_id)"
  },
  {
    sqlite: "CREATE INDEX known_resource_offering ON known_resource (offering, name, resource_id)",
    postgres: "CREATE INDEX known_resource_offering ON known_resource (offering, lower(name), resource_id)"
  },
  onEntry("journal_known", "journal"),
  trigger({
    name: "journal_forgotten",
    on: "AFTER DELETE ON journal",
    when: "OLD.step = 'order' AND OLD.event = 'accepted'",
    body: () => `
      DELETE FROM known_order WHERE order_id = OLD.order_id;
      DELETE FROM known_resource WHERE resource_id = OLD.resource_id
        AND NOT EXISTS (SELECT 1 FROM known_order WHERE resource_id = OLD.resource_id)
        AND NOT EXISTS (SELECT 1 FROM observation WHERE resource_id = OLD.resource_id);`
  }),
  trigger({ name: "observation_known", on: "AFTER INSERT ON observation", body: () => seen }),
  trigger({
    name: "observation_renamed",
    on: "AFTER UPDATE ON observation",
    when: "NEW.name <> OLD.name OR NEW.offering <> OLD.offering",
    body: () => seen
  }),
  // Waldur lists it no more. While an order is in work this is as it should be; else somebody has ended it by hand.
  trigger({
    name: "observation_forgotten",
    on: "AFTER DELETE ON observation",
    body: () => `
      UPDATE known_resource SET life = 'ended' WHERE resource_id = OLD.resource_id
        AND NOT EXISTS (SELECT 1 FROM known_order WHERE resource_id = OLD.resource_id AND ended IS NULL);
      DELETE FROM known_resource WHERE resource_id = OLD.resource_id
        AND NOT EXISTS (SELECT 1 FROM known_order WHERE resource_id = OLD.resource_id);`
  }),
  // Attempts that broke off: few, and counted over time.
  "CREATE INDEX journal_interrupted ON journal (at) WHERE event = 'interrupted'",
  "CREATE INDEX difference_since ON difference (since, resource_id, kind, subject)",
  // What an earlier version wrote goes the same way, beside the journal, which is not touched. There was none in PostgreSQL.
  {
    sqlite:
      "CREATE TABLE journal_replay (id INTEGER, order_id TEXT, resource_id TEXT, epoch INTEGER, step TEXT, event TEXT, at INTEGER, data TEXT)"
  },
  { sqlite: onEntry("journal_replayed", "journal_replay").sqlite },
  {
    sqlite:
      "INSERT INTO journal_replay SELECT id, order_id, resource_id, epoch, step, event, at, data FROM journal ORDER BY id"
  },
  { sqlite: "DROP TABLE journal_replay" },
  {
    sqlite: `INSERT INTO known_resource (resource_id, offering, name, life) SELECT resource_id, offering, name, 'active' FROM observation WHERE true
      ON CONFLICT (resource_id) DO UPDATE SET life = CASE known_resource.life WHEN 'making' THEN known_resource.life ELSE 'active' END`
  },
  // What was done by hand, and by whom. `ok`: NULL until it is over.
  `CREATE TABLE audit (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     at INTEGER NOT NULL,
     who TEXT NOT NULL,
     role TEXT NOT NULL,
     by_way TEXT NOT NULL,
     kind TEXT NOT NULL,
     subject TEXT NOT NULL,
     detail TEXT NOT NULL,
     ok INTEGER,
     outcome TEXT NOT NULL
   ) STRICT`,
  "CREATE INDEX audit_subject ON audit (subject, id)",
  // Orders that an operator wants ended; looked at by their actors until they have ended.
  `CREATE TABLE cancellation (
     order_id TEXT PRIMARY KEY,
     who TEXT NOT NULL,
     reason TEXT NOT NULL,
     at INTEGER NOT NULL
   ) STRICT`,
  // Offerings that an operator has paused.
  `CREATE TABLE offering_pause (
     offering TEXT PRIMARY KEY,
     who TEXT NOT NULL,
     reason TEXT NOT NULL,
     since INTEGER NOT NULL
   ) STRICT`
]

/**
 * In place of `journal_known`, whose statement for a step costs more than the entry itself. PostgreSQL leaves indexes alone whose columns stay as
 * they are.
 */
export const knownByKind: ReadonlyArray<SqlText> = [
  { sqlite: "DROP TRIGGER journal_known" },
  { sqlite: onEntry("journal_known_order", "journal", ofWholeOrder).sqlite },
  {
    sqlite: trigger({
      name: "journal_known_step",
      on: "AFTER INSERT ON journal",
      when: `NOT (${ofWholeOrder})`,
      body: stepGoesOn
    }).sqlite
  }
]

/**
 * The tables, as they came to be. What was released is never changed here, only added to.
 *
 * While an agent of several processes is upgraded one by one, the old program works on what the new one has made of the database. So what is
 * added must be of the kind that an old program does not notice: tables, indexes, columns that may be empty or have a default. Whatever is
 * more than that says so in `oldest`, and is to come a release after the one that stopped using what it takes away: then no program that
 * still runs is too old for it. The test beside this file holds every migration to it (docs/decisions/0041-rolling-upgrades.md).
 */
import { forPostgres } from "../../database/dialect.js"
import type { SqlText } from "../../database/sql-text.js"
import { entranceTables } from "../entrance.js"
import { knownByKind, knownTables } from "../known.js"
import { clusterTables, settingsOfRunner, unreachedByRunner, unreachedSince } from "./cluster.js"
import { homeByItsTable } from "./home.js"

export interface Migration {
  /** The oldest version of the tables whose programs go on working on a database that has had this one. */
  readonly oldest: number
  /** A text alone is SQLite's, and is translated for PostgreSQL by `forPostgres`. */
  readonly statements: ReadonlyArray<SqlText>
}

/** Of this database's own past: that it is a copy, taken when, and at work since when. */
export const backupTable = "CREATE TABLE IF NOT EXISTS backup (taken INTEGER NOT NULL, started INTEGER) STRICT"

/** Which migrations a database has had. In a file, `user_version` says it as well: programs of before version 7 look there. */
export const ledger =
  "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, oldest INTEGER NOT NULL, at INTEGER NOT NULL) STRICT"

export const statementsFor = (kind: "sqlite" | "postgres", { statements }: Migration): ReadonlyArray<string> =>
  statements.flatMap((statement) => {
    if (typeof statement === "string") return [kind === "sqlite" ? statement : forPostgres(statement)]
    const own = statement[kind]
    return own === undefined ? [] : [own]
  })

/** Advisory locks are held to the end of a transaction, never longer: first number, the second one is what it is about. */
export const locks = { migration: 7_301, reservation: 7_302, start: 7_303 } as const

/** Which database this is, of which server, and how often another server has taken its place: a copy of it is elsewhere. */
const home = `CREATE TABLE home (here text NOT NULL);
  CREATE FUNCTION whereabouts() RETURNS text LANGUAGE plpgsql AS $$ DECLARE own text; BEGIN
    own := (SELECT oid::text FROM pg_database WHERE datname = current_database());
    RETURN own || ' ' || (SELECT system_identifier FROM pg_control_system()) || ' ' || left(pg_walfile_name(pg_current_wal_lsn()), 8);
  EXCEPTION WHEN insufficient_privilege THEN RETURN own;
  END $$`

/**
 * What a start does with a file that was put back (`backup.ts`), for a database: asked on each new connection, as the server behind an address
 * may be another one than a moment ago, that has not heard of the last entries. Returns how many orders were in work, or NULL: it is the same.
 */
const cameHome = `CREATE FUNCTION came_home(moment bigint) RETURNS bigint LANGUAGE plpgsql AS $$
  DECLARE place text := whereabouts(); marked bigint; BEGIN
    IF EXISTS (SELECT 1 FROM home WHERE here = place) THEN RETURN NULL; END IF;
    PERFORM pg_advisory_xact_lock(${locks.start}, 0);
    IF EXISTS (SELECT 1 FROM home WHERE here = place) THEN RETURN NULL; END IF;
    IF NOT EXISTS (SELECT 1 FROM home) THEN INSERT INTO home VALUES (place); RETURN NULL; END IF;
    INSERT INTO journal (order_id, resource_id, epoch, step, event, at)
      SELECT order_id, resource_id, epoch, 'order', 'restored', moment FROM journal AS accepted
      WHERE step = 'order' AND event = 'accepted' AND NOT EXISTS (
        SELECT 1 FROM journal AS later WHERE later.order_id = accepted.order_id AND later.step = 'order'
          AND later.id > accepted.id AND later.event IN ('done', 'erred', 'accepted'));
    GET DIAGNOSTICS marked = ROW_COUNT;
    INSERT INTO backup (taken, started) SELECT coalesce(max(at), moment), moment FROM journal WHERE event <> 'restored';
    UPDATE home SET here = place;
    RETURN marked;
  END $$`

const first: ReadonlyArray<ReadonlyArray<SqlText>> = [
  [
    {
      // Half a character, and NUL, JSON can say and a text of PostgreSQL cannot: the second try has a substitute in their place.
      postgres: `CREATE FUNCTION said_in(data text, VARIADIC path text[] DEFAULT '{}') RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
        RETURN CAST(data AS json) #>> path;
      EXCEPTION WHEN OTHERS THEN
        BEGIN
          RETURN CAST(regexp_replace(data, '\\\\u(0000|d[89a-f][0-9a-f]{2})', '\\\\ufffd', 'g') AS json) #>> path;
        EXCEPTION WHEN OTHERS THEN RETURN NULL;
        END;
      END $$`
    },
    // What happened, in the order in which it happened. `step` is "order" for what concerns the order as a whole.
    `CREATE TABLE journal (
       id INTEGER PRIMARY KEY AUTOINCREMENT,
       order_id TEXT NOT NULL,
       resource_id TEXT NOT NULL,
       epoch INTEGER NOT NULL,
       step TEXT NOT NULL,
       event TEXT NOT NULL,
       at INTEGER NOT NULL,
       data TEXT
     ) STRICT`,
    "CREATE INDEX journal_order ON journal (order_id, id)",
    "CREATE INDEX journal_resource ON journal (resource_id, id)",
    "CREATE INDEX journal_whole_order ON journal (order_id, id) WHERE step = 'order'",
    // Who may write about a resource: the actor that holds its newest epoch.
    `CREATE TABLE lease (
       resource_id TEXT PRIMARY KEY,
       epoch INTEGER NOT NULL,
       owner TEXT NOT NULL,
       at INTEGER NOT NULL
     ) STRICT`,
    `CREATE TABLE reservation (
       pool TEXT NOT NULL,
       resource_id TEXT NOT NULL,
       first INTEGER NOT NULL,
       last INTEGER NOT NULL,
       PRIMARY KEY (pool, resource_id)
     ) STRICT`,
    // Two processes that reserve at once do not see each other's rows: so one waits for the other, and then looks. A file has one writer.
    {
      postgres: `CREATE FUNCTION reserve_alone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_advisory_xact_lock(${locks.reservation}, hashtext(NEW.pool));
        IF EXISTS (SELECT 1 FROM reservation WHERE pool = NEW.pool AND first <= NEW.last AND last >= NEW.first) THEN RETURN NULL; END IF;
        RETURN NEW; END $$`
    },
    {
      postgres:
        "CREATE TRIGGER reservation_alone BEFORE INSERT ON reservation FOR EACH ROW EXECUTE FUNCTION reserve_alone()"
    },
    // What an undo could not remove.
    `CREATE TABLE leftover (
       order_id TEXT NOT NULL,
       resource_id TEXT NOT NULL,
       step TEXT NOT NULL,
       reason TEXT NOT NULL,
       at INTEGER NOT NULL,
       PRIMARY KEY (order_id, step)
     ) STRICT`
  ],
  [
    // When orders could not go on through no fault of their own: `scope` is an offering's id, or `agent` while no agent ran.
    `CREATE TABLE pause (
       id INTEGER PRIMARY KEY AUTOINCREMENT,
       scope TEXT NOT NULL,
       reason TEXT NOT NULL,
       since INTEGER NOT NULL,
       until INTEGER
     ) STRICT`,
    "CREATE INDEX pause_scope ON pause (scope, since)",
    // What somebody at the command line wants of the running agent, and what came of it.
    `CREATE TABLE request (
       id INTEGER PRIMARY KEY AUTOINCREMENT,
       kind TEXT NOT NULL,
       subject TEXT NOT NULL,
       at INTEGER NOT NULL,
       handled INTEGER,
       ok INTEGER,
       outcome TEXT
     ) STRICT`,
    "CREATE INDEX request_waiting ON request (id) WHERE handled IS NULL",
    // When each process was last alive.
    `CREATE TABLE agent (
       owner TEXT PRIMARY KEY,
       started INTEGER NOT NULL,
       seen INTEGER NOT NULL
     ) STRICT`
  ],
  [
    // What Waldur was told of usage: the last amount of each component and billing period, and why it would not take it, if it did not.
    // `final`: the resource has ended since, and its last hours have been told.
    `CREATE TABLE usage_told (
       resource_id TEXT NOT NULL,
       period TEXT NOT NULL,
       component TEXT NOT NULL,
       offering_id TEXT NOT NULL,
       amount REAL NOT NULL,
       refusal TEXT,
       at INTEGER NOT NULL,
       final INTEGER NOT NULL,
       PRIMARY KEY (resource_id, period, component)
     ) STRICT`,
    "CREATE INDEX usage_told_offering ON usage_told (offering_id, period)"
  ],
  [
    // How each resource was at the last look, and since when it is missing. `erred`: it was this agent that called it erred.
    `CREATE TABLE observation (
       resource_id TEXT PRIMARY KEY,
       offering TEXT NOT NULL,
       name TEXT NOT NULL,
       backend_id TEXT NOT NULL,
       marketplace_state TEXT NOT NULL,
       state TEXT NOT NULL,
       healthy INTEGER NOT NULL,
       standing TEXT NOT NULL,
       facts TEXT NOT NULL,
       at INTEGER NOT NULL,
       misses INTEGER NOT NULL,
       erred INTEGER NOT NULL
     ) STRICT`,
    "CREATE INDEX observation_offering ON observation (offering)",
    `CREATE TABLE difference (
       resource_id TEXT NOT NULL,
       kind TEXT NOT NULL,
       subject TEXT NOT NULL,
       expected TEXT NOT NULL,
       found TEXT NOT NULL,
       sentence TEXT NOT NULL,
       policy TEXT NOT NULL,
       since INTEGER NOT NULL,
       outcome TEXT,
       PRIMARY KEY (resource_id, kind, subject)
     ) STRICT`,
    // What was done to resources without an order: step by step, as in `journal`. `job` is what an order's uuid is there.
    `CREATE TABLE reconciliation (
       id INTEGER PRIMARY KEY AUTOINCREMENT,
       job TEXT NOT NULL,
       resource_id TEXT NOT NULL,
       epoch INTEGER NOT NULL,
       step TEXT NOT NULL,
       event TEXT NOT NULL,
       at INTEGER NOT NULL,
       data TEXT
     ) STRICT`,
    "CREATE INDEX reconciliation_resource ON reconciliation (resource_id, id)",
    // What was offered for import: a resource that appears with such a backend id is adopted.
    `CREATE TABLE offered (
       offering TEXT NOT NULL,
       backend_id TEXT NOT NULL,
       at INTEGER NOT NULL,
       PRIMARY KEY (offering, backend_id)
     ) STRICT`
  ],
  knownTables,
  [backupTable]
]

export const migrations: ReadonlyArray<Migration> = [
  ...first.map((statements) => ({ oldest: 1, statements })),
  {
    oldest: 1,
    statements: [
      // Whose pause it is, where several processes work on one database: each has its own way to the servers.
      "ALTER TABLE pause ADD COLUMN owner TEXT",
      ledger,
      { postgres: home },
      { postgres: cameHome }
    ]
  },
  { oldest: 1, statements: clusterTables },
  { oldest: 1, statements: entranceTables },
  { oldest: 1, statements: knownByKind },
  { oldest: 1, statements: [settingsOfRunner] },
  // Which process is at it, as in `agent`. None: an earlier version has begun it.
  { oldest: 1, statements: ["ALTER TABLE audit ADD COLUMN owner TEXT"] },
  { oldest: 1, statements: homeByItsTable(locks.start) },
  { oldest: 1, statements: [unreachedByRunner] },
  { oldest: 1, statements: [unreachedSince] }
]

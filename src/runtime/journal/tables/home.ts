/**
 * How a PostgreSQL knows that it is not the one that it was, since version 13 of the tables: a dump that was put back, also over its own tables, or
 * another server in its place. Asked on each new connection (`came_home`), by programs of before in the same words.
 */
import type { SqlText } from "../../database/sql-text.js"
import { forgottenLeases } from "../lease.js"

/** More often than a resource's lease is taken in its life. */
const beyondAll = 1_000_000

/** The table's own number goes with it when a dump is put back over it. */
const whereabouts = `CREATE OR REPLACE FUNCTION whereabouts() RETURNS text LANGUAGE plpgsql AS $$ DECLARE own text; BEGIN
    own := (SELECT oid::text FROM pg_database WHERE datname = current_database()) || '.' || CAST('home' AS regclass)::oid::text;
    RETURN own || ' ' || (SELECT system_identifier FROM pg_control_system()) || ' ' || left(pg_walfile_name(pg_current_wal_lsn()), 8);
  EXCEPTION WHEN insufficient_privilege THEN RETURN own;
  END $$`

/**
 * Leases that were taken and are not known here would be taken for a second time, under the same number, while whoever had the first ones may only sleep: so
 * all of them end. That also has everybody read anew what the journal knows, in place of what it knew.
 */
const cameHome = (
  start: number
): string => `CREATE OR REPLACE FUNCTION came_home(moment bigint) RETURNS bigint LANGUAGE plpgsql AS $$
  DECLARE place text := whereabouts(); marked bigint; BEGIN
    IF EXISTS (SELECT 1 FROM home WHERE here = place) THEN RETURN NULL; END IF;
    PERFORM pg_advisory_xact_lock(${start}, 0);
    IF EXISTS (SELECT 1 FROM home WHERE here = place) THEN RETURN NULL; END IF;
    IF NOT EXISTS (SELECT 1 FROM home) THEN INSERT INTO home VALUES (place); RETURN NULL; END IF;
    UPDATE lease SET epoch = epoch + ${beyondAll};
    INSERT INTO lease (resource_id, epoch, owner, at) VALUES ('${forgottenLeases}', ${beyondAll}, '', 0) ON CONFLICT (resource_id) DO NOTHING;
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

/** `start`: the advisory lock under which it is found out. A database that has moved while it was upgraded is not taken for one that has not. */
export const homeByItsTable = (start: number): ReadonlyArray<SqlText> =>
  [
    "UPDATE home SET here = '' WHERE here = whereabouts()",
    whereabouts,
    "UPDATE home SET here = whereabouts() WHERE here = ''",
    cameHome(start)
  ].map((postgres) => ({ postgres }))

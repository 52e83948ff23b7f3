/**
 * What a PostgreSQL says that cannot be used, or whatever stands on the way to it: what to do about it, and whether it may pass without anybody
 * changing something here. The first that fits; the text is "code: message", with SQLSTATE or Node's code
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html).
 */
import type { PostgresSays } from "./postgres.js"

interface Saying {
  readonly shape: RegExp
  readonly hint: string
  /** It is mended elsewhere: by waiting, or by whoever runs the database. */
  readonly passes?: true
}

const theWay =
  "Check that PostgreSQL runs there, and the way to it: host and port in `database`, firewall, pg_hba.conf."
const login = "Check user and password in `database`, which is read at a start, and pg_hba.conf on the server."

const ofTls: ReadonlyArray<Saying> = [
  {
    shape: /ALTNAME_INVALID/,
    hint: "Write the host in `database` as the certificate names it. If it names none that you can use: sslmode=verify-ca."
  },
  {
    shape: /^(SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_(VERIFY|GET)|CERT_(SIGNATURE|UNTRUSTED))/,
    hint: "sslrootcert=/path/ca.pem behind the ? of `database` has to name the certificate of the authority that signed the server's."
  },
  {
    shape: /^CERT_(HAS_EXPIRED|NOT_YET_VALID)/,
    hint: "Renew the server's certificate, or set this machine's clock.",
    passes: true
  },
  {
    shape: /no encryption|SSL off/,
    hint: "It takes encrypted connections only: add ?sslmode=verify-full&sslrootcert=/path/ca.pem to `database`. If it does so already, see pg_hba.conf."
  },
  {
    shape: /does not support SSL/,
    hint: "Switch TLS on there (ssl = on; in PgBouncer client_tls_sslmode), or leave sslmode out of `database`."
  },
  { shape: /establishing an SSL/, hint: "What answers there is no PostgreSQL: check host and port in `database`." },
  {
    shape: /client certificate/,
    hint: "Name one behind the ? of `database`: sslcert=/path/client.pem&sslkey=/path/client.key."
  },
  {
    shape: /certificate authentication failed/,
    hint: "The name (CN) in the certificate `sslcert` has to be the user's, or pg_ident.conf on the server has to say whose it is."
  },
  {
    shape: /^ERR_(OSSL|SSL|TLS|CRYPTO|MISSING_PASSPHRASE)|key values mismatch|PEM routines/,
    hint: "sslcert, sslkey and sslrootcert in `database` have to be PEM files, the first two of one pair, without a passphrase."
  },
  {
    shape: /^(ENOENT|EACCES|EISDIR|ENOTDIR): .*\b(open|read)\b/,
    hint: "`database` names this file (sslrootcert, sslcert or sslkey): the agent's user has to be able to read it."
  }
]

const ofPoolers: ReadonlyArray<Saying> = [
  { shape: /no such database/, hint: "The pooler does not know it: see [databases] in pgbouncer.ini." },
  {
    shape: /unsupported startup parameter/,
    hint: "The pooler does not pass it on: leave it out of `database`, or see ignore_startup_parameters in pgbouncer.ini."
  },
  {
    shape: /statement pooling mode/,
    hint: "The agent needs transactions: set pool_mode = session in the pooler."
  },
  { shape: /SASL authentication failed/, hint: login },
  {
    shape: /query_wait_timeout/,
    hint: "The pooler has no connection for it: check that PostgreSQL runs behind it, and pool_size there.",
    passes: true
  }
]

const sayings: ReadonlyArray<Saying> = [
  ...ofTls,
  ...ofPoolers,
  {
    shape: /client password must be/,
    hint: "The server asks for a password: write user:password@ into `database`, or set PGPASSWORD."
  },
  {
    shape: /^(ECONN|ENOTFOUND|EAI_|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EPIPE|ENOENT: connect|57P0|08)/,
    hint: theWay,
    passes: true
  },
  { shape: /^28/, hint: login },
  { shape: /^3D000/, hint: "Make it: CREATE DATABASE ... OWNER the agent's user." },
  {
    shape: /^42501/,
    hint: "The agent's user has to own the database and what is in it, or: GRANT CREATE, USAGE ON SCHEMA public TO that user."
  },
  {
    shape: /^(25006|55000)/,
    hint: "This server only follows another one, or default_transaction_read_only is on there: name the one that writes.",
    passes: true
  },
  {
    shape: /^53300/,
    hint: "All its connections are taken: raise max_connections there, or lower database_connections here.",
    passes: true
  },
  { shape: /^53/, hint: "The server has no room left: see its log.", passes: true },
  {
    shape: /^55P03/,
    hint: "Somebody else holds the tables for long: see pg_stat_activity.",
    passes: true
  },
  { shape: /^(40|58)/, hint: "See the server's log.", passes: true },
  {
    shape: /^42/,
    hint: "Its tables are not the agent's, or somebody has changed them: give the agent a database of its own."
  },
  // The driver's own, without a code.
  { shape: /terminated|timeout|no answer within/i, hint: theWay, passes: true }
]

const sayingOf = ({ code, message }: Pick<PostgresSays, "code" | "message">): Saying | undefined => {
  // Node's messages of files begin with the code as well.
  const text = message.startsWith(`${code}:`) ? message : `${code}: ${message}`
  return sayings.find(({ shape }) => shape.test(text))
}

/** What to do. */
export const hintFor = (said: Pick<PostgresSays, "code" | "message">): string =>
  sayingOf(said)?.hint ?? "Check that PostgreSQL runs there, and see its log."

/** Is it worth waiting? */
export const mayPass = (said: Pick<PostgresSays, "code" | "message">): boolean => sayingOf(said)?.passes === true

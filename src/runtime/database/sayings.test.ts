import { describe, expect, it } from "vitest"
import { hintFor, mayPass } from "./sayings.js"

/** As they were heard from PostgreSQL 17.10, PgBouncer 1.18, and Node 20 on the way there. */
const heard: ReadonlyArray<readonly [code: string, message: string, hint: RegExp, passes: boolean]> = [
  ["ECONNREFUSED", "connect ECONNREFUSED 127.0.0.1:1", /firewall/, true],
  ["ENOENT", "connect ENOENT /run/postgresql/.s.PGSQL.5432", /firewall/, true],
  ["", "Connection terminated unexpectedly", /firewall/, true],
  ["", "timeout exceeded when trying to connect", /firewall/, true],
  ["57P03", "the database system is starting up", /runs there/, true],
  ["53300", "sorry, too many clients already", /max_connections/, true],
  ["53100", "could not extend file: No space left on device", /no room left/, true],
  ["25006", "cannot execute INSERT in a read-only transaction", /the one that writes/, true],
  ["28P01", 'password authentication failed for user "a"', /user and password/, false],
  ["3D000", 'database "none" does not exist', /CREATE DATABASE/, false],
  ["42501", "permission denied for schema public", /GRANT CREATE/, false],
  ["42P01", 'relation "journal" does not exist', /of its own/, false],
  ["", "SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string", /PGPASSWORD/, false],
  ["SELF_SIGNED_CERT_IN_CHAIN", "self-signed certificate in certificate chain", /sslrootcert=/, false],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "Hostname/IP does not match certificate's altnames", /verify-ca/, false],
  ["CERT_HAS_EXPIRED", "certificate has expired", /Renew/, true],
  ["28000", 'no pg_hba.conf entry for host "10.0.0.1", user "a", database "b", no encryption', /sslmode=/, false],
  ["28000", "connection requires a valid client certificate", /sslcert=/, false],
  ["28000", 'certificate authentication failed for user "a"', /\(CN\)/, false],
  ["", "The server does not support SSL connections", /ssl = on/, false],
  ["", "There was an error establishing an SSL connection", /no PostgreSQL/, false],
  ["ENOENT", "ENOENT: no such file or directory, open '/none.pem'", /able to read it/, false],
  ["EISDIR", "EISDIR: illegal operation on a directory, read", /able to read it/, false],
  ["ERR_OSSL_X509_KEY_VALUES_MISMATCH", "error:05800074:x509 certificate routines::key values mismatch", /pair/, false],
  ["08P01", "no such database: nodb", /\[databases\]/, false],
  ["08P01", "unsupported startup parameter: options", /ignore_startup_parameters/, false],
  ["08P01", "SASL authentication failed", /user and password/, false],
  ["08P01", "transaction blocks not allowed in statement pooling mode", /pool_mode = session/, false],
  ["08P01", "query_wait_timeout", /behind it/, true],
  ["XX001", "invalid page in block 7", /its log/, false]
]

describe("what a PostgreSQL, or what stands before it, says", () => {
  it.each(heard)("%s %s", (code, message, hint, passes) => {
    expect(hintFor({ code, message })).toMatch(hint)
    expect(mayPass({ code, message })).toBe(passes)
  })
})

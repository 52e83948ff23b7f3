/** The tables of who may come in on the page: by hashes alone. Here, as all processes have to know it. */
export const entranceTables: ReadonlyArray<string> = [
  // One token a role.
  `CREATE TABLE page_token (
     role TEXT PRIMARY KEY,
     sha256 TEXT NOT NULL,
     made INTEGER NOT NULL
   ) STRICT`,
  // Whoever has signed in. `id`: a hash of what the browser has. `token`: of the one that was used; with it the session ends.
  `CREATE TABLE page_session (
     id TEXT PRIMARY KEY,
     role TEXT NOT NULL,
     token TEXT NOT NULL,
     expires INTEGER NOT NULL
   ) STRICT`
]

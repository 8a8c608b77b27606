// Package journal keeps every fact of one machine in one SQLite file that survives a pulled plug.
//
// A fact (a case accepted, a rating given, an invitation ended) is written once and never changed. It carries the next number
// of a per-machine sequence, what the clock said and whether the clock can be believed, and a hash that chains it to the fact
// before it, so that a fact cannot be removed or altered without Verify or the platform noticing. The rows that packages keep
// beside their facts (cases, invitations, ratings, print jobs) are written in the same transaction.
//
// Committed means durable: the file runs in WAL mode with synchronous=FULL, and Write returns only after the commit was synced.
//
// The outbox is the part of the fact table behind what the platform has acknowledged. A fact is thus in the outbox because it
// was committed, with no second row that could be missing.
//
// The package is the only importer of go-sqlite3. Rows and migrations of all packages live here, in migrations/, one numbered
// file each; PRAGMA user_version says how many have run.
package journal

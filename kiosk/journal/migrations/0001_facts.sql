-- Facts, their delivery, counters and print jobs. Times are milliseconds since 1970, UTC, as the clock said.

CREATE TABLE identity (
	only    INTEGER PRIMARY KEY CHECK (only = 1),
	machine TEXT    NOT NULL,
	epoch   TEXT    NOT NULL,
	born    INTEGER NOT NULL
) STRICT;

-- One row is written for each fact, and none other is touched: with WAL that is one page for each commit.
CREATE TABLE fact (
	sequence        INTEGER PRIMARY KEY,
	kind            TEXT    NOT NULL,
	subject         TEXT    NOT NULL,
	time            INTEGER NOT NULL,
	clock_trusted   INTEGER NOT NULL CHECK (clock_trusted IN (0, 1)),
	floor           INTEGER NOT NULL, -- latest time a trusted clock has shown up to this fact
	body            TEXT    NOT NULL,
	sealed_sha256   BLOB,
	prev            BLOB    NOT NULL,
	hash            BLOB    NOT NULL,
	acknowledged_at INTEGER,
	sealed          BLOB              -- last, so that reading the other columns does not walk its overflow pages
) STRICT;

CREATE TRIGGER fact_never_changes
BEFORE UPDATE OF sequence, kind, subject, time, clock_trusted, floor, body, sealed_sha256, prev, hash ON fact
BEGIN SELECT raise(ABORT, 'a fact never changes'); END;

CREATE TABLE delivery (
	only         INTEGER PRIMARY KEY CHECK (only = 1),
	acknowledged INTEGER NOT NULL, -- the platform has every fact up to this one
	pruned       INTEGER NOT NULL, -- facts up to this one are no longer kept
	pruned_hash  BLOB    NOT NULL  -- hash of that fact: where the kept chain begins
) STRICT;
INSERT INTO delivery VALUES (1, 0, 0, zeroblob(32));

CREATE VIEW outbox AS
SELECT * FROM fact WHERE sequence > (SELECT acknowledged FROM delivery);

CREATE TABLE counter (
	name  TEXT    PRIMARY KEY,
	value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE print_job (
	id      TEXT    PRIMARY KEY,
	kind    TEXT    NOT NULL,
	subject TEXT    NOT NULL,
	copy    INTEGER NOT NULL CHECK (copy >= 1),
	state   TEXT    NOT NULL CHECK (state IN ('queued', 'printing', 'printed', 'sent', 'failed', 'indeterminate')),
	reason  TEXT    NOT NULL,
	began   INTEGER NOT NULL CHECK (began IN (0, 1)), -- a byte of it may have reached the printer
	at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX print_job_of ON print_job (kind, subject, copy);

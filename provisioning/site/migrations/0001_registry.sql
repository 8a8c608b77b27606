CREATE TABLE machines (
  number   TEXT PRIMARY KEY,
  role     TEXT NOT NULL,              -- kiosk or pad
  place    TEXT NOT NULL,              -- where it stands, for people
  state    TEXT NOT NULL,              -- planned, enrolled, revoked
  fields   TEXT NOT NULL,              -- JSON: the other columns of the table that planned it
  public   BLOB,                       -- Ed25519, once enrolled
  seal_key BLOB,                       -- X25519, once enrolled
  hardware TEXT NOT NULL DEFAULT '{}', -- JSON, as it said of itself
  version  INTEGER NOT NULL DEFAULT 0  -- of the last bundle made for it
) STRICT;

CREATE TABLE requests (
  hash     TEXT PRIMARY KEY,
  body     BLOB NOT NULL,
  received TEXT NOT NULL,
  wrong    INTEGER NOT NULL DEFAULT 0, -- codes typed that were not its own
  state    TEXT NOT NULL,              -- waiting, approved, dead
  number   TEXT                        -- of the machine, once approved
) STRICT;

CREATE TABLE certificates (
  serial     TEXT PRIMARY KEY,         -- hexadecimal
  number     TEXT NOT NULL REFERENCES machines (number),
  der        BLOB NOT NULL,
  made       TEXT NOT NULL,
  revoked    TEXT                      -- when, NULL while it holds
) STRICT;
CREATE INDEX certificates_of ON certificates (number);

-- What was done, by whom it was for. Never changed.
CREATE TABLE events (
  id      INTEGER PRIMARY KEY,
  at      TEXT NOT NULL,
  what    TEXT NOT NULL,
  number  TEXT NOT NULL,
  detail  TEXT NOT NULL
) STRICT;

-- Cases (办件), their services, requests, invitations and ratings. No personal data: a person is found by a keyed hash only.

CREATE TABLE casefile (
	number          TEXT    PRIMARY KEY,                    -- provisional, given by this machine
	platform_number TEXT    NOT NULL DEFAULT '',            -- '' until the platform has given one
	visit           TEXT    NOT NULL,
	position        INTEGER NOT NULL,                       -- of the item within the visit
	item            TEXT    NOT NULL,
	name            TEXT    NOT NULL,
	department      TEXT    NOT NULL,
	seal            TEXT    NOT NULL,
	state           TEXT    NOT NULL CHECK (state IN ('accepted', 'completed', 'rejected', 'withdrawn')),
	accepted_at     INTEGER NOT NULL,
	due             INTEGER NOT NULL,                       -- 0: nothing was promised
	due_text        TEXT    NOT NULL,
	query_code      TEXT    NOT NULL,
	person          BLOB    NOT NULL,                       -- HMAC-SHA256 of the id number
	fact            INTEGER NOT NULL,                       -- sequence of case.accepted
	UNIQUE (visit, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX casefile_of_person ON casefile (person, accepted_at);
CREATE INDEX casefile_at_platform ON casefile (platform_number);

-- A service of a case (受理, 办结, …): what one rating may hang on.
CREATE TABLE service (
	case_number TEXT    NOT NULL,
	n           INTEGER NOT NULL CHECK (n BETWEEN 1 AND 99),
	stage       TEXT    NOT NULL,
	name        TEXT    NOT NULL,
	at          INTEGER NOT NULL,
	PRIMARY KEY (case_number, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE request (
	number TEXT    PRIMARY KEY,
	kind   TEXT    NOT NULL CHECK (kind IN ('assistance', 'demand')),
	item   TEXT    NOT NULL,
	at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE invitation (
	id          TEXT    PRIMARY KEY,
	case_number TEXT    NOT NULL,
	service     INTEGER NOT NULL,
	stage       TEXT    NOT NULL,
	staff       TEXT    NOT NULL,
	window      TEXT    NOT NULL,
	channel     TEXT    NOT NULL CHECK (channel IN ('pad', 'kiosk')),
	opened_at   INTEGER NOT NULL,
	expires     INTEGER NOT NULL,                           -- 0: the flow ends it, no time does
	state       TEXT    NOT NULL CHECK (state IN ('open', 'rated', 'declined', 'timeout', 'fault'))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX invitation_open ON invitation (case_number, service) WHERE state = 'open';
CREATE INDEX invitation_time ON invitation (opened_at);

-- A rating has the id of its invitation: there is none without one, and never two. What is free text is not here but sealed in its fact.
CREATE TABLE rating (
	id              TEXT    PRIMARY KEY REFERENCES invitation (id),
	case_number     TEXT    NOT NULL,
	service         INTEGER NOT NULL,
	level           INTEGER NOT NULL CHECK (level BETWEEN 1 AND 5),
	at              INTEGER NOT NULL,
	codes           TEXT    NOT NULL DEFAULT '',            -- reason codes, sorted, joined by commas
	text_sha256     BLOB,                                   -- of the text while the rating can still be added to, then only whether there is one
	closed          INTEGER NOT NULL DEFAULT 0 CHECK (closed IN (0, 1)),
	reason_unstated INTEGER NOT NULL DEFAULT 0 CHECK (reason_unstated IN (0, 1)),
	UNIQUE (case_number, service)
) STRICT, WITHOUT ROWID;
CREATE INDEX rating_still_open ON rating (id) WHERE closed = 0;

CREATE TRIGGER rating_never_changes BEFORE UPDATE OF id, case_number, service, level, at ON rating
BEGIN SELECT raise(ABORT, 'a rating never changes'); END;
CREATE TRIGGER rating_stays BEFORE DELETE ON rating
BEGIN SELECT raise(ABORT, 'a rating is never deleted'); END;

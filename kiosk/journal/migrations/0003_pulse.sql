-- One row that is written once a minute: the proof that the disk takes a commit, and what the machine believes about its clock.

CREATE TABLE pulse (
	only      INTEGER PRIMARY KEY CHECK (only = 1),
	beats     INTEGER NOT NULL, -- changes with each proof, so that there is always something to write
	floor     INTEGER NOT NULL, -- latest time a trusted clock has shown, milliseconds
	corrected INTEGER NOT NULL  -- floors of facts up to this sequence are void: the platform's clock has shown them wrong
) STRICT;
INSERT INTO pulse VALUES (1, 0, 0, 0);

//go:build !cgo

package journal

// Without cgo go-sqlite3 compiles to a stub that fails only at run time, at the first visitor. The name that is not defined here
// makes such a build fail instead, and says what to do.
var _ = build_with_CGO_ENABLED_1_and_a_C_compiler_because_the_journal_is_SQLite

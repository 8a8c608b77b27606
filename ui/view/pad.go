package view

// Staff is the card of the person at the window.
type Staff struct {
	Name, Number, Post, Window, Photo string // Photo is a URL path of the content, "" for none
}

// Standby shows the staff card. Also used for inactive and paused windows.
type Standby struct {
	Staff  *Staff
	Window string
	State  StandbyState
	Park   string
	Notice string
}

// StandbyState is what the window is doing.
type StandbyState string

// The states of a window without an invitation.
const (
	StandbyReady    StandbyState = "ready"
	StandbyPaused   StandbyState = "paused"
	StandbyInactive StandbyState = "inactive"
)

// Ended says how an invitation ended without a rating: timeout, declined, fault.
type Ended struct{ Outcome, Word string }

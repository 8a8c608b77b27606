package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"
	"unicode"

	"yuanban/kiosk/maintenance"
)

// askStick is the request for an update from a USB stick: as with the others, its writing starts a unit.
const askStick = "stick"

// stickProgress is where that unit, which runs as root, tells how far it is.
const stickProgress = "/run/kiosk-provision/progress.json"

// Limits of what is believed of it.
const (
	mostProgress = 16 << 10 // bytes of the file
	mostText     = 500      // characters of a text
)

// stick asks for updates and reads how they go. It keeps nothing: who asks after a restart of the program, which an update brings about,
// learns how the last one ended.
type stick struct {
	ask  func(what, why string) error
	path string
}

// Begin asks for an update.
func (s *stick) Begin() error { return s.ask(askStick, "a technician asked for it on the screen") }

// Report is how far the last update is. What cannot be read is as if it were not there: the file is replaced while it is read, and an
// update that nothing is heard of is told as such in time.
func (s *stick) Report() (maintenance.StickReport, bool) {
	f, err := os.Open(s.path)
	if err != nil {
		return maintenance.StickReport{}, false
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, mostProgress+1))
	if err != nil {
		return maintenance.StickReport{}, false
	}
	r, err := parseProgress(data)
	return r, err == nil
}

// parseProgress reads the file of the unit: an object with step, progress (0 to 1), text, code, why, version and at (RFC 3339). Only step and
// at must be there; members it does not know are passed over, so that a newer unit may say more.
func parseProgress(data []byte) (maintenance.StickReport, error) {
	var p struct {
		Step     string    `json:"step"`
		Progress float64   `json:"progress"`
		Text     string    `json:"text"`
		Code     string    `json:"code"`
		Why      string    `json:"why"`
		Version  int64     `json:"version"`
		At       time.Time `json:"at"`
	}
	if len(data) > mostProgress {
		return maintenance.StickReport{}, fmt.Errorf("cannot read the progress of the update: it has more than %d bytes", mostProgress)
	}
	if err := json.Unmarshal(data, &p); err != nil {
		return maintenance.StickReport{}, fmt.Errorf("cannot read the progress of the update: %w", err)
	}
	switch p.Step {
	case "Ask", "Download", "Install", "Verify", "Commit", "Rollback", "Done", "Failed":
	default:
		return maintenance.StickReport{}, fmt.Errorf("cannot read the progress of the update: there is no step %.20q", p.Step)
	}
	if p.At.IsZero() {
		return maintenance.StickReport{}, errors.New("cannot read the progress of the update: it does not say when")
	}
	return maintenance.StickReport{Step: p.Step, Progress: math.Min(math.Max(p.Progress, 0), 1), Text: plain(p.Text), Code: plain(p.Code), Why: plain(p.Why),
		Version: max(p.Version, 0), At: p.At}, nil
}

// plain is a text as it may stand on a screen: one line, of bounded length.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
	if r := []rune(s); len(r) > mostText {
		s = string(r[:mostText])
	}
	return strings.TrimSpace(s)
}

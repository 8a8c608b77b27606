package maintenance

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

func TestPIN(t *testing.T) {
	p, err := keep("271828", leastRounds)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := ParsePIN(p.String() + "\n")
	if err != nil || !kept.Matches("271828") {
		t.Errorf("the PIN is not known again: %v", err)
	}
	for _, wrong := range []string{"", "271829", "2718280"} {
		if kept.Matches(wrong) {
			t.Errorf("%q was taken for the PIN", wrong)
		}
	}
	if again, _ := keep("271828", leastRounds); again.String() == p.String() {
		t.Error("two machines with the same PIN have the same line")
	}
	if (PIN{}).Matches("") || (PIN{}).Set() {
		t.Error("no PIN is a PIN")
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("configured", "pin", p)
	if strings.Contains(log.String(), "pbkdf2") || strings.Contains(p.String(), "271828") {
		t.Errorf("the PIN can be read in %s", log.String())
	}
}

func TestCheckPIN(t *testing.T) {
	for pin, good := range map[string]bool{"271828": true, "271828182845": true, "112233": true, "27182": false, "2718281828459": false,
		"27182a": false, "２７１８２８": false, "": false, "000000": false, "123456": false, "7654321": false} {
		if err := CheckPIN(pin); (err == nil) != good {
			t.Errorf("%q: %v", pin, err)
		}
	}
}

// FuzzParsePIN: whatever the file holds, a line that is taken is written as it was read and is of bounded cost.
func FuzzParsePIN(f *testing.F) {
	f.Add("pbkdf2-sha256$600000$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Add("271828")
	f.Add("pbkdf2-sha256$0$$")
	f.Fuzz(func(t *testing.T, line string) {
		p, err := ParsePIN(line)
		if err != nil {
			if p.Set() || len(line) > 8 && strings.Contains(err.Error(), line) {
				t.Errorf("%q: %v", line, err)
			}
			return
		}
		if again, err := ParsePIN(p.String()); err != nil || again.String() != p.String() || p.rounds > mostRounds {
			t.Errorf("%q is read as %q, and then %v", line, p, err)
		}
	})
}

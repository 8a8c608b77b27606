package serialpad

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestBuiltInProfiles(t *testing.T) {
	all := Profiles()
	if len(all) < 5 {
		t.Errorf("%d profiles", len(all))
	}
	for name, p := range all {
		if len(p.Notes) == 0 || p.Title == "" {
			t.Errorf("%s has no story", name)
		}
		again, err := ParseProfile(p.JSON())
		if err != nil {
			t.Errorf("%s, written and read again: %v", name, err)
		} else if string(again.JSON()) != string(p.JSON()) {
			t.Errorf("%s changes when it is written and read again", name)
		}
		if four := slices.Equal(p.Missing(), []int{1}); four != (name == "hallque") || !four && p.Missing() != nil {
			t.Errorf("%s has no key for the grades %v", name, p.Missing())
		}
	}
	if _, err := ByName("nix"); err == nil || !strings.Contains(err.Error(), "reference") {
		t.Errorf("an unknown name: %v", err)
	}
}

// TestKnownBytes holds the built-in profiles to bytes that were worked out by hand, or copied from where they were published.
func TestKnownBytes(t *testing.T) {
	for _, c := range []struct {
		profile string
		kind    kind
		f       fields
		want    string
	}{
		// Modbus over Serial Line: 01 03 00 00 00 01 has the CRC 84 0A, as in every manual.
		{"modbus-poll", kindQuery, fields{address: 1}, "01 03 00 00 00 01 84 0A"},
		{"modbus-poll", kindAnswer, fields{address: 1, key: 0}, "01 03 02 00 00 B8 44"},
		{"modbus-poll", kindAnswer, fields{address: 1, key: 5}, "01 03 02 00 05 78 47"},
		{"modbus-poll", kindAck, fields{address: 1}, "01 06 00 00 00 00 89 CA"},
		{"modbus-poll", kindInvite, fields{address: 1, state: 2}, "01 06 00 01 00 02 59 CB"},
		// SystemSendToEva in SLZCEvaluator.cpp: the sum is of address and 01.
		{"hallque", kindAck, fields{address: 0x81}, "68 02 02 68 81 01 82 16"},
		{"hallque", kindPress, fields{address: 0x81, key: 3}, "FF 68 03 03 68 81 11 03 95 16"},
		{"single-byte", kindPress, fields{key: '5'}, "35"},
		{"ascii-line", kindPress, fields{key: '4'}, "4B 34 0D 0A"},
		{"ascii-line", kindThank, fields{key: '4'}, "54 48 41 4E 4B 20 34 0D 0A"},
		// These are in PROTOCOL.md.
		{"reference", kindPress, fields{address: 1, sequence: 7, key: 5}, "A5 5A 04 01 50 07 05 16 1E"},
		{"reference", kindAck, fields{address: 1, sequence: 7, key: 5}, "A5 5A 04 01 D0 07 05 17 F6"},
		{"reference", kindQuery, fields{address: 1}, "A5 5A 02 01 D1 11 CC"},
		{"reference", kindAnswer, fields{address: 1, sequence: 7, state: 2}, "A5 5A 04 01 51 07 02 06 1C"},
		{"reference", kindInvite, fields{address: 1, state: 2, text: gbk("请评价")}, "A5 5A 09 01 D2 02 C7 EB C6 C0 BC DB 3A 72"},
	} {
		p, err := ByName(c.profile)
		if err != nil {
			t.Fatal(err)
		}
		comp, err := p.compile()
		if err != nil {
			t.Fatal(err)
		}
		m := comp.messages[c.kind]
		got := m.render(c.f)
		if spaced(got) != c.want {
			t.Errorf("%s %s: %s, want %s", c.profile, c.kind, spaced(got), c.want)
		}
		want := unspaced(t, c.want)
		if n, f, fit := m.match(append(slices.Clone(want), 0xEE)); fit != whole || n != len(want) || m.has(key) && f.key != c.f.key || m.has(sequence) && f.sequence != c.f.sequence {
			t.Errorf("%s %s: %s is read as %d bytes, %+v, %v", c.profile, c.kind, c.want, n, f, fit)
		}
	}
}

func spaced(b []byte) string {
	var out []string
	for _, v := range b {
		out = append(out, strings.ToUpper(hex.EncodeToString([]byte{v})))
	}
	return strings.Join(out, " ")
}

func unspaced(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// good is a profile to be spoiled.
const good = `{"name": "x", "title": "X", "notes": ["n"], "line": {"baud": 9600, "size": 8, "parity": "none", "stopBits": 1},
"pad": {"press": "AA [ {key} ] {sum8}"}, "host": {}, "keys": {"01": "1", "02": "2", "03": "3", "04": "4", "05": "5"},
"repeat": {"everyMs": 0, "forMs": 0, "untilAck": false},
"timing": {"gapMs": 20, "settleMs": 200, "sameMs": 500, "lateMs": 200, "answerMs": 0, "pollMs": 0, "missed": 0, "turnMs": 0, "resendMs": 0}}`

func TestProfileProblems(t *testing.T) {
	if _, err := ParseProfile([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, old, new string
		want           []string
	}{
		{"no JSON", good, "{", []string{"cannot read pad profile"}},
		{"unknown field", `"notes"`, `"note"`, []string{`unknown field "note"`}},
		{"more behind", good, good + "{}", []string{"behind its last brace"}},
		{"name", `"x"`, `"a/b"`, []string{"name must be a word"}},
		{"line", `"baud": 9600, "size": 8, "parity": "none", "stopBits": 1`, `"baud": 1, "size": 9, "parity": "mark", "stopBits": 3`,
			[]string{"line.baud must", "line.size must", "line.parity must", "line.stopBits must"}},
		{"no key", "{key}", "{any}", []string{"pad.press: has no {key}"}},
		{"no press", `"press": "AA [ {key} ] {sum8}"`, "", []string{"neither pad.press nor pad.answer"}},
		{"bad message", "AA [", "AZ [", []string{"pad.press: cannot understand", "neither"}},
		{"address", "{key} ]", "{key} {address} ]", []string{"section address go together"}},
		{"ack missing", `"untilAck": false`, `"untilAck": true`, []string{"needs a host.ack", "everyMs is missing"}},
		{"query alone", `"host": {}`, `"host": {"query": "01"}`, []string{"go together", "answerMs", "missed", "pollMs"}},
		{"text from the pad", "AA [", "AA {text} BB [", []string{"a pad sends no {text}"}},
		{"any to the pad", `"host": {}`, `"host": {"ack": "{any}"}`, []string{"we know every byte"}},
		{"hold", `"name"`, `"hold": true, "name"`, []string{"hold says", "hold needs a host.ack", "hold needs a key that means none"}},
		{"keys", `"01": "1", "02": "2"`, `"1": "1", "0a": "7", "0A": "5", "0B": ""`, []string{`"1" is not a byte`, `"7" is no grade`, "0a is there twice", "meaning is empty", "grade 5 has a key already"}},
		{"times", `"gapMs": 20, "settleMs": 200, "sameMs": 500`, `"gapMs": 1, "settleMs": 100, "sameMs": 100`, []string{"gapMs must be", "settleMs must be at least timing.lateMs", "sameMs must be at least", "settleMs must be at least repeat"}},
		{"repeats", `"everyMs": 0, "forMs": 0`, `"everyMs": 300, "forMs": 200`, []string{"forMs must be at least repeat.everyMs"}},
		{"same", `"host": {}`, `"host": {"query": "01"}, "pad": {"press": "AA {key}", "answer": "AA {key}"}`, []string{"are the same", "both have a {key}"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(good, c.old, c.new, 1)
			if text == good {
				t.Fatal("nothing was spoiled")
			}
			_, err := ParseProfile([]byte(text))
			if err == nil {
				t.Fatal("it was taken")
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q does not say %q", err, w)
				}
			}
		})
	}
}

func TestMessageProblems(t *testing.T) {
	for s, want := range map[string]string{
		"":                                 "empty",
		"{text}":                           "empty",
		"01 {text}":                        "ends cannot be known",
		"01 {text} {key}":                  "ends cannot be known",
		"01 {text} {length}":               "stands behind",
		"{length} {text} {rest}":           "more than one {text}",
		"[ 01":                             "[ without its ]",
		"01 ] {sum8}":                      "] without its [",
		"[ 01 ] ] {sum8}":                  "] without its [",
		"[ [ 01 ] {sum8}":                  "second [",
		"[ 01 ]":                           "go together",
		"01 {sum8}":                        "go together",
		"[ ] {sum8}":                       "empty",
		"[ 01 {sum8} ]":                    "within its own",
		"[ 01 ] {sum8} {xor}":              "more than one checksum",
		"{nix}":                            "there is no {nix}",
		"{length-x}":                       "want {length}",
		"{length-99}":                      "want {length}",
		"{length-9} 01":                    "below zero",
		"'a":                               "without its second",
		"'请'":                              "not ASCII",
		"{key":                             "without its }",
		"0":                                "cannot understand",
		strings.Repeat("00", maxMessage+1): "at most 128",
	} {
		if m, err := parseMessage(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v; want %q", s, m, err, want)
		}
	}
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "own.json")
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "cannot read pad profile") {
		t.Errorf("a missing file: %v", err)
	}
	if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a bad file: %v", err)
	}
	if err := os.WriteFile(path, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	if p, err := Load(path); err != nil || p.Name != "x" {
		t.Errorf("%v, %v", p, err)
	}
	if p, err := Load("reference"); err != nil || p.Name != "reference" {
		t.Errorf("%v, %v", p, err)
	}
}

// TestProtocolPage holds the bytes on the page to the bytes on the wire.
func TestProtocolPage(t *testing.T) {
	page, err := os.ReadFile("PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for line := range strings.Lines(string(page)) {
		code, ok := strings.CutPrefix(line, "    A5 5A ")
		if !ok || strings.Contains(code, "LEN") || strings.Contains(code, "{") {
			continue
		}
		code, about, _ := strings.Cut("A5 5A "+code, "  ")
		want := []string{"press", "host: press", "are you there", "yes", "invite"}[found%5]
		got, _ := hear(t, "reference", code)
		kinds := []string{"press 5", "ack", "query", "answer", "welcome"} // a host tells its displays apart by their state alone
		if len(got) != 1 || !strings.HasPrefix(got[0], kinds[found%5]) || !strings.Contains(about, want) {
			t.Errorf("%s is read as %q", strings.TrimSpace(line), got)
		}
		found++
	}
	if found != 5 {
		t.Errorf("%d examples", found)
	}
	for name := range Profiles() {
		if !strings.Contains(string(page), name) {
			t.Errorf("the page does not know %s", name)
		}
	}
}

package printer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestProfiles(t *testing.T) {
	if got := strings.Join(ProfileNames(), " "); got != "custom80 epson80 kp628e msd347 mute58" {
		t.Errorf("built in are %s", got)
	}
	for name, p := range Profiles() {
		if p.Title == "" || len(p.Notes) == 0 {
			t.Errorf("%s: nothing is said of where it comes from", name)
		}
	}
	if _, err := ByName("nonesuch"); err == nil || !strings.Contains(err.Error(), "epson80, kp628e") {
		t.Errorf("unknown profile: %v", err)
	}
}

// TestOwnProfile: a park's file is read from where it lies, and its name says which file is wrong.
func TestOwnProfile(t *testing.T) {
	path, err := filepath.Abs("testdata/vkp80.json")
	if err != nil {
		t.Fatal(err)
	}
	if p, err := LoadProfile(path); err != nil || p.Name != "vkp80" || len(p.Status.Polls) != 6 {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err := LoadProfile("kp628e"); err != nil || p.Name != "kp628e" {
		t.Errorf("%+v, %v", p, err)
	}
	wrong := filepath.Join(t.TempDir(), "x.json")
	if _, err := LoadProfile(wrong); err == nil {
		t.Error("a file that is not there was read")
	}
	if err := os.WriteFile(wrong, []byte(`{"name": "x"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadProfile(wrong); err == nil || !strings.Contains(err.Error(), wrong) {
		t.Errorf("wrong file: %v", err)
	}
}

// TestProfileProblems: every problem is told at once, with its place, and none twice.
func TestProfileProblems(t *testing.T) {
	good, err := os.ReadFile("profiles/epson80.json")
	if err != nil {
		t.Fatal(err)
	}
	change := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(string(good)) }
	for name, c := range map[string]struct {
		in   string
		want []string
	}{
		"no JSON":        {"{\n\n]", []string{"cannot read printer profile: line 3: "}},
		"empty":          {"", []string{"cannot read printer profile: line 1: "}},
		"another thing":  {"[]", []string{" must be an object"}},
		"unknown fields": {change(`"dots": 576,`, `"dots": 576, "colour": 1,`, `"lead": 8`, `"led": 8`), []string{"colour is unknown", "confirm.led is unknown"}},
		"wrong types": {change(`"dots": 576`, `"dots": "576"`, `"position": true`, `"position": null`, `"polls": [`, `"polls": 1, "x": [`, `"M"`, `5`),
			[]string{"dots must be a whole number", "position must be true or false", "status.polls must be a list", "qr.level must be a text", "status.x is unknown"}},
		"values": {change(`"dots": 576`, `"dots": 577`, `"dpi": 203`, `"dpi": 20`, `"xonxoff"`, `"both"`, `"processID"`, `"maybe"`, `1D 56 42 00`, `cut`),
			[]string{"dots must be a multiple of 8", "dpi must be", "flow.control must be", "confirm.method must be", "cut.command must be a command in hexadecimal"}},
		"answers": {change(`"0xx1xx00 0xx0xxxx 0xx0xxxx 0xx0xxxx"`, `"0xx1xx10 0xx0xxxx 0xx0xxxx"`, `"0xx0eenn"`, `"0xx0een"`),
			[]string{"status.automatic.answer: the first byte can be that of another answer, 0xx1xx10", `confirm.answer: "0xx0een" must be eight signs`}},
		"answers like XOFF": {change(`"0xx0eenn"`, `"000xeenn"`), []string{"confirm.answer: byte 1 can equal XON or XOFF"}},
		"bits": {change(`"1.3|1.2"`, ``, `"offline": "1.3"`, `"offline": "2.3"`, `"cover": "1.2"`, `"lid": "1.2"`),
			[]string{"status.polls[0].bits.offline: \"2.3\" must be like", "status.polls[1].bits.lid: there is no such sensor"}},
		"automatic in order": {change(`"processID"`, `"inOrder"`), []string{"status.automatic cannot go with confirm.method inOrder"}},
		"no question":        {change(`"ask": "1D 72 01", `, ``, `"processID"`, `"inOrder"`), []string{"confirm.ask must be a command"}},
		"no realtime poll":   {change(`"10 04 01"`, `"1D 72 05"`), []string{"status.polls[0].ask must be a realtime command"}},
		"small buffer":       {change(`"xonxoff", "buffer": 4096`, `"none", "buffer": 600`), []string{"flow.buffer must be at least 1024 bytes above"}},
		"presenter":          {change(`"clear": true,`, `"clear": true, "presenter": {"retract": "1D 65 02", "present": "A"},`), []string{"presenter.retract is of no use", "presenter.present must be a command"}},
	} {
		_, err := ParseProfile([]byte(c.in))
		if err == nil {
			t.Errorf("%s: taken", name)
			continue
		}
		for _, w := range c.want {
			if n := strings.Count(err.Error(), w); n != 1 {
				t.Errorf("%s: %q stands %d times in %v", name, w, n, err)
			}
		}
	}
}

// FuzzParseProfile: a file is refused or can be driven and played.
func FuzzParseProfile(f *testing.F) {
	for _, name := range []string{"profiles/epson80.json", "profiles/custom80.json", "profiles/mute58.json", "testdata/vkp80.json"} {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"status":{"polls":[{"ask":"10","answer":"","bits":{"cover":"1.1-3=9"}}]},"notes":[1]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParseProfile(data)
		if err != nil {
			if p != nil || !strings.HasPrefix(err.Error(), "cannot ") {
				t.Errorf("%v, %v", p, err)
			}
			return
		}
		cmds, err := Encode(numbered("a", 30), p)
		if err != nil {
			t.Fatal(err)
		}
		sim := NewSim(p, nil)
		for _, c := range cmds {
			sim.run(c)
		}
		for _, q := range sim.dialect.polls {
			if a := q.compose(sim.sensor); len(a) != len(q.answer) {
				t.Errorf("%d bytes answer %s", len(a), q.answer)
			}
		}
		New(nil, p, nil)
		makePlan(cmds, p, sim.dialect, nil)
	})
}

package printer

import (
	"encoding/hex"
	"strings"
	"testing"
)

// answerOf gives the answer of a profile's poll, found by its request in hexadecimal, to f.
func (f *flags) answerOf(t *testing.T, lang *dialect, ask, answer string) {
	t.Helper()
	data, _ := hex.DecodeString(strings.ReplaceAll(answer, " ", ""))
	if ask == "" {
		f.automatic(lang.automatic, data)
		return
	}
	want, _ := hex.DecodeString(strings.ReplaceAll(ask, " ", ""))
	for i := range lang.polls {
		if string(lang.polls[i].ask) == string(want) {
			f.take(&lang.polls[i].report, data)
			return
		}
	}
	t.Fatalf("no poll %s", ask)
}

// TestDialects holds the data files against bytes worked out by hand from the manuals.
func TestDialects(t *testing.T) {
	epson := func(n string) string { return "10 04 0" + n }
	for _, c := range []struct {
		profile, name, ask, answer string
		want                       Reason
		paper                      string
	}{
		{"epson80", "all well", epson("1"), "12", "", "full"},
		{"epson80", "drawer", epson("1"), "16", "", "full"},
		{"epson80", "off-line without cause", epson("1"), "1a", Offline, "full"},
		{"epson80", "cover", epson("2"), "16", CoverOpen, "full"},
		{"epson80", "stopped by paper end", epson("2"), "32", PaperOut, "out"},
		{"epson80", "cutter", epson("3"), "1a", CutterJam, "full"},
		{"epson80", "unrecoverable", epson("3"), "32", HardwareError, "full"},
		{"epson80", "hot", epson("3"), "52", HeadHot, "full"},
		{"epson80", "near end", epson("4"), "1e", "", "low"},
		{"epson80", "paper end", epson("4"), "7e", PaperOut, "out"},
		{"epson80", "automatic: well", "", "10 00 00 00", "", "full"},
		{"epson80", "automatic: cover", "", "38 00 00 00", CoverOpen, "full"},
		{"epson80", "automatic: cutter", "", "18 08 00 00", CutterJam, "full"},
		{"epson80", "automatic: unrecoverable", "", "18 20 00 00", HardwareError, "full"},
		{"epson80", "automatic: hot", "", "18 40 00 00", HeadHot, "full"},
		{"epson80", "automatic: near end", "", "10 00 03 00", "", "low"},
		{"epson80", "automatic: paper end", "", "18 00 0f 00", PaperOut, "out"},
		{"epson80", "automatic: feed button", "", "18 00 00 00", Offline, "full"},
		{"kp628e", "not taken", epson("1"), "92", "", "full"},
		{"custom80", "well", "10 04 14", "10 0f 00 00 00 00", "", "full"},
		{"custom80", "no paper, near end", "10 04 14", "10 0f 05 00 00 00", PaperOut, "out"},
		{"custom80", "near end", "10 04 14", "10 0f 04 00 00 00", "", "low"},
		{"custom80", "ticket in the output", "10 04 14", "10 0f 20 00 00 00", "", "full"},
		{"custom80", "head up", "10 04 14", "10 0f 00 01 00 00", CoverOpen, "full"},
		{"custom80", "cover", "10 04 14", "10 0f 00 02 00 00", CoverOpen, "full"},
		{"custom80", "motor and a key", "10 04 14", "10 0f 00 28 00 00", "", "full"},
		{"custom80", "head hot", "10 04 14", "10 0f 00 00 01 00", HeadHot, "full"},
		{"custom80", "voltage", "10 04 14", "10 0f 00 00 08 00", HeadHot, "full"},
		{"custom80", "jam", "10 04 14", "10 0f 00 00 40 00", OutputJam, "full"},
		{"custom80", "cutter", "10 04 14", "10 0f 00 00 00 01", CutterJam, "full"},
		{"custom80", "cutter's cover", "10 04 14", "10 0f 00 00 00 02", CoverOpen, "full"},
		{"custom80", "RAM", "10 04 14", "10 0f 00 00 00 04", HardwareError, "full"},
		{"msd347", "paper end", epson("4"), "7e", PaperOut, "out"},
	} {
		lang, _ := compile(profile(t, c.profile))
		var f flags
		for _, q := range lang.polls {
			f.take(&q.report, q.compose(func(Sensor) bool { return false }))
		}
		for range 2 {
			f.answerOf(t, lang, c.ask, c.answer)
			if c.ask != "" {
				f.round()
			}
		}
		s := f.status()
		s.Online = true
		if s.fault() != c.want || s.Paper != c.paper {
			t.Errorf("%s, %s: %q and paper %s, want %q and %s", c.profile, c.name, s.fault(), s.Paper, c.want, c.paper)
		}
		if there := strings.Contains(c.name, "ticket") || strings.Contains(c.name, "not taken"); f.is(SensorPresented) != there {
			t.Errorf("%s, %s: presented %v", c.profile, c.name, !there)
		}
	}
	if s := new(flags).status(); s.Paper != "unknown" || s.Cover != "unknown" || s.fault() != Offline {
		t.Errorf("before any answer: %+v", s)
	}
}

// TestAnswersAreTheirOwn: what the simulator says with one sensor on, the driver hears as that sensor and no other.
func TestAnswersAreTheirOwn(t *testing.T) {
	for name, p := range Profiles() {
		lang, _ := compile(p)
		reports := []report{}
		for _, q := range lang.polls {
			reports = append(reports, q.report)
		}
		if lang.automatic != nil {
			reports = append(reports, *lang.automatic)
		}
		for i := range reports {
			r := &reports[i]
			for _, b := range r.bits {
				data := r.compose(func(s Sensor) bool { return s == sensors[b.sensor] })
				for j, d := range data {
					if !r.answer.matches(j, d) {
						t.Errorf("%s: %s on makes %x, which does not look like %s", name, sensors[b.sensor], data, r.answer)
					}
				}
				var f flags
				f.take(r, data)
				for k := range sensors {
					if f.on[k] != (k == b.sensor) {
						t.Errorf("%s: %s on reads %s %v", name, sensors[b.sensor], sensors[k], f.on[k])
					}
				}
			}
		}
	}
}

// TestConditions reads the ways of naming bits.
func TestConditions(t *testing.T) {
	star := []byte{0, 0, 0, 0, 0, 0, 0, 0, 0x06}
	for _, c := range []struct {
		when string
		data []byte
		want bool
	}{
		{"1.3", []byte{0x08}, true}, {"1.3", []byte{0xF7}, false}, {"!1.3", []byte{0xF7}, true}, {"!1.3", []byte{0x08}, false},
		{"1.2|1.3", []byte{0x08}, true}, {"1.2 | 1.3", []byte{0x10}, false}, {"2.0", []byte{0, 1}, true},
		{"9.1-3=3", star, true}, {"9.1-3=7", star, false}, {"9.1-3=0", star, false}, {"1.0-7=255", []byte{255}, true},
	} {
		got, err := parseCondition(c.when, len(c.data))
		if err != nil || got.holds(c.data) != c.want {
			t.Errorf("%q of %x: %v, %v", c.when, c.data, err, !c.want)
		}
	}
	for _, bad := range []string{"", "1", "1.8", "0.1", "3.1", "1.3=1", "1.3-1=0", "1.1-3", "1.1-3=8", "!1.1-2=1", "1.x", "1.1|", "1.1-2=x", "1.-1"} {
		if _, err := parseCondition(bad, 2); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

package maintenance

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"yuanban/devices/buttons"
	"yuanban/kiosk/journal"
	"yuanban/kiosk/station"
	"yuanban/kiosk/upstream"
	"yuanban/ui/view"
	"yuanban/ui/wording"
)

var allDevices = []string{"reader", "printer", "buttons", "sensors", "relay"}

// english finds what a technician here need not be able to read. Names that are the same in every language are none.
var english = regexp.MustCompile(`[A-Za-z]{3,}`)

// chinese complains about a text that is missing or in another language. what names the condition.
func chinese(t *testing.T, what string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		plain := strings.NewReplacer("GPIO", "", "RTS", "", "CTS", "", "PIN", "", "upstream.token", "", "upstream.url", "").Replace(text)
		if text == "" || strings.Contains(text, "⟦") || english.MatchString(plain) {
			t.Errorf("%s is told as %q", what, text)
		}
	}
}

// TestConditions: everything that the drivers can say of a device has its words and, where something is to be done, its next step; the
// driver's English stands beside and nowhere else. That every driver's condition is one of these words is a test of package station.
func TestConditions(t *testing.T) {
	d := New(Options{Words: wording.Default(), Location: time.UTC, Box: view.Box{Width: 1080, Height: 1920}})
	const raw = "the driver's words"
	for _, device := range allDevices {
		for _, state := range []station.State{station.Online, station.Offline, station.HardwareError} {
			for _, w := range station.Words() {
				h := station.Health{Device: device, State: state, Detail: raw, Since: time.Now(), Seen: []station.Condition{{Word: w, Value: "07"}}}
				c := d.device(h)
				what := fmt.Sprintf("%s of the %s, %s,", w, device, state)
				chinese(t, what, c.Name, c.Mark, c.Detail)
				if c.Well != (state == station.Online && !w.Fault()) {
					t.Errorf("%s is well: %v", what, c.Well)
				}
				if w.Fault() {
					chinese(t, "the next step after "+what, c.Next)
				}
				if shown := d.cards(&Facts{Devices: []station.Health{h}}); strings.Contains(fmt.Sprint(shown), raw) != (state != station.Online) {
					t.Errorf("%s shows %+v", what, shown[0])
				}
			}
		}
	}
	for _, in := range append(buttons.RatingButtons(), buttons.HelpButton(), station.KeySwitch(), buttons.DoorContact(), buttons.PresenceSensor()) {
		if got := d.seen([]station.Condition{{Word: station.Stuck, Of: in.Name}}); strings.Contains(got, in.Name) {
			t.Errorf("the %s is called %q", in.Name, got)
		} else {
			chinese(t, in.Name, got)
		}
	}
	c := d.device(station.Health{Device: "printer", State: station.Online, Seen: []station.Condition{{Word: station.CoverOpen}, {Word: station.PaperOut}}})
	if c.Well || c.Next != d.word("maint.next.coverOpen") || !strings.Contains(c.Detail, d.word("maint.seen.paperOut")) {
		t.Errorf("a printer that answers and cannot print: %+v", c)
	}
	c = d.device(station.Health{Device: "reader", State: station.HardwareError, Seen: []station.Condition{{Word: station.Cycled, Value: "1"}, {Word: station.Mute}}})
	if c.Mark != d.word("maint.state.mute") || c.Next != d.word("maint.next.cycled") {
		t.Errorf("a mute reader whose power is being switched: %+v", c)
	}
	unused := map[string]bool{}
	for _, key := range wording.Default().Keys() {
		if w, ok := strings.CutPrefix(key, "maint.seen."); ok {
			unused[w] = true
		}
	}
	for _, w := range station.Words() {
		delete(unused, string(w))
	}
	if len(unused) > 0 {
		t.Errorf("no device ever says %v", unused)
	}
}

// TestFaultsOfTheMachine: so does everything that can be wrong with journal, disk, clock and platform.
func TestFaultsOfTheMachine(t *testing.T) {
	d := New(Options{Words: wording.Default(), Location: time.UTC, Box: view.Box{Width: 1080, Height: 1920}})
	check := func(what string, f Facts) {
		t.Helper()
		c := d.cards(&f)[0]
		if c.Well || c.Raw == "" && f.Room == nil && (f.Cause != "" || !f.Platform) {
			t.Errorf("%s is told as %+v", what, c)
		}
		chinese(t, what, c.Name, c.Mark, c.Detail, c.Next)
	}
	said := map[string]error{}
	for _, err := range []error{journal.ErrDiskFull, journal.ErrReadOnly, journal.ErrDamaged, errors.New("other")} {
		err := fmt.Errorf("cannot write: %w", err)
		check(err.Error(), Facts{Recording: err})
		if text := d.journal(&Facts{Recording: err}).Detail; said[text] != nil {
			t.Errorf("%v is told as %v is", err, said[text])
		} else {
			said[text] = err
		}
	}
	for _, err := range []error{journal.ErrClockUnset, journal.ErrClockBehind, journal.ErrClockAhead, errors.New("other")} {
		check(err.Error(), Facts{Clock: fmt.Errorf("%w (it shows 1970)", err)})
	}
	check("little room", Facts{Room: journal.ErrLowRoom, Free: 5e6})
	check("little room of an unknown size", Facts{Room: journal.ErrLowRoom})
	for _, c := range upstream.Causes() {
		check(string(c), Facts{Platform: true, Cause: c, LastError: "no route"})
	}
	check("a platform that was not asked yet", Facts{Platform: true})
}

// TestStickFailures: so does every failure of an update: what the unit says of the stick, why a bundle is refused, and each step.
func TestStickFailures(t *testing.T) {
	var whys []string
	for file, pattern := range map[string]string{"../../provisioning/stick.go": `stickError\{"(\w+)"`, "../../provisioning/bundle/read.go": `Reason = "(\w+)"`} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(pattern).FindAllSubmatch(source, -1)
		if len(found) < 4 {
			t.Errorf("%s has %d reasons, there are more", file, len(found))
		}
		for _, m := range found {
			whys = append(whys, string(m[1]))
		}
	}
	whys = append(whys, "Ask", "Download", "Install", "Verify", "Commit", "Rollback")
	unknown := wording.Default().Text("maint.stick.failed.unknown")
	for _, why := range append(whys, "", "new") {
		synctest.Test(t, func(t *testing.T) {
			b := stand(t, withKey)
			b.report(StickReport{Step: "Failed", Text: "cannot do it", Why: why})
			b.desk.Key(true)
			b.do("tasks")
			b.do("stick")
			v := b.trial()
			if v.Failure == nil || v.Failure.Code != "M-742" || v.Raw != "cannot do it" || (v.Failure.Means == unknown) != (why == "" || why == "new") {
				t.Fatalf("%q is told as %+v", why, v.Failure)
			}
			chinese(t, why, v.Failure.What, v.Failure.Means, v.Failure.Do)
		})
	}
}

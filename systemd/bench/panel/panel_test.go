package panel

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"yuanban/systemd/bench/agent"
)

// fakeGuest has the attributes of two chips and notes what is written.
type fakeGuest struct {
	numbers map[string]string // of the chips
	high    map[string]bool   // lines of gpiochip0
	tape    strings.Builder
}

func (g *fakeGuest) Get(_ context.Context, path string) ([]byte, error) {
	switch {
	case strings.HasSuffix(path, "/panel/dev_name"):
		return []byte("gpio-sim.0\n"), nil
	case strings.HasSuffix(path, "/bank0/chip_name"):
		return []byte(g.numbers[strings.Split(path, "/")[5]] + "\n"), nil
	}
	if line, ok := strings.CutPrefix(path, "/sys/devices/platform/gpio-sim.0/gpiochip0/sim_gpio"); ok {
		return map[bool][]byte{true: []byte("1\n"), false: []byte("0\n")}[g.high[strings.TrimSuffix(line, "/value")]], nil
	}
	return nil, fmt.Errorf("no file %s", path)
}

// Write gives out numbers as the kernel does: the lowest that is free.
func (g *fakeGuest) Write(_ context.Context, steps ...agent.Step) error {
	for _, s := range steps {
		path := strings.NewReplacer("/sys/devices/platform/gpio-sim.0/gpiochip*/sim_gpio", "line ", "/sys/kernel/config/gpio-sim/", "").Replace(s.Path)
		fmt.Fprintf(&g.tape, "%v %s %s\n", s.After, path, s.Data)
		if chip, ok := strings.CutSuffix(path, "/live"); ok {
			g.numbers[chip] = ""
			for n := 0; s.Data == "1" && g.numbers[chip] == ""; n++ {
				if name := fmt.Sprintf("gpiochip%d", n); g.numbers["panel"] != name && g.numbers["spare"] != name {
					g.numbers[chip] = name
				}
			}
		}
	}
	return nil
}

func TestHands(t *testing.T) {
	for _, h := range []struct{ action, tape string }{
		{"press 3", "0s line 2/pull pull-down\n300ms line 2/pull pull-up\n100ms line 2/pull pull-up\n"},
		{"press 1 and 5", "0s line 0/pull pull-down\n0s line 4/pull pull-down\n300ms line 0/pull pull-up\n0s line 4/pull pull-up\n100ms line 4/pull pull-up\n"},
		{"press door", "0s line 6/pull pull-down\n300ms line 6/pull pull-up\n100ms line 6/pull pull-up\n"},
		{"hold 2", "0s line 1/pull pull-down\n"},
		{"release 2", "0s line 1/pull pull-up\n100ms line 1/pull pull-up\n"},
	} {
		g := &fakeGuest{numbers: map[string]string{"panel": "gpiochip0", "spare": "gpiochip1"}}
		p, err := Open(t.Context(), g)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Hands(t.Context()).Do(h.action); err != nil || g.tape.String() != h.tape {
			t.Errorf("%s: %v\n%s, want\n%s", h.action, err, &g.tape, h.tape)
		}
	}
}

func TestBounce(t *testing.T) {
	g := &fakeGuest{}
	p, err := Open(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Hands(t.Context()).Do("bounce 4"); err != nil {
		t.Fatal(err)
	}
	if down, up := strings.Count(g.tape.String(), pressed), strings.Count(g.tape.String(), released); down != 2*bounces+1 || up != 2*bounces+2 {
		t.Errorf("%d times down, %d times up:\n%s", down, up, &g.tape)
	}
}

// TestReplug: the chip comes back under another number, each time, and nothing is held.
func TestReplug(t *testing.T) {
	g := &fakeGuest{numbers: map[string]string{"panel": "gpiochip0", "spare": "gpiochip1"}}
	p, err := Open(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	hands := p.Hands(t.Context())
	for range 4 {
		before := g.numbers["panel"]
		g.tape.Reset()
		if err := hands.Do("unplug"); err != nil || g.tape.String() != "0s panel/live 0\n" {
			t.Errorf("unplug: %v, %s", err, &g.tape)
		}
		if err := hands.Do("replug"); err != nil {
			t.Fatal(err)
		}
		if now := g.numbers["panel"]; now == before || now == "" {
			t.Errorf("the chip was %s and is %q", before, now)
		}
		if !strings.HasSuffix(g.tape.String(), "0s line 7/pull pull-up\n0s line 8/pull pull-up\n") {
			t.Errorf("the inputs are not at rest:\n%s", &g.tape)
		}
	}
}

func TestSee(t *testing.T) {
	g := &fakeGuest{numbers: map[string]string{"panel": "gpiochip0"}, high: map[string]bool{"9": true, "11": true, "14": false}}
	p, err := Open(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	for action, ok := range map[string]bool{
		"see lamp 1 dark": true, "see lamp 1 lit": false, "see lamp 2 dark": false, "see lamp 2 lit": true, "see lamp 3 dark": true,
		"see reader powered": true, "see reader off": false,
		"see lamp 6 lit": false, "see lamp 1 blue": false, "see": false, "see lamp": false, "see door lit": false,
	} {
		if err := p.Hands(t.Context()).Do(action); (err == nil) != ok {
			t.Errorf("%s: %v", action, err)
		}
	}
}

func TestRefused(t *testing.T) {
	p, err := Open(t.Context(), &fakeGuest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, action := range []string{"", "press", "press 6", "press 0", "press lamp-1", "dance 1", "press 1 and 9", "unplugged"} {
		if err := p.Hands(t.Context()).Do(action); err == nil {
			t.Errorf("%q was done", action)
		}
	}
}

// TestMakeChip writes what the kernel wants to read, in a folder in place of configfs.
func TestMakeChip(t *testing.T) {
	root := t.TempDir()
	if err := makeChip(filepath.Join(root, "chip"), "a label", []string{"first", "", "third"}); err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		fmt.Fprintf(&got, "%s %s\n", strings.TrimPrefix(path, root+"/"), text)
		return err
	})
	want := "chip/bank0/label a label\nchip/bank0/line0/name first\nchip/bank0/line2/name third\nchip/bank0/num_lines 3\nchip/live 1\n"
	if err != nil || got.String() != want {
		t.Errorf("%v\n%s, want\n%s", err, &got, want)
	}
	if err := makeChip(filepath.Join(root, "chip"), "a label", nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("made twice: %v", err)
	}
}

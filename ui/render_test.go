package ui

import (
	"flag"
	"html"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"yuanban/ui/gallery"
	"yuanban/ui/view"
	"yuanban/ui/wording"
)

var update = flag.Bool("update", false, "write the golden screens anew")

func newServer(t testing.TB, role Role) *Server {
	t.Helper()
	s, err := New(Options{Words: wording.Default(), Role: role, Screen: Screen{1080, 1920, 21.5}, Hosts: []string{"127.0.0.1:1"}, Now: gallery.Moment})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSamplesRender renders every sample, and walks from each to home and to help.
func TestSamplesRender(t *testing.T) {
	servers := map[string]*Server{"kiosk": newServer(t, RoleKiosk), "pad": newServer(t, RolePad)}
	names, screens := map[string]bool{}, map[string]bool{}
	for _, sample := range gallery.All() {
		if names[sample.Name] {
			t.Errorf("two samples are called %s", sample.Name)
		}
		names[sample.Name], screens[sample.View.Screen] = true, true
		r, err := servers[sample.Role].render(sample.View, 1)
		if err != nil {
			t.Errorf("%s: %v", sample.Name, err)
			continue
		}
		all := ""
		for _, name := range regions {
			all += r.regions[name]
		}
		for _, bad := range []string{"⟦", "<no value>", "ZgotmplZ", " style=", "<script", "onclick"} {
			if strings.Contains(all, bad) {
				t.Errorf("%s: the screen has %q in it", sample.Name, bad)
			}
		}
		if sample.View.Title == "" || strings.Count(all, "<h1") != 1 {
			t.Errorf("%s: a screen has one title", sample.Name)
		}
		if sample.Role == "pad" {
			continue
		}
		for _, do := range []string{"home", "help", "mode"} {
			if !strings.Contains(r.regions["nav"], string(act(do)[:len(act(do))-len(`}"`)])) && !strings.Contains(r.regions["nav"], `&#34;do&#34;:&#34;`+do+`&#34;`) {
				t.Errorf("%s: no way to %s", sample.Name, do)
			}
		}
	}
	templates, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	parts := []string{"page", "layout", "partials", "drawings", "sprite"}
	for _, path := range templates {
		name := strings.TrimSuffix(filepath.Base(path), ".html")
		if !slices.Contains(parts, name) && !screens[name] {
			t.Errorf("no sample shows the screen %s", name)
		}
	}
}

// TestGolden compares how screens read, as plain text, with testdata/golden.
func TestGolden(t *testing.T) {
	kiosk := newServer(t, RoleKiosk)
	for _, sample := range gallery.All() {
		if !slices.Contains([]string{"home", "card-lay-right", "letter-2", "accepted-paper-out", "rating", "company-wrong"}, sample.Name) {
			continue
		}
		r, err := kiosk.render(sample.View, 1)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, name := range regions {
			if text := readable(r.regions[name]); text != "" {
				got += "[" + name + "]\n" + text + "\n"
			}
		}
		path := filepath.Join("testdata", "golden", sample.Name+".txt")
		if *update {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil || string(want) != got {
			t.Errorf("%s reads differently from %s (%v); look at it, then run the test with -update:\n%s", sample.Name, path, err, got)
		}
	}
}

var (
	drawing = regexp.MustCompile(`(?s)<svg.*?</svg>`)
	action  = regexp.MustCompile(`<button[^>]*data-act="([^"]*)"[^>]*?(disabled)?>`)
	tag     = regexp.MustCompile(`<[^>]*>`)
)

// readable is what a region says: words, and what each button sends.
func readable(region string) string {
	region = drawing.ReplaceAllString(region, "")
	region = action.ReplaceAllString(region, "\n$1 $2 ")
	region = regexp.MustCompile(`</button>|</p>|</h[123]>|</li>`).ReplaceAllString(region, "\n")
	var lines []string
	for line := range strings.Lines(html.UnescapeString(tag.ReplaceAllString(region, " "))) {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// TestWordsAreUsed keeps the wording file and the templates together.
//
// Texts that Go code asks for by a computed key have the prefixes below; all other texts must stand in a template.
func TestWordsAreUsed(t *testing.T) {
	byCode := regexp.MustCompile(`^([A-Z]-\d{3}\.|cause\.|do\.|hold\.|state\.|level\.|working\.|thanks\.word|ended\.|wiped\.|banner\.|why\.|field\.|use\.|reason\.card\.|reading\.|print\.words\.|step\.|mode\.|card\.lay\.|card\.kind\.|draw\.|flow\.|casefile\.|receipt\.|bench\.|pad\.|paper\.|sheet\.|assist\.|recorded\.|brand\.|maint\.|tech\.device\.|tech\.state\.)|\.title(\.|$)`)
	inTemplate := regexp.MustCompile(`\bt "([^"]+)"`)
	book := wording.Default()
	used := map[string]bool{}
	paths, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		text, err := fs.ReadFile(files, path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range inTemplate.FindAllStringSubmatch(string(text), -1) {
			used[m[1]] = true
			if !book.Has(m[1]) {
				t.Errorf("%s uses the text %q, which is not in the wording file", path, m[1])
			}
		}
	}
	code := goSources(t)
	for _, key := range book.Keys() {
		if !used[key] && !byCode.MatchString(key) && !strings.Contains(code, `"`+key+`"`) {
			t.Errorf("nothing uses the text %q", key)
		}
	}
}

// goSources is the Go code of the whole program and the pages beside it, for the keys that stand in them.
func goSources(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" && filepath.Ext(path) != ".html" {
			return err
		}
		text, err := os.ReadFile(path)
		all.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

func TestChangesSince(t *testing.T) {
	s := newServer(t, RoleKiosk)
	first, err := s.render(view.View{Screen: "thanks", Title: "评价已收到", Body: view.Thanks{Word: "谢谢"}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if m := first.changesSince(rendered{}); !m.Snapshot || len(m.Regions) != len(regions) {
		t.Errorf("the first message is a snapshot of all regions, got snapshot %v with %d", m.Snapshot, len(m.Regions))
	}
	second, err := s.render(view.View{Screen: "thanks", Title: "评价已收到", Body: view.Thanks{Word: "再见"}}, 2)
	if err != nil {
		t.Fatal(err)
	}
	m := second.changesSince(first)
	if _, ok := m.Regions["main"]; m.Snapshot || !ok || len(m.Regions) != 1 {
		t.Errorf("only main changed, got %v", m.Regions)
	}
}

// TestEscaping shows that what comes from cards, catalogues and visitors stays text.
func TestEscaping(t *testing.T) {
	s := newServer(t, RoleKiosk)
	evil := `"><script>alert(1)</script><img src=x onerror=1>`
	r, err := s.render(view.View{Screen: "browse", Title: evil, Body: view.Browse{Tab: "items", Items: []view.ItemRow{{Code: evil, Name: evil, Applicable: true}}},
		Foot: []view.Button{{Label: evil, Do: "x", Args: map[string]string{"item": evil}}}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range r.regions {
		if strings.Contains(text, "<script") || strings.Contains(text, "<img src=x") || strings.Contains(text, `data-act="{"`) {
			t.Errorf("region %s lets markup through: %s", name, text)
		}
	}
}

// TestUnknownScreen shows a sentence instead of nothing.
func TestUnknownScreen(t *testing.T) {
	r := newServer(t, RoleKiosk).renderOrFault(view.View{Screen: "nosuch"}, 1)
	if !strings.Contains(r.regions["main"], "S-901") {
		t.Errorf("an unknown screen shows %q", r.regions["main"])
	}
}

func TestScreenSize(t *testing.T) {
	if got := (Screen{1080, 1920, 21.5}).PerMM(); got < 4.03 || got > 4.04 {
		t.Errorf("a 21.5 inch display of 1080x1920 has 4.034 pixels a millimetre, got %.3f", got)
	}
	for _, bad := range []Screen{{}, {1080, 1920, 0}, {10, 10, 21.5}, {1080, 1920, 1000}} {
		if bad.check() == nil {
			t.Errorf("%+v was taken for a display", bad)
		}
	}
}

func TestBudget(t *testing.T) {
	now := time.Unix(0, 0)
	b := budget{tokens: actionsBurst, at: now}
	for i := range actionsBurst {
		if !b.take(now) {
			t.Fatalf("action %d of a burst was refused", i)
		}
	}
	if b.take(now) {
		t.Error("an action beyond the burst was taken")
	}
	if !b.take(now.Add(time.Second / actionsPerSec)) {
		t.Error("the budget does not fill again")
	}
}

func BenchmarkRender(b *testing.B) {
	s := newServer(b, RoleKiosk)
	for _, sample := range gallery.All() {
		if sample.Name != "home" && sample.Name != "package" {
			continue
		}
		b.Run(sample.Name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.render(sample.View, 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

package ui

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"html/template"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"yuanban/ui/view"
)

// regions are the parts of the page that are sent on their own, in the order of the page. Each is a template
// "region-<name>" of templates/layout.html; main is the screen's own template.
var regions = [...]string{"top", "nav", "step", "title", "banner", "main", "foot", "overlay"}

// rendered is a view as HTML.
type rendered struct {
	serial  uint64
	screen  string
	title   string
	classes []string
	regions map[string]string
}

// changesSince returns the message that brings a display from old to r: everything where there is no old.
func (r rendered) changesSince(old rendered) message {
	m := message{Seq: r.serial, Screen: r.screen, Title: r.title, Classes: r.classes, Snapshot: old.screen == ""}
	m.Regions = map[string]string{}
	for name, text := range r.regions {
		if before, ok := old.regions[name]; !ok || before != text {
			m.Regions[name] = text
		}
	}
	return m
}

// page is what templates see.
type page struct {
	view.View
	Role Role
	Park string
	Now  time.Time
}

// render makes the HTML of a view.
func (s *Server) render(v view.View, serial uint64) (rendered, error) {
	if s.pages.Lookup(v.Screen+".html") == nil {
		return rendered{}, fmt.Errorf("cannot render the screen %q: there is no template of this name", v.Screen)
	}
	p := page{View: v, Role: s.opts.Role, Park: s.park(), Now: s.opts.Now()}
	r := rendered{serial: serial, screen: v.Screen, title: v.Title, classes: s.classes(v), regions: map[string]string{}}
	var b bytes.Buffer
	for _, name := range regions {
		b.Reset()
		tmpl := "region-" + name
		if name == "main" {
			tmpl = v.Screen + ".html"
		}
		if err := s.pages.ExecuteTemplate(&b, tmpl, p); err != nil {
			return rendered{}, fmt.Errorf("cannot render the screen %q: %w", v.Screen, err)
		}
		r.regions[name] = tidy(b.String())
	}
	return r, nil
}

// renderOrFault shows S-901 where a view cannot be rendered: a visitor is never left with an empty screen.
func (s *Server) renderOrFault(v view.View, serial uint64) rendered {
	r, err := s.render(v, serial)
	if err == nil {
		return r
	}
	s.opts.Log.Error("cannot render a screen", "area", "ui", "err", err)
	fault := view.View{Screen: "fault", Title: s.words.Text("fault.title"), Modes: v.Modes, Body: view.Fault{Failure: s.words.Failure("S-901")}}
	r, err = s.render(fault, serial)
	if err != nil {
		s.opts.Log.Error("cannot render the fault screen", "area", "ui", "err", err)
	}
	return r
}

func (s *Server) park() string {
	if s.opts.Park != "" {
		return s.opts.Park
	}
	return s.words.Text("brand.name")
}

func (s *Server) classes(v view.View) []string {
	c := []string{"role-" + string(s.opts.Role), "screen-" + v.Screen}
	for name, on := range map[string]bool{
		"large": v.Modes.Large, "contrast": v.Modes.Contrast, "mute": v.Modes.Mute,
		"wheelchair": v.Modes.Wheelchair && s.opts.Role == RoleKiosk,
		"has-step":   v.Step != view.StepNone, "has-foot": len(v.Foot) > 0, "has-banner": v.Banner != nil,
	} {
		if on {
			c = append(c, name)
		}
	}
	slices.Sort(c)
	return c
}

// tidy drops the white space that templates leave between lines, so that messages are small and golden texts readable.
func tidy(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			b.WriteString(line)
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// funcs are the functions of the templates.
func (s *Server) funcs() template.FuncMap {
	return template.FuncMap{
		"t":       s.words.Text,
		"failure": func(code string) view.Failure { return s.words.Failure(code) },
		"park":    s.park,
		"act":     act,
		"button":  buttonAct,
		"icon":    icon,
		"qr":      qrCode,
		"ms":      func(t time.Time) int64 { return t.UnixMilli() },
		"dur":     func(d time.Duration) int64 { return d.Milliseconds() },
		"str":     strconv.Itoa,
		"size":    textSize,
		"keys":    keyRows,
		"steps":   func(now view.Step) []stepMark { return s.steps(now) },
		"modes":   func(m view.Modes) []modeMark { return s.modes(m) },
		"dict":    dict,
		"dots":    func(shift int) string { return "shift-" + strconv.Itoa(shift&7) },
		"why":     waiting,
		"chosen": func(rs []view.Reason) bool {
			return slices.ContainsFunc(rs, func(r view.Reason) bool { return r.Chosen })
		},
	}
}

// dict gives a partial several values: dict "name" value ….
func dict(pairs ...any) (map[string]any, error) {
	m := map[string]any{}
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("cannot make a dict of %d values: they are pairs", len(pairs))
	}
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("cannot make a dict: name %d is no string", i/2)
		}
		m[name] = pairs[i+1]
	}
	return m, nil
}

// act writes the attribute that makes an element send an action when it is touched.
func act(do string, pairs ...any) template.HTMLAttr {
	args := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		args[fmt.Sprint(pairs[i])] = fmt.Sprint(pairs[i+1])
	}
	return actAttr(do, args)
}

func buttonAct(b view.Button) template.HTMLAttr { return actAttr(b.Do, b.Args) }

func actAttr(do string, args map[string]string) template.HTMLAttr {
	all := maps.Clone(args)
	if all == nil {
		all = map[string]string{}
	}
	all["do"] = do
	body, _ := json.Marshal(all) // strings always marshal
	return template.HTMLAttr(`data-act="` + html.EscapeString(string(body)) + `"`)
}

// icon draws a symbol of the sprite; the word beside it says what it means.
func icon(name string) template.HTML {
	return template.HTML(`<svg class="icon" aria-hidden="true"><use href="#i-` + html.EscapeString(name) + `"></use></svg>`)
}

// textSize names a class for texts that may be very long, so that a name of 200 characters still fits whole.
func textSize(s string) string {
	switch n := utf8.RuneCountInString(s); {
	case n > 90:
		return "text-huge"
	case n > 40:
		return "text-long"
	case n > 18:
		return "text-medium"
	default:
		return "text-short"
	}
}

// waiting collects why disabled buttons wait, once each.
func waiting(buttons []view.Button) []string {
	var why []string
	for _, b := range buttons {
		if b.Disabled && b.Why != "" && !slices.Contains(why, b.Why) {
			why = append(why, b.Why)
		}
	}
	return why
}

type stepMark struct {
	Name      string
	N         int
	Done, Now bool
}

func (s *Server) steps(now view.Step) []stepMark {
	var marks []stepMark
	for i, key := range []string{"choose", "identity", "letter", "sign", "receipt", "rating"} {
		n := view.Step(i + 1)
		marks = append(marks, stepMark{Name: s.words.Text("step." + key), N: i + 1, Done: n < now, Now: n == now})
	}
	return marks
}

type modeMark struct {
	Mode, Name, Icon string
	On               bool
}

// modes lists the switches of the head. A pad has no 轮椅: it is small, and low enough.
func (s *Server) modes(m view.Modes) []modeMark {
	plain := !m.Large && !m.Contrast && !m.Wheelchair
	all := []modeMark{
		{"standard", s.words.Text("mode.standard"), "standard", plain},
		{"large", s.words.Text("mode.large"), "large", m.Large},
		{"contrast", s.words.Text("mode.contrast"), "contrast", m.Contrast},
		{"wheelchair", s.words.Text("mode.wheelchair"), "wheelchair", m.Wheelchair},
		{"mute", s.words.Text("mode.mute"), "mute", m.Mute},
	}
	if s.opts.Role == RolePad {
		all = slices.Delete(all, 3, 4)
	}
	return all
}

// Keyboards. The credit code has the 31 characters of GB 32100-2015: no I, O, S, V, Z.
func keyRows(k view.Keys, role Role) [][]string {
	rows := map[view.Keys]string{
		view.KeysDigits: "1 2 3|4 5 6|7 8 9|clear 0 del",
		view.KeysCredit: "1 2 3 4 5 6 7 8 9|0 A B C D E F G H|J K L M N P Q R T|U W X Y clear del",
		view.KeysPinyin: "q w e r t y u i o p|a s d f g h j k l|z x c v b n m clear del",
	}
	line := rows[k]
	if k == view.KeysPinyin && role == RolePad {
		line = "a b c d e f g h|i j k l m n o p|q r s t u v w x|y z clear del" // eight real keys are as wide as a pad
	}
	if k == view.KeysDigits && role == RolePad {
		line = "1 2 3 del|4 5 6 clear|7 8 9 0" // beside what is typed
	}
	var out [][]string
	for row := range strings.SplitSeq(line, "|") {
		out = append(out, strings.Fields(row))
	}
	return out
}

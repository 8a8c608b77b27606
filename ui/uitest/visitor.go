// Package uitest plays a person before a screen in tests that speak to the program as its page does, without a browser: it knows what is
// shown, and touches what a visitor touches on the way to a receipt.
package uitest

import (
	"html"
	"regexp"
	"strconv"
	"strings"
)

// Frame is what the program sends to its display.
type Frame struct {
	Screen  string            `json:"screen"`
	Regions map[string]string `json:"regions"`
}

// Screen is what is shown: the frames so far, put together.
type Screen struct {
	Name   string
	Main   string // HTML of the regions, without entities in Main
	Foot   string
	Banner string
}

// Look takes a frame in, and says whether the screen is another.
func (s *Screen) Look(f Frame) (changed bool) {
	if f.Screen != "" && f.Screen != s.Name {
		s.Name, changed = f.Screen, true
	}
	if text, ok := f.Regions["main"]; ok {
		s.Main = html.UnescapeString(text)
	}
	if text, ok := f.Regions["foot"]; ok {
		s.Foot = text
	}
	if text, ok := f.Regions["banner"]; ok {
		s.Banner = strings.TrimSpace(text)
	}
	return changed
}

var (
	stubNumber  = regexp.MustCompile(`(?s)<p class="stub-number">(.*?)</p>`)
	placeOfText = regexp.MustCompile(`第 (\d+) 页，共 (\d+) 页`)
	tag         = regexp.MustCompile(`<[^>]*>`)
)

// Numbers are the case numbers on the screen.
func (s *Screen) Numbers() (all []string) {
	for _, n := range stubNumber.FindAllStringSubmatch(s.Main, -1) {
		all = append(all, strings.Join(strings.Fields(tag.ReplaceAllString(n[1], "")), ""))
	}
	return all
}

// Message is an action as the page sends it, with names and values in turn.
func Message(do string, pairs ...string) map[string]string {
	m := map[string]string{"do": do}
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

// What a visitor types: the example of GB 32100-2015, and a number of no one.
const (
	CreditCode = "91350100M000100Y43"
	Telephone  = "13800001234"
)

// Visitor is a person who applies for two items of package P2.
type Visitor struct {
	Screen
	Send   func(do string, pairs ...string)
	Lay    func() // a card on the reader; asked for at each touch while the screen waits for one
	Remove func() // it
	keyed  bool
}

// Look takes a frame in, and says whether the screen is another.
func (v *Visitor) Look(f Frame) (changed bool) {
	if changed = v.Screen.Look(f); changed {
		v.keyed = false
	}
	return changed
}

// Touch does what a visitor does on this screen. On those from the receipt to the end of the rating it does nothing.
func (v *Visitor) Touch() {
	switch v.Name {
	case "attract":
		v.Send("touch")
	case "home":
		v.Send("package", "code", "P2")
	case "package":
		v.Send("toggle", "item", "P2-03")
		v.Send("toggle", "item", "P2-04")
		v.Send("apply")
	case "card":
		v.Lay()
	case "identity":
		v.Remove()
		v.Send("confirm")
	case "company":
		v.fill()
	case "letter":
		v.leaf()
	case "sign":
		v.Send("ink", "strokes", "[[[100,100,0],[120,130,20],[140,110,40],[160,150,60],[180,120,80],[200,160,100]]]")
		v.Send("submit")
	case "thanks":
		v.Send("finish")
	case "wiped", "fault":
		v.Send("home")
	}
}

// fill types the company's code and a telephone once, and goes on when both are taken.
func (v *Visitor) fill() {
	if !v.keyed {
		v.keyed = true
		v.Send("key", "key", "clear")
		for _, k := range CreditCode + Telephone {
			v.Send("key", "key", string(k))
		}
	}
	if !strings.Contains(v.Foot, "disabled") {
		v.Send("done")
	}
}

// leaf goes to the next page of the letter, or acknowledges it at its last.
func (v *Visitor) leaf() {
	if m := placeOfText.FindStringSubmatch(v.Main); m != nil && m[1] != m[2] {
		n, _ := strconv.Atoi(m[1]) // digits, by the pattern
		v.Send("page", "to", strconv.Itoa(n+1))
		return
	}
	v.Send("acknowledge")
}

// Package gallery holds believable sample views of every screen in every state, extremes included.
//
// Tests render and measure them, and `make screens` makes pictures of them. All people, firms and numbers are invented.
package gallery

import (
	"slices"
	"strings"
	"time"

	"yuanban/ui/view"
	"yuanban/ui/wording"
)

// Sample is one screen in one state.
type Sample struct {
	Name string // names the picture, e.g. card-reading
	Role string // "kiosk" or "pad"
	View view.View
}

// Moment is the time at which the samples happen; countdowns are relative to the real now, so that they run.
var moment = time.Date(2026, 11, 22, 14, 5, 0, 0, time.FixedZone("CST", 8*3600))

// Moment returns the time at which the samples happen.
func Moment() time.Time { return moment }

// All returns every sample, kiosk first. The countdowns of the samples end far from now.
func All() []Sample {
	b := book{wording.Default()}
	return slices.Concat(b.entrance(), b.browsing(), b.card(), b.letter(), b.receipt(), b.rating(), b.own(), b.open(), b.faults(), b.maintenance("kiosk"), b.pad(), b.maintenance("pad"))
}

// book makes samples from the texts of the product.
type book struct{ *wording.Book }

func (b book) kiosk(name, screen, title string, body any, change ...func(*view.View)) Sample {
	v := view.View{Screen: screen, Title: b.Text(title), Back: true, Body: body}
	for _, f := range change {
		f(&v)
	}
	return Sample{Name: name, Role: "kiosk", View: v}
}

func step(s view.Step) func(*view.View) { return func(v *view.View) { v.Step = s } }

func noBack(v *view.View) { v.Back = false }

func (b book) foot(buttons ...view.Button) func(*view.View) {
	for i := range buttons {
		if b.Has(buttons[i].Label) {
			buttons[i].Label = b.Text(buttons[i].Label, "count", "3")
		}
		if b.Has(buttons[i].Why) {
			buttons[i].Why = b.Text(buttons[i].Why)
		}
	}
	return func(v *view.View) { v.Foot = buttons }
}

func (b book) banner(key string) func(*view.View) {
	return func(v *view.View) { v.Banner = &view.Banner{Kind: view.BannerWarning, Text: b.Text(key)} }
}

func (b book) fail(code string, pairs ...string) *view.Failure {
	f := b.Failure(code, pairs...)
	return &f
}

// The extremes that every screen must hold.
var (
	longName   = strings.Repeat("园区企业固定资产投资项目节能审查与水土保持方案区域评估成果共享使用确认", 6)[:200*3]
	longPerson = "阿卜杜热合曼·买买提图尔荪·阿卜杜克热木·吐尔逊江别克"
)

func main(label, do string) view.Button { return view.Button{Label: label, Do: do, Main: true} }

func other(label, do string) view.Button { return view.Button{Label: label, Do: do} }

package bench

import (
	"net/http"
	"strconv"
	"time"

	"yuanban/devices/buttons"
)

// Bounds of a press: a button held for a minute is stuck by any measure, and no contact bounces for longer than a tenth of a second.
const (
	maxPress   = 60_000 // ms
	maxBounces = 100
)

// What a press is when nothing is said of it: a finger's, on a worn contact.
const (
	usualPress   = 120 // ms
	usualBounces = 6
)

// buttonsView is the box of rating buttons as JSON.
type buttonsView struct {
	Fault   string       `json:"fault"` // none or unplugged
	Buttons []buttonView `json:"buttons"`
}

// buttonView is one rating button; 5 is 非常满意.
type buttonView struct {
	N    int  `json:"n"`
	Down bool `json:"down"`
}

func (b *Bench) buttonsView() buttonsView {
	levels, err := b.lines.Levels()
	v := buttonsView{Fault: "none"}
	if err != nil {
		v.Fault = unplugged
	}
	for n := buttons.Count; n >= 1; n-- {
		v.Buttons = append(v.Buttons, buttonView{n, levels>>(n-1)&1 == 1})
	}
	return v
}

// lampView is the lamp of one rating button as JSON.
type lampView struct {
	N  int  `json:"n"`
	On bool `json:"on"`
}

func (b *Bench) lampViews() []lampView {
	all := make([]lampView, 0, len(b.lamps))
	for n := len(b.lamps); n >= 1; n-- {
		all = append(all, lampView{n, b.lamps[n-1].On()})
	}
	return all
}

// pressBody is how a button is pressed.
type pressBody struct {
	MS      *int `json:"ms"`
	Bounces *int `json:"bounces"`
}

// postPress presses a button; the answer comes at once, the press takes its time.
func (b *Bench) postPress(w http.ResponseWriter, r *http.Request) error {
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil || n < 1 || n > buttons.Count || strconv.Itoa(n) != r.PathValue("n") {
		return refuse(http.StatusNotFound, "cannot press button %q: they are called 1 to %d", r.PathValue("n"), buttons.Count)
	}
	var in pressBody
	if r.ContentLength != 0 {
		if in, err = body[pressBody](w, r); err != nil {
			return err
		}
	}
	ms, bounces := usualPress, usualBounces
	if in.MS != nil {
		ms = *in.MS
	}
	if in.Bounces != nil {
		bounces = *in.Bounces
	}
	if ms < 1 || ms > maxPress {
		return refuse(http.StatusBadRequest, "cannot press a button for %d ms: ms is from 1 to %d", ms, maxPress)
	}
	if bounces < 0 || bounces > maxBounces {
		return refuse(http.StatusBadRequest, "cannot press a button with %d bounces: bounces is from 0 to %d", bounces, maxBounces)
	}
	if levels, _ := b.lines.Levels(); levels>>(n-1)&1 == 1 { // unplugged buttons can be pressed too; nobody hears it
		return refuse(http.StatusConflict, "cannot press button %d: it is still held down", n)
	}
	b.lines.Press(n, time.Duration(ms)*time.Millisecond, bounces)
	b.hub.changed(partButtons)
	return reply(w, http.StatusAccepted, struct {
		N       int `json:"n"`
		MS      int `json:"ms"`
		Bounces int `json:"bounces"`
	}{n, ms, bounces})
}

func (b *Bench) getButtons(w http.ResponseWriter, _ *http.Request) error {
	return reply(w, http.StatusOK, b.buttonsView())
}

func (b *Bench) getButtonsFault(w http.ResponseWriter, _ *http.Request) error {
	f := b.buttonsView().Fault
	return reply(w, http.StatusOK, faultBody{&f})
}

func (b *Bench) putButtonsFault(w http.ResponseWriter, r *http.Request) error {
	f, err := fault(w, r, []string{"none", unplugged})
	if err != nil {
		return err
	}
	if f == unplugged {
		b.lines.Unplug()
	} else {
		b.lines.Replug()
	}
	b.hub.changed(partButtons)
	return b.getButtonsFault(w, r)
}

func (b *Bench) getLamps(w http.ResponseWriter, _ *http.Request) error {
	return reply(w, http.StatusOK, struct {
		Lamps []lampView `json:"lamps"`
	}{b.lampViews()})
}

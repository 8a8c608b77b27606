package bench

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"yuanban/devices/printer"
)

// printerView is the receipt printer as JSON. The same object, whole or in parts, changes it.
type printerView struct {
	Paper    string        `json:"paper"`
	Cover    string        `json:"cover"`
	Cutter   string        `json:"cutter"`
	Fault    string        `json:"fault"`
	Receipts []receiptView `json:"receipts"` // oldest first
}

// receiptView is one piece of paper: what each of its lines reads, and whether somebody has torn it off.
type receiptView struct {
	ID      string   `json:"id"`
	Lines   []string `json:"lines"`
	Taken   bool     `json:"taken"`
	Partial bool     `json:"partial"` // not cut: still being printed, or broken off
}

func (b *Bench) printerView() printerView {
	s := b.printer.State()
	v := printerView{Paper: s.Paper, Cover: s.Cover, Cutter: s.Cutter, Fault: string(s.Fault), Receipts: []receiptView{}}
	if !b.paperLink.Plugged() {
		v.Fault = unplugged
	}
	for _, r := range b.printer.Receipts() {
		v.Receipts = append(v.Receipts, viewOf(r))
	}
	return v
}

func viewOf(r printer.Receipt) receiptView {
	return receiptView{ID: r.ID, Lines: append([]string{}, r.Lines...), Taken: r.Taken, Partial: r.Partial}
}

func (b *Bench) getPrinter(w http.ResponseWriter, _ *http.Request) error {
	return reply(w, http.StatusOK, b.printerView())
}

// printerBody changes what is given; all of it or, when anything is wrong, nothing.
type printerBody struct {
	Paper      *string       `json:"paper"`
	Cover      *string       `json:"cover"`
	Cutter     *string       `json:"cutter"`
	Fault      *string       `json:"fault"`
	PaperLines *int          `json:"paperLines"`
	Receipts   []receiptBody `json:"receipts"`
}

// receiptBody takes a receipt. The fields that cannot be changed may stand in it as GET gave them.
type receiptBody struct {
	ID      string   `json:"id"`
	Lines   []string `json:"lines"`
	Taken   *bool    `json:"taken"`
	Partial *bool    `json:"partial"`
}

// maxPaperLines is more than a roll holds.
const maxPaperLines = 100_000

func (p printerBody) check() error {
	for _, f := range []struct {
		name    string
		value   *string
		allowed []string
	}{
		{"paper", p.Paper, []string{"full", "low", "out"}},
		{"cover", p.Cover, []string{"closed", "open"}},
		{"cutter", p.Cutter, []string{"ok", "jammed"}},
		{"fault", p.Fault, []string{"none", "silent", unplugged}},
	} {
		if f.value == nil {
			continue
		}
		if err := oneOf(f.name, *f.value, f.allowed); err != nil {
			return err
		}
	}
	if n := p.PaperLines; n != nil && (*n < 0 || *n > maxPaperLines) {
		return refuse(http.StatusBadRequest, "cannot let the paper end after %d lines: paperLines is from 0 to %d", *n, maxPaperLines)
	}
	if p.PaperLines != nil && p.Paper != nil && *p.Paper == "out" && *p.PaperLines > 0 {
		return refuse(http.StatusConflict, "cannot have paper out and %d lines of it left: give one of both", *p.PaperLines)
	}
	return nil
}

func (b *Bench) putPrinter(w http.ResponseWriter, r *http.Request) error {
	in, err := body[printerBody](w, r)
	if err != nil {
		return err
	}
	if err := in.check(); err != nil {
		return err
	}
	b.plugging.Lock()
	defer b.plugging.Unlock()
	for _, t := range in.Receipts {
		if err := b.mayTake(t); err != nil {
			return err
		}
	}
	if err := b.setPrinter(in); err != nil {
		return err
	}
	b.hub.changed(partPrinter)
	return b.getPrinter(w, r)
}

// setPrinter makes the changes of a body that has been checked.
func (b *Bench) setPrinter(in printerBody) error {
	word := func(s *string) string {
		if s == nil {
			return "" // stays as it is
		}
		return *s
	}
	paper := word(in.Paper)
	if paper == "low" && b.printer.State().Paper == "low" {
		paper = "" // it may be low because it ends soon, and is to end all the same
	}
	err := b.printer.Set(paper, word(in.Cover), word(in.Cutter))
	if in.PaperLines != nil {
		b.printer.SetPaperLeft(*in.PaperLines)
	}
	for _, t := range in.Receipts {
		if t.Taken != nil && *t.Taken {
			err = errors.Join(err, b.printer.Take(t.ID))
		}
	}
	if in.Fault == nil {
		return err
	}
	if *in.Fault == unplugged {
		return errors.Join(err, b.paperLink.Unplug())
	}
	return errors.Join(err, b.printer.SetFault(printer.SimFault(*in.Fault)), b.paperLink.Replug())
}

// receipt finds a receipt, or answers 404.
func (b *Bench) receipt(id string) (printer.Receipt, error) {
	all := b.printer.Receipts()
	if i := slices.IndexFunc(all, func(r printer.Receipt) bool { return r.ID == id }); i >= 0 {
		return all[i], nil
	}
	return printer.Receipt{}, refuse(http.StatusNotFound, "cannot find receipt %q", id)
}

// mayTake refuses what paper cannot do: be put back, or read otherwise than it was printed.
func (b *Bench) mayTake(t receiptBody) error {
	r, err := b.receipt(t.ID)
	switch {
	case err != nil:
		return err
	case t.Taken != nil && !*t.Taken && r.Taken:
		return refuse(http.StatusConflict, "cannot put receipt %q back: it has been torn off", t.ID)
	case t.Lines != nil && !slices.Equal(t.Lines, r.Lines), t.Partial != nil && *t.Partial != r.Partial:
		return refuse(http.StatusConflict, "cannot change receipt %q: it is printed", t.ID)
	}
	return nil
}

// getReceipt answers {id} with JSON and {id}.png with the picture of the paper.
func (b *Bench) getReceipt(w http.ResponseWriter, r *http.Request) error {
	id, picture := strings.CutSuffix(r.PathValue("id"), ".png")
	receipt, err := b.receipt(id)
	if err != nil {
		return err
	}
	if !picture {
		return reply(w, http.StatusOK, viewOf(receipt))
	}
	png, err := b.printer.PNG(id)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(png) // a browser that has gone away needs no picture
	return nil
}

// takeBody tears a receipt off.
type takeBody struct {
	Taken *bool `json:"taken"`
}

func (b *Bench) putReceipt(w http.ResponseWriter, r *http.Request) error {
	in, err := body[takeBody](w, r)
	if err != nil {
		return err
	}
	if in.Taken == nil {
		return refuse(http.StatusBadRequest, `cannot change the receipt: {"taken":true} is missing`)
	}
	id := r.PathValue("id")
	if err := b.mayTake(receiptBody{ID: id, Taken: in.Taken}); err != nil {
		return err
	}
	if *in.Taken {
		if err := b.printer.Take(id); err != nil {
			return err
		}
		b.hub.changed(partPrinter)
	}
	return b.getReceipt(w, r)
}

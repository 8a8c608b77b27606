package visit

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"yuanban/devices/printer"
	"yuanban/kiosk/casefile"
	"yuanban/kiosk/station"
)

// receiptJob prints the one receipt of this visit's cases.
func (f *Flow) receiptJob() station.Job {
	s := f.visit
	park := f.opt.Catalogue.Park
	info := casefile.ReceiptInfo{
		Template: f.opt.Catalogue.Receipts.Acceptance, Words: f.opt.Words.Text, Park: park.Name, Cases: slices.Clone(s.cases), // the flow goes on with its own while this is printed
		Machine: f.opt.Machine, QR: f.receiptQR(s.cases),
		Applicant:   casefile.Applicant{Name: shownName(s.card), Number: s.card.Number, CreditCode: s.credit, NoCompany: s.noCompany, Phone: s.phone},
		Supervision: s.items[0].Supervise, Hotline: park.Phones.Hotline,
	}
	if s.pack != nil {
		info.Package = s.pack.Name
	}
	return station.Job{Kind: "receipt", Subject: s.cases[0].Number, Compose: func(job string, copy int) *printer.Document {
		info.Job, info.Copy, info.PrintedAt = job, copy, time.Now()
		return casefile.Receipt(info)
	}}
}

// receiptWords say that the application stands whatever became of its paper.
func (f *Flow) receiptWords() paperWords {
	number := f.visit.cases[0].Shown()
	return paperWords{what: f.word("paper.receipt"), lost: f.word("paper.receipt.lost", "number", "…"+number[max(len(number)-4, 0):])}
}

// receiptQR is what a phone reads off a receipt or a screen: the park's online service with the number, or, where a park has
// none, the number and the query code themselves. It names no person.
func (f *Flow) receiptQR(cases []casefile.Case) string {
	if len(cases) == 0 {
		return ""
	}
	first := cases[0]
	if base := f.opt.Catalogue.Park.OnlineURL; base != "" {
		q := url.Values{"case": {first.Shown()}, "code": {first.QueryCode}}
		sep := "?"
		if strings.Contains(base, "?") {
			sep = "&"
		}
		return base + sep + q.Encode()
	}
	return first.Shown() + " " + first.QueryCode
}

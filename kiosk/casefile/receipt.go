package casefile

import (
	"strconv"
	"time"

	"yuanban/devices/idnumber"
	"yuanban/devices/printer"
)

// Words gives the text for a key; args are pairs of a placeholder's name and its value.
type Words func(key string, args ...string) string

// ReceiptInfo is what an acceptance receipt (受理回执) tells. The applicant is masked by Receipt.
type ReceiptInfo struct {
	Words       Words
	Park        string // who accepted, at the head
	Package     string // name of the package (一件事), or ""
	Cases       []Case // all cases of the application, on one receipt
	Applicant   Applicant
	Machine     string    // where it was printed
	QR          string    // what the QR code says, "" for none
	Supervision string    // 监督电话, "" for none
	Job         string    // print job, "" when it has no number yet
	Copy        int       // 0 and 1 are the original; n is marked 补打 n-1
	PrintedAt   time.Time // zero leaves the line away
}

// Receipt lays out the acceptance receipt.
func Receipt(p ReceiptInfo) *printer.Document {
	d := &paper{words: p.Words}
	d.head(p.Park, d.words("receipt.title"), p.Copy)
	d.row("receipt.applicant", idnumber.MaskName(p.Applicant.Name))
	d.row("receipt.idnumber", idnumber.MaskNumber(p.Applicant.Number))
	if p.Applicant.CreditCode != "" {
		d.row("receipt.credit", idnumber.MaskNumber(p.Applicant.CreditCode))
	}
	if p.Applicant.Phone != "" {
		d.row("receipt.phone", idnumber.MaskPhone(p.Applicant.Phone))
	}
	if p.Package != "" {
		d.row("receipt.package", p.Package)
	}
	provisional, waiting := false, false
	for i, c := range p.Cases {
		d.add(printer.Rule{})
		name := c.Name
		if len(p.Cases) > 1 {
			name = strconv.Itoa(i+1) + ". " + name
		}
		d.receiptCase(name, c)
		provisional, waiting = provisional || c.Provisional, waiting || !c.Uploaded
	}
	d.add(printer.Rule{})
	if provisional {
		d.text(d.words("receipt.provisional.note"))
	}
	if waiting {
		d.text(d.words("receipt.waiting.note"))
	}
	if p.QR != "" {
		d.add(printer.QR{Data: p.QR, Caption: d.words("receipt.qr")})
	}
	if len(p.Cases) > 0 && !p.PrintedAt.IsZero() {
		p.PrintedAt = p.PrintedAt.In(p.Cases[0].AcceptedAt.Location()) // the park's time, whatever the machine's zone is
	}
	d.foot(p.Supervision, p.Machine, p.Job, p.PrintedAt)
	return &d.doc
}

// receiptCase is what a receipt tells of one case (the paper of 5.3: number, item, times, unit, query code).
func (d *paper) receiptCase(name string, c Case) {
	d.add(printer.Text{Text: name, Bold: true})
	label := "receipt.number"
	if c.Provisional {
		label = "receipt.number.provisional"
	}
	d.text(d.words(label))
	d.add(printer.Text{Text: Grouped(c.Shown()), Align: printer.Center, Size: 2, Bold: true})
	d.row("receipt.accepted", c.AcceptedAt.Format(minuteLayout))
	d.row("receipt.due", c.DueText)
	if unit := c.Seal; unit != "" {
		d.row("receipt.unit", unit)
	} else {
		d.row("receipt.unit", c.Department)
	}
	d.row("receipt.query", c.QueryCode)
}

// AssistanceInfo is what the receipt of a request (帮办代办登记单, 诉求回执) tells.
type AssistanceInfo struct {
	Words       Words
	Park        string
	Kind        RequestKind
	Number      string // as RecordRequest returned it
	Item        string // name of the item it is about, or ""
	Phone       string // masked by AssistanceReceipt
	Text        string // what is asked for, in the park's words; a visitor's own text does not belong on paper
	At          time.Time
	Machine     string
	QR          string
	Supervision string
	Job         string
	Copy        int
}

// AssistanceReceipt lays out the receipt of a request.
func AssistanceReceipt(p AssistanceInfo) *printer.Document {
	d := &paper{words: p.Words}
	d.head(p.Park, d.words("receipt."+string(p.Kind)+".title"), p.Copy)
	d.text(d.words("receipt.request.number"))
	d.add(printer.Text{Text: Grouped(p.Number), Align: printer.Center, Size: 2, Bold: true})
	d.row("receipt.request.at", p.At.Format(minuteLayout))
	if p.Item != "" {
		d.row("receipt.request.item", p.Item)
	}
	if p.Text != "" {
		d.row("receipt.request.what", p.Text)
	}
	if p.Phone != "" {
		d.row("receipt.phone", idnumber.MaskPhone(p.Phone))
	}
	d.add(printer.Rule{})
	d.text(d.words("receipt.request.next"))
	if p.QR != "" {
		d.add(printer.QR{Data: p.QR, Caption: d.words("receipt.qr")})
	}
	d.foot(p.Supervision, p.Machine, p.Job, time.Time{})
	return &d.doc
}

// Section is a part of a sheet: a heading and its lines.
type Section struct {
	Head  string
	Lines []string
}

// Sheet lays out what is nobody's own: a guide, a list, a document.
func Sheet(title string, sections []Section, foot []string) *printer.Document {
	d := &paper{}
	d.add(printer.Text{Text: title, Align: printer.Center, Size: 2, Bold: true}, printer.Rule{})
	for i, s := range sections {
		if i > 0 {
			d.add(printer.Space{Lines: 1})
		}
		if s.Head != "" {
			d.add(printer.Text{Text: s.Head, Bold: true})
		}
		for _, line := range s.Lines {
			d.text(line)
		}
	}
	if len(foot) > 0 {
		d.add(printer.Rule{})
		for _, line := range foot {
			d.text(line)
		}
	}
	return &d.doc
}

// paper collects the blocks of one document.
type paper struct {
	doc   printer.Document
	words Words
}

func (d *paper) add(blocks ...printer.Block) { d.doc.Blocks = append(d.doc.Blocks, blocks...) }

func (d *paper) text(s string) { d.add(printer.Text{Text: s}) }

func (d *paper) row(key, value string) { d.add(printer.Row{Left: d.words(key), Right: value}) }

func (d *paper) head(park, title string, copy int) {
	if park != "" {
		d.add(printer.Text{Text: park, Align: printer.Center})
	}
	d.add(printer.Text{Text: title, Align: printer.Center, Size: 2, Bold: true})
	if copy > 1 {
		d.add(printer.Text{Text: d.words("receipt.copy", "n", strconv.Itoa(copy-1)), Align: printer.Center, Bold: true})
	}
	d.add(printer.Rule{})
}

func (d *paper) foot(supervision, machine, job string, at time.Time) {
	if supervision != "" {
		d.row("receipt.supervision", supervision)
	}
	d.row("receipt.help", d.words("receipt.help.number"))
	if !at.IsZero() {
		d.row("receipt.printed", at.Format(minuteLayout))
	}
	if machine != "" {
		d.row("receipt.machine", machine)
	}
	if job != "" {
		d.row("receipt.job", job)
	}
}

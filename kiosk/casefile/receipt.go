package casefile

import (
	"strconv"
	"time"

	"yuanban/devices/idnumber"
	"yuanban/devices/printer"
	"yuanban/devices/receiptline"
)

// Words gives the text for a key; args are pairs of a placeholder's name and its value.
type Words func(key string, args ...string) string

// What is on a paper and how it looks is the park's template (package catalogue). What may be said is this file's: values leave it masked,
// so that no template can print a whole number, and a copy says that it is one whatever the template says.

// ReceiptInfo is what an acceptance receipt (受理回执) tells. The applicant is masked by Receipt.
type ReceiptInfo struct {
	Template    *receiptline.Template // Catalogue.Receipts.Acceptance
	Words       Words
	Park        string // who accepted, at the head
	Package     string // name of the package (一件事), or ""
	Cases       []Case // all cases of the application, on one receipt
	Applicant   Applicant
	Machine     string    // where it was printed
	QR          string    // what the QR code says, "" for none
	Supervision string    // 监督电话, "" for none
	Hotline     string    // 政务服务热线, "" for none
	Job         string    // print job, "" when it has no number yet
	Copy        int       // 0 and 1 are the original; n is marked 补打 n-1
	PrintedAt   time.Time // zero leaves the line away
}

// Receipt lays out the acceptance receipt.
func Receipt(p ReceiptInfo) *printer.Document {
	doc := p.Template.Document(acceptanceValues(p))
	markCopies(doc, p.Words, p.Copy)
	return doc
}

// acceptanceValues names what catalogue.AcceptanceNames lists.
func acceptanceValues(p ReceiptInfo) receiptline.Data {
	v := receiptline.Values{
		"园区": p.Park, "套餐": p.Package, "二维码": p.QR, "监督电话": p.Supervision, "服务热线": p.Hotline, "设备编号": p.Machine, "打印单号": p.Job,
		"申请人": idnumber.MaskName(p.Applicant.Name), "证件号码": idnumber.MaskNumber(p.Applicant.Number),
		"统一社会信用代码": "", "联系电话": "", "打印时间": "", "预受理说明": "", "待上传说明": "",
	}
	if p.Applicant.CreditCode != "" {
		v["统一社会信用代码"] = idnumber.MaskNumber(p.Applicant.CreditCode)
	}
	if p.Applicant.Phone != "" {
		v["联系电话"] = idnumber.MaskPhone(p.Applicant.Phone)
	}
	if !p.PrintedAt.IsZero() {
		at := p.PrintedAt
		if len(p.Cases) > 0 {
			at = at.In(p.Cases[0].AcceptedAt.Location()) // the park's time, whatever the machine's zone is
		}
		v["打印时间"] = at.Format(minuteLayout)
	}
	var cases []receiptline.Values
	for i, c := range p.Cases {
		if c.Provisional {
			v["预受理说明"] = p.Words("receipt.provisional.note")
		}
		if !c.Uploaded {
			v["待上传说明"] = p.Words("receipt.waiting.note")
		}
		cases = append(cases, caseValues(p.Words, c, i+1, len(p.Cases)))
	}
	return receiptline.Data{Values: v, Lists: map[string][]receiptline.Values{"办件": cases}}
}

// caseValues is what a receipt tells of one case: number, item, times, unit, query code.
func caseValues(words Words, c Case, n, of int) receiptline.Values {
	v := receiptline.Values{
		"事项": c.Name, "编号名称": words("receipt.number"), "编号": Grouped(c.Shown()), "受理时间": c.AcceptedAt.Format(minuteLayout),
		"到期时间": c.DueText, "受理单位": c.Seal, "查询码": c.QueryCode,
	}
	if of > 1 {
		v["事项"] = strconv.Itoa(n) + ". " + c.Name
	}
	if c.Provisional {
		v["编号名称"] = words("receipt.number.provisional")
	}
	if c.Seal == "" {
		v["受理单位"] = c.Department
	}
	return v
}

// AssistanceInfo is what the receipt of a request (帮办代办登记单, 诉求回执) tells.
type AssistanceInfo struct {
	Template    *receiptline.Template // Catalogue.Receipts.Request
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
	Hotline     string
	Job         string
	Copy        int
}

// AssistanceReceipt lays out the receipt of a request.
func AssistanceReceipt(p AssistanceInfo) *printer.Document {
	doc := p.Template.Document(receiptline.Data{Values: requestValues(p)})
	markCopies(doc, p.Words, p.Copy)
	return doc
}

// requestValues names what catalogue.RequestNames lists.
func requestValues(p AssistanceInfo) receiptline.Values {
	v := receiptline.Values{
		"园区": p.Park, "标题": p.Words("receipt." + string(p.Kind) + ".title"), "编号": Grouped(p.Number), "登记时间": p.At.Format(minuteLayout),
		"相关事项": p.Item, "登记内容": p.Text, "联系电话": "", "二维码": p.QR, "监督电话": p.Supervision, "服务热线": p.Hotline, "设备编号": p.Machine, "打印单号": p.Job,
	}
	if p.Phone != "" {
		v["联系电话"] = idnumber.MaskPhone(p.Phone)
	}
	return v
}

// Section is a part of a sheet: a heading and its lines.
type Section struct {
	Head  string
	Lines []string
}

// SheetInfo is what is nobody's own: a guide, a list, a document.
type SheetInfo struct {
	Template *receiptline.Template // Catalogue.Receipts.Sheet
	Title    string
	Sections []Section
	Park     string
	Version  string // of the park's content, "" for none
}

// Sheet lays out a paper that is nobody's own.
func Sheet(p SheetInfo) *printer.Document { return p.Template.Document(sheetValues(p)) }

// sheetValues names what catalogue.SheetNames lists.
func sheetValues(p SheetInfo) receiptline.Data {
	var parts []receiptline.Values
	for i, s := range p.Sections {
		gap := ""
		if i > 0 {
			gap = "有"
		}
		if s.Head != "" {
			parts = append(parts, receiptline.Values{"段落标题": s.Head, "正文": "", "间隔": gap})
			gap = ""
		}
		for _, line := range s.Lines {
			parts = append(parts, receiptline.Values{"段落标题": "", "正文": line, "间隔": gap})
			gap = ""
		}
	}
	return receiptline.Data{
		Values: receiptline.Values{"标题": p.Title, "园区": p.Park, "内容版本": p.Version},
		Lists:  map[string][]receiptline.Values{"段落": parts},
	}
}

// markCopies puts 补打 n at the head of every paper of a copy. It stands above all that a template says, so no template can leave it out.
func markCopies(doc *printer.Document, words Words, copy int) {
	if copy <= 1 {
		return
	}
	mark := printer.Text{Text: words("receipt.copy", "n", strconv.Itoa(copy-1)), Align: printer.Center, Bold: true}
	var blocks []printer.Block
	begins := true // a paper begins with the next block that prints
	for _, b := range doc.Blocks {
		switch b.(type) {
		case printer.Cut:
			begins = true
		case printer.Space:
		default:
			if begins {
				blocks = append(blocks, mark)
				begins = false
			}
		}
		blocks = append(blocks, b)
	}
	doc.Blocks = blocks
}

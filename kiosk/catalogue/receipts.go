package catalogue

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"yuanban/devices/receiptline"
	"yuanban/kiosk/strictyaml"
)

// Receipts are the templates of the papers that this machine prints. A park that has no file of its own for one prints the built-in one.
type Receipts struct {
	Acceptance *receiptline.Template // 受理回执: receipts/acceptance.receipt
	Request    *receiptline.Template // 帮办代办登记单, 诉求登记回执: receipts/request.receipt
	Sheet      *receiptline.Template // 办事指南 and what else is nobody's own: receipts/sheet.receipt
}

// receiptFile is one kind of paper.
type receiptFile struct {
	name       string // of its file in receipts, without .receipt
	vocabulary receiptline.Vocabulary
	of         func(*Receipts) **receiptline.Template
}

func receiptFiles() []receiptFile {
	return []receiptFile{
		{"acceptance", AcceptanceNames(), func(r *Receipts) **receiptline.Template { return &r.Acceptance }},
		{"request", RequestNames(), func(r *Receipts) **receiptline.Template { return &r.Request }},
		{"sheet", SheetNames(), func(r *Receipts) **receiptline.Template { return &r.Sheet }},
	}
}

// AcceptanceNames is what can be filled into an acceptance receipt. What must be on it is what the paper is for: a person has to find the
// case again, know until when, by whom, and what is still open, and whom to complain to (GB/T 39046-2020 table 4 names most of it).
func AcceptanceNames() receiptline.Vocabulary {
	return receiptline.Vocabulary{
		Names: []receiptline.Name{
			{Name: "园区"}, {Name: "申请人", Must: "nobody could tell whose receipt it is"},
			{Name: "证件号码", Must: "nobody could tell whose receipt it is"},
			{Name: "统一社会信用代码"}, {Name: "联系电话"}, {Name: "套餐"},
			{Name: "预受理说明", Must: "a person would take the number of this machine for that of the platform"},
			{Name: "待上传说明", Must: "a person would believe that the platform has the case already"},
			{Name: "二维码", Must: "a person could neither look the case up nor rate the service by phone", Code: true},
			{Name: "监督电话", Must: "a person would not know whom to complain to"},
			{Name: "服务热线"}, {Name: "打印时间"}, {Name: "设备编号"},
			{Name: "打印单号", Must: "nobody could tell later which print this paper is"},
		},
		Lists: []receiptline.List{{Name: "办件", Names: []receiptline.Name{
			{Name: "事项", Must: "a person would not know what was accepted"},
			{Name: "编号名称", Must: "a provisional number may not look like the platform's"},
			{Name: "编号", Must: "nobody finds the case without its number"},
			{Name: "受理时间", Must: "the time limit counts from it"},
			{Name: "到期时间", Must: "a person would not know until when the park has promised"},
			{Name: "受理单位", Must: "a person would not know who accepted the case"},
			{Name: "查询码", Must: "nobody can ask after the case without it"},
		}}},
	}
}

// RequestNames is what can be filled into the receipt of a request.
func RequestNames() receiptline.Vocabulary {
	return receiptline.Vocabulary{Names: []receiptline.Name{
		{Name: "园区"}, {Name: "标题", Must: "a person would not know what was recorded"},
		{Name: "编号", Must: "nobody finds the request without its number"},
		{Name: "登记时间", Must: "a person could not prove when it was recorded"},
		{Name: "相关事项"}, {Name: "登记内容"}, {Name: "联系电话"}, {Name: "二维码", Code: true},
		{Name: "监督电话", Must: "a person would not know whom to complain to"},
		{Name: "服务热线"}, {Name: "设备编号"}, {Name: "打印单号"},
	}}
}

// SheetNames is what can be filled into a paper that is nobody's own.
func SheetNames() receiptline.Vocabulary {
	return receiptline.Vocabulary{
		Names: []receiptline.Name{
			{Name: "标题", Must: "nobody could tell what the paper is about"},
			{Name: "园区", Must: "nobody could tell whose word it is"},
			{Name: "内容版本"},
		},
		Lists: []receiptline.List{{Name: "段落", Names: []receiptline.Name{
			{Name: "间隔"}, // not empty where a part begins that is not the first
			{Name: "段落标题", Must: "the text would lack its headings"}, {Name: "正文", Must: "it is the text"},
		}}},
	}
}

func (l *loader) receipts() {
	known := receiptFiles()
	for _, f := range known {
		t, problems := loadReceipt(l, f)
		l.problems = append(l.problems, problems...)
		*f.of(&l.c.Receipts) = t
	}
	var names []string
	for _, f := range known {
		names = append(names, "receipts/"+f.name+".receipt")
	}
	for _, name := range l.files("receipts", ".receipt") {
		if !slices.Contains(names, name) {
			l.line(name, 0, "this machine prints no such paper; known here: %s", strings.Join(names, ", "))
		}
	}
}

// loadReceipt reads the park's template, or the built-in one where the park has none.
func loadReceipt(l *loader, f receiptFile) (*receiptline.Template, strictyaml.Problems) {
	name := path.Join("receipts", f.name+".receipt")
	data, ok := l.read(name, false)
	if !ok {
		var err error
		if data, err = example.ReadFile(path.Join("example", name)); err != nil {
			panic(fmt.Sprintf("catalogue: the built-in %s is missing: %v", name, err)) // a fault of the build
		}
	}
	return parseReceipt(name, data, f.vocabulary)
}

// parseReceipt reads a template and reports everything that is wrong with it.
func parseReceipt(file string, data []byte, v receiptline.Vocabulary) (*receiptline.Template, strictyaml.Problems) {
	t, err := receiptline.ParseFor(string(data), v)
	found, _ := errors.AsType[receiptline.Problems](err)
	var problems strictyaml.Problems
	for _, p := range found {
		at := ""
		if p.Column > 0 {
			at = fmt.Sprintf("column %d: ", p.Column)
		}
		problems = append(problems, strictyaml.Problem{File: file, Line: p.Line, Text: at + p.Text + "; " + p.Next})
	}
	return t, problems
}

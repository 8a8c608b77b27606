package view

import "time"

// Purpose is why a visitor browses: to read guides or to apply.
type Purpose string

// The two purposes.
const (
	PurposeGuide Purpose = "guide"
	PurposeApply Purpose = "apply"
)

// Attract is the resting screen; any touch leads home.
type Attract struct {
	Park, Slogan string
	Hours        string
	Night        bool // dim
	Shift        int  // 0..7: the layout moves by a few pixels a minute
}

// Home has three large entries (办事指南, 在线申报, 政务公开) and three always in reach (办理进度, 帮办代办, 12345).
type Home struct {
	Park, Slogan string
	Packages     []Tile // 一件事一次办 shortcuts to packages
	CanApply     bool   // false while the reader is out of order: the entry stays, with a word beside it
	ApplyWord    string
}

// Tile is one package on a screen.
type Tile struct {
	Code, Name, Desc, Promise string
	Count                     int // items in it
	Icon                      string
}

// Browse lists packages, single items, or life-cycle stages.
// Actions: {"do":"tab","tab":"packages|items|stages"}, {"do":"package","code":"P2"}, {"do":"choose","item":"P2-01"}, {"do":"stage","name":"开办"}, {"do":"search"}.
type Browse struct {
	Purpose  Purpose
	Tab      string
	Packages []Tile
	Stages   []Stage
	Stage    string // the chosen one
	Items    []ItemRow
	Total    int // items in the catalogue (or stage)
	Version  string
	Pager    Pager
}

// Stage is one life-cycle stage: 入园、开办、建设、经营、惠企、变更、退出.
type Stage struct {
	Name  string
	Count int
}

// ItemRow is one item in a list.
type ItemRow struct {
	Code, Name, Department, Limit string
	Mode                          string // 告知承诺, 备案, 一般, 跳转
	Applicable                    bool
	WhyNot                        string // short, when not applicable here
	Chosen                        bool   // in Package: ticked
}

// Package lets a visitor choose the items of one package: one identity, one letter, one case for each.
// Actions: {"do":"toggle","item":…}, {"do":"guide","item":…}, {"do":"all"}, {"do":"apply"}.
type Package struct {
	Purpose                   Purpose
	Code, Name, Desc, Promise string
	Items                     []ItemRow
	Chosen                    int
	Pager                     Pager
}

// Search finds items by Chinese, pinyin or pinyin initials. Actions: key, candidate, choose, page.
type Search struct {
	Query     string // finished text; Composing has the letters after it
	Composing Composing
	Results   []ItemRow
	Found     int
	Keys      Keys
	Pager     Pager
}

// Guide is the guide (办事指南) of one item, a page of it.
type Guide struct {
	Code, Name, Summary string
	Mode                string
	Sections            []Section
	Pager               Pager
	Print               *Print
	Example             bool // 示例 content
}

// Section is a heading with its lines.
type Section struct {
	Head  string
	More  bool // continues from the page before
	Lines []string
}

// NotHere explains why an item cannot be applied for on this machine and where it can.
type NotHere struct {
	Name   string
	Why    string // 底线事项 / 需跳转 / 不在办理时间 / 需到窗口
	Where  string
	Phone  string
	Hours  string
	QR     string // text of a QR code, "" for none
	QRWord string
}

// Negative asks whether the business is on the park's negative list (负面清单).
// Actions: {"do":"answer","listed":"no"} and {"do":"answer","listed":"yes"}.
type Negative struct {
	Version string
	Rows    []NegativeRow
	Pager   Pager
}

// NegativeRow is one line of the negative list.
type NegativeRow struct{ Kind, Text string }

// CardScreen is everything around the ID card: lay it, reading, take it away, not readable, reader out of order.
type CardScreen struct {
	State   CardState
	Side    string   // where the reader is: left, right, below
	Use     []string // what will be read and what for, said before it is read
	Failure *Failure
	Reason  string // why the card is asked for: 申报 or 查询进度
}

// CardState is where the reading is.
type CardState string

// The states of reading a card.
const (
	CardLay        CardState = "lay"
	CardReading    CardState = "reading"
	CardAgain      CardState = "again"      // take it away, lay it flat again
	CardUnreadable CardState = "unreadable" // this card cannot be read here
	CardOut        CardState = "out"        // the machine's reader is out of order
)

// Identity shows the masked card for confirmation.
type Identity struct {
	Name, Number, Kind, Valid string // masked
	Expired                   bool
	Failure                   *Failure
}

// Company asks for the credit code (统一社会信用代码) and a phone number.
type Company struct {
	Fields     []Field
	Keys       Keys
	MaySkip    bool // the items allow an applicant without a credit code yet
	Skipped    bool // 企业尚未设立
	SkipReason string
}

// Letter is one page of one part of the commitment letter (告知承诺书).
type Letter struct {
	Part         int // 1 conditions, 2 consequences, 3 application
	PartTitle    string
	Paragraphs   []Paragraph
	Pager        Pager
	Read         bool // the last page of the part has been shown
	Acknowledged bool
	Number       string
	Voluntary    bool // 不采用告知承诺 is offered
}

// Paragraph of a letter.
type Paragraph struct {
	Head bool
	More bool // continues from the page before
	Text string
}

// OtherWay says how to go on without a commitment letter.
type OtherWay struct {
	Name, Place, Hours, Phone string
	Needs                     []string
	Print                     *Print
}

// Sign asks for a handwritten signature. The pad sends {"do":"ink","strokes":"[[[x,y,ms],…],…]"} after each stroke.
type Sign struct {
	Name      string // masked
	Statement string
	Items     []string
	Inked     bool
	Strokes   string // JSON of the ink so far, so that a reloaded page shows it again
}

// Working says what is awaited.
type Working struct {
	What  string
	Since time.Time
}

// Accepted is the end of an application: numbers, due times, the receipt.
type Accepted struct {
	Cases    []CaseRow
	Package  string
	Uploaded bool
	Print    Print
	QR       string // text of the receipt's QR code, for the phone
	Side     string // where the paper comes out
	Pager    Pager
}

// CaseRow is one case.
type CaseRow struct {
	Number      string   // as stored
	Groups      []string // the same in groups, for copying
	Name        string
	Provisional bool // 预受理编号
	Accepted    string
	Due         string
	State       string
	QueryCode   string
	Department  string
	Uploaded    bool
}

// Rating asks for one of five levels; the choices are always 5 to 1, same size, none preselected.
// Actions: {"do":"rate","level":"5"}, {"do":"decline"}.
type Rating struct {
	Service string // what is rated
	Case    string
	Staff   *Staff // nil at the kiosk
	Until   time.Time
	Total   time.Duration // 0 = no countdown
	Levels  []Level
	Buttons bool // the five hardware buttons work too
}

// Level is one of the five grades.
type Level struct {
	Value int // 5..1
	Name  string
}

// Reasons lets a person say why. Actions: {"do":"reason","code":…}, {"do":"more"}, {"do":"write"}, {"do":"finish"}.
type Reasons struct {
	Level   Level
	Reasons []Reason
	More    bool // expanded reasons are shown
	HasMore bool
	Bad     bool // levels 1 and 2
	NoText  bool // no text can be kept on this machine: writing is not offered
	Text    string
	Left    int // characters left of 150
	Until   time.Time
	Total   time.Duration
}

// Reason is one national reason.
type Reason struct {
	Code, Text string
	Chosen     bool
}

// Write is the text page with the Chinese input method; actions: key, candidate, {"do":"candidates","to":"2"}, {"do":"done"}.
type Write struct {
	Prompt    string
	Text      string
	Left      int
	Keys      Keys
	Composing Composing
	Until     time.Time
	Total     time.Duration
}

// Thanks ends a rating.
type Thanks struct {
	Word  string
	Until time.Time
}

// Progress lists one's own cases.
type Progress struct {
	Name  string // masked
	Cases []CaseRow
	Pager Pager
}

// CaseDetail is one own case.
type CaseDetail struct {
	Case  CaseRow
	Steps []CaseStep
	QR    string
}

// CaseStep is a line of a case's course.
type CaseStep struct {
	Name, When string
	Done       bool
}

// Disclosure shows what is disclosed (政务公开): lists and documents. Actions: {"do":"list","id":…}, {"do":"document","id":…}.
type Disclosure struct {
	Lists     []ListTile
	Documents []ListTile
	Pager     Pager
}

// ListTile is a list or document in an overview.
type ListTile struct{ ID, Name, Version, Date, Note string }

// ListRows are the rows of one list. Actions: {"do":"row","n":…}, page, print.
type ListRows struct {
	Name, Version, Date string
	Rows                []ListRow
	Pager               Pager
	Print               *Print
}

// ListRow is one row in an overview.
type ListRow struct {
	N              int
	Kind, Name, By string
}

// Document is one row of a list or one document, as sections.
type Document struct {
	Name     string
	Meta     []string
	Sections []Section
	Pager    Pager
	Print    *Print
}

// Assist offers 帮办代办: who helps, and a call-back request.
type Assist struct {
	Helpers []Helper
	Kinds   []Choice // 帮办, 代办, 协调联办
	Field   Field
	Keys    Keys
	Free    string
}

// Helper of the park.
type Helper struct{ Name, Field, Phone, Hours string }

// Choice is one of several.
type Choice struct {
	Value, Name string
	Chosen      bool
}

// Recorded confirms a request with its number.
type Recorded struct {
	Groups []string
	What   string
	Next   string
	Print  *Print
}

// Help shows the phone numbers.
type Help struct{ Lines []HelpLine }

// HelpLine is one phone number.
type HelpLine struct {
	Name, Number, Word string
	Big                bool
}

// Fault is a screen that is only a failure, with its ways on.
type Fault struct{ Failure Failure }

// Wiped says that nothing of the visit is left.
type Wiped struct{ Why string }

// OutOfService is the machine that cannot serve.
type OutOfService struct {
	Failure Failure
	Phone   string
	Cause   string // what a technician has to mend, "" when nothing is known
}

package catalogue

import "io/fs"

// Catalogue is the whole content of a park. It never changes after Load and may be shared between goroutines.
type Catalogue struct {
	Park      Park
	Packages  []*Package
	Lists     []*List
	Documents []*Document
	Staff     []Staff
	Helpers   []Helper
	Help      []HelpLine
	Calendar  *Calendar
	Reasons   Reasons
	Receipts  Receipts
	Files     fs.FS // the folder itself, for photos

	items       []*Item
	byCode      map[string]*Item
	letters     map[string]*LetterTemplate
	departments []*Department
	warnings    []Finding // found while loading, for Lint
}

// Park is what is true of the whole park.
type Park struct {
	Name        string // 示例产业园区
	Brand       string // the title on every screen: 园区事园区办
	Slogan      string
	Accent      string // colour of the brand as #rrggbb, "" for the built-in one
	Version     string // of this content
	Updated     string // date of this content, 2006-01-02
	ListVersion string // of the park's lists as a whole; a commitment letter names it
	Example     bool   // 示例: nothing of this content is in force
	Address     string
	Hours       string // of the windows
	KioskHours  string // of this machine
	Pickup      string // where papers are handed in and fetched, e.g. 3号窗口
	Phones      Phones
	Seals       Seals
	Channels    []string // ways to rate a service, as a letter names them
	OnlineURL   string   // the park's online service, "" for none
	Privacy     Privacy
	ClosedSites []string // hosts of department sites that no longer take applications for items of this park

	at place
}

// Phones of the park.
type Phones struct {
	Hotline              string // 12345
	Consult              string
	SuperviseApproval    string // of approval departments (审批)
	SuperviseEnforcement string // of supervision departments (监管)
}

// Seals are the two seals of a park: one for approval, one for supervision.
type Seals struct{ Approval, Supervision string }

// Privacy is what a letter says about personal data.
type Privacy struct {
	Processor string // who processes the data
	Contact   string // whom to ask
	Days      int    // how long this machine keeps delivered cases
	Version   string // of the notice
}

// Package is one 一件事一次办: items that a visitor applies for in one go.
type Package struct {
	Code, Name, Desc, Promise string
	Icon                      string   // names a drawing, for screens that have one
	Before                    []string // what should be true before one begins, e.g. 已签订供地合同
	Parallel                  bool     // its items run side by side under one limit
	Items                     []*Item

	at place
}

// Kind is the type of an item (事项类型).
type Kind string

// The kinds of items.
const (
	KindPermit     Kind = "行政许可"
	KindConfirm    Kind = "行政确认"
	KindGrant      Kind = "行政给付"
	KindReward     Kind = "行政奖励"
	KindOtherPower Kind = "其他行政权力"
	KindPublic     Kind = "公共服务"
	KindBroker     Kind = "中介服务"
)

// Choices lists the kinds for the file reader.
func (Kind) Choices() []string {
	return []string{"行政许可", "行政确认", "行政给付", "行政奖励", "其他行政权力", "公共服务", "中介服务"}
}

// Mode is how an item is handled (办理方式).
type Mode string

// The modes.
const (
	ModeCommitment Mode = "告知承诺" // granted on a commitment letter
	ModeFiling     Mode = "备案"   // recorded on submission
	ModeGeneral    Mode = "一般"   // ordinary procedure
	ModeLink       Mode = "跳转"   // guide and link only, never applied for here
)

// Choices lists the modes for the file reader.
func (Mode) Choices() []string { return []string{"告知承诺", "备案", "一般", "跳转"} }

// Applicant says who may apply, and so whether a credit code is asked for.
type Applicant string

// The kinds of applicants.
const (
	ApplicantEnterprise Applicant = "enterprise" // a registered enterprise: the credit code is required
	ApplicantPerson     Applicant = "person"     // a person for themselves: no credit code is asked for
	ApplicantEither     Applicant = "either"     // may not have a credit code yet: it can be skipped
)

// Choices lists the kinds of applicants for the file reader.
func (Applicant) Choices() []string { return []string{"enterprise", "person", "either"} }

// DepartmentKind decides which seal and which supervision phone belong to an item.
type DepartmentKind string

// The kinds of departments.
const (
	DepartmentApproval    DepartmentKind = "approval"    // 审批服务
	DepartmentSupervision DepartmentKind = "supervision" // 监管执法
)

// Choices lists the kinds of departments for the file reader.
func (DepartmentKind) Choices() []string { return []string{"approval", "supervision"} }

// Capability is how far the park can take an item itself.
type Capability string

// The capabilities.
const (
	CapabilityDecide  Capability = "办理" // the park decides
	CapabilityForward Capability = "受理" // the park accepts and forwards
)

// Choices lists the capabilities for the file reader.
func (Capability) Choices() []string { return []string{"办理", "受理"} }

// Department handles items.
type Department struct {
	Name      string
	Kind      DepartmentKind
	Place     string
	Hours     string
	Consult   string
	Supervise string
	FAQ       []QA
}

// Item is one thing one can apply for or look up (事项). Texts inherited from its department, its mode and the park are filled in.
type Item struct {
	Code           string // of this content, e.g. P2-01
	Basic          string // 基本编码, "" until the park enters it
	Implementation string // 实施编码, "" until the park enters it; without it a case cannot be reported
	Name           string // at most 200 characters
	Summary        string // 一句话说明, at most 40 characters
	Keywords       []string
	Kind           Kind
	Mode           Mode
	Class          string // 依申请 or 依职权
	Stage          string // of an enterprise's life: one of Stages
	Applicant      Applicant
	CanApply       bool   // on this machine
	WhyNot         string // short, when it cannot be applied for here
	BottomLine     bool   // 底线事项: safety and environment stay with their departments
	Negative       bool   // ask about the park's negative list before applying
	Batch          int    // of the delegation, 1..3
	Level          string // 原行使层级: 省级, 市级, 县级
	Transfer       string // 承接状态: 已承接, 下放中, 未下放
	Capability     Capability
	Joint          []string // 联办机构
	Review         string   // 审查方式
	Options        []string // what an applicant may choose, e.g. the stage of construction

	Department     string
	DepartmentKind DepartmentKind
	Seal           string

	Who        string
	Conditions []string
	Materials  []Material
	Promise    Term
	Legal      Term
	Fee        Fee
	Ways       Ways
	Steps      []string
	Special    []string // special procedures, done after the result (批后核实、公示)
	Result     Result
	Onsite     int // how often one must come in person (到现场次数)
	Scope      string
	Basis      []string
	Place      string
	Hours      string
	Consult    string
	Supervise  string
	FAQ        []QA
	Note       string
	FollowUp   []string // items that can be applied for once this one is complete
	Early      string   // 可前置办理: what can be prepared already
	Letter     string   // name of the letter template, "" for none
	Version    string
	Updated    string
	Packages   []string // codes of the packages it is in

	at place
}

// Source says where a material comes from (材料来源).
type Source string

// The sources. Only SourceTakenBack asks the applicant for a paper.
const (
	SourceIdentity   Source = "ID"   // 身份核验: read from the card
	SourceCommitment Source = "GZCN" // 告知承诺书: signed here
	SourceFetched    Source = "DQ"   // 部门调取
	SourceThirdParty Source = "DSF"  // 第三方报告预导入
	SourceTakenBack  Source = "SH"   // 收回证照原件
)

// Choices lists the sources for the file reader.
func (Source) Choices() []string { return []string{"ID", "GZCN", "DQ", "DSF", "SH"} }

// Material is one thing an item needs.
type Material struct {
	Source Source
	Name   string
	From   string // who has it: the department that holds it, the firm that imports it
	Text   string // how it is obtained, for the guide: 免提交，由…调取
}

// Asked says whether the applicant must bring it.
func (m Material) Asked() bool { return m.Source == SourceTakenBack }

// Term is a time limit as it is published and as it can be computed.
type Term struct {
	Text  string
	Limit Limit
}

// Unit is the unit of a limit.
type Unit string

// The units.
const (
	UnitOnTheSpot Unit = "onTheSpot" // 当场; Amount is 0
	UnitHour24    Unit = "hour24"    // natural days of 24 hours from acceptance
	UnitWorkday   Unit = "workday"   // working days of the calendar
	UnitText      Unit = "text"      // cannot be computed from acceptance; only the text says it
)

// Limit is a time limit that can be computed.
type Limit struct {
	Amount int
	Unit   Unit
}

// Fee is what an item costs.
type Fee struct {
	Cents int    // 分; 0 for free
	Basis string // why
	Row   string // 编号 in the fee list (收费目录清单); required when Cents is not 0
	Extra string // what the enterprise pays others, never through this machine
}

// Ways are the ways to handle an item, online first.
type Ways struct {
	Online    string // what to do online, "" for none
	OnlineURL string // shown as a QR code
	Kiosk     string // "" when it cannot be applied for at this machine
	Window    string
	Assist    string // 帮办代办
}

// Result is what one gets.
type Result struct {
	Name     string
	Sample   string
	Delivery []string // 领取方式, the first is the default
}

// QA is a frequent question.
type QA struct {
	Q string `yaml:"q,required"`
	A string `yaml:"a,required"`
}

// ListKind is one of the lists a park discloses.
type ListKind string

// The kinds of lists.
const (
	ListPower          ListKind = "power"          // 权力清单
	ListNegative       ListKind = "negative"       // 负面清单
	ListResponsibility ListKind = "responsibility" // 责任清单
	ListFee            ListKind = "fee"            // 收费目录清单
	ListOther          ListKind = "other"
)

// Choices lists the kinds of lists for the file reader.
func (ListKind) Choices() []string {
	return []string{"power", "negative", "responsibility", "fee", "other"}
}

// List is one disclosed list (清单).
type List struct {
	ID      string // name of its file without .csv
	Kind    ListKind
	Name    string
	Version string
	Date    string // of publication, 2006-01-02
	Note    string
	Rows    []Row

	at place
}

// Row is one row of a list.
type Row struct {
	Number string   // 编号
	Kind   string   // 类别: 行政许可, 禁止, 法定, …
	Name   string   // what the row is about
	By     string   // who is responsible
	State  string   // 状态: 保留, 取消, 下放, …
	Items  []string // codes of the items that belong to it
	Fields []Field  // every column in the order of the file, the ones above included

	line int
}

// Field is one column of a row.
type Field struct{ Name, Value string }

// Document is one policy document of 政务公开.
type Document struct {
	ID        string // name of its file without .md
	Title     string
	Number    string // 文号
	Issuer    string // 发文机关
	Written   string // 成文日期
	Published string // 发布日期
	Effective string // 施行日期
	Status    string // 送审稿, 试行, 有效, 废止
	Source    string
	Category  string
	Sections  []Section
}

// Section is a heading with its lines.
type Section struct {
	Head  string
	Lines []string
}

// Staff is a person at a window, as the rating pad shows them.
type Staff struct {
	ID     string `yaml:"id,required"`
	Name   string `yaml:"name,required"`
	Number string `yaml:"number,required"` // 工号
	Post   string `yaml:"post,required"`
	Window string `yaml:"window,required"`
	Photo  string `yaml:"photo"` // path in Files, "" for none
}

// Helper is a person of 帮办代办.
type Helper struct {
	Name   string `yaml:"name,required"`
	Field  string `yaml:"field,required"` // what they help with
	Phone  string `yaml:"phone,required"`
	Hours  string `yaml:"hours,required"`
	Window string `yaml:"window"`
}

// HelpLine is one telephone number.
type HelpLine struct {
	Name   string `yaml:"name,required"`
	Number string `yaml:"number,required"`
	Word   string `yaml:"word,required"` // when to call it
	Big    bool   `yaml:"big"`
}

// Reasons is the table of reasons of a rating, as published nationally; package evaluation reads it.
type Reasons struct {
	Version string
	Raw     []byte // CSV
}

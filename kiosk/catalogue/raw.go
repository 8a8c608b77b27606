package catalogue

// What the files hold, key by key. resolve.go turns it into what the program uses.

type rawPark struct {
	Name        string     `yaml:"name,required"`
	Brand       string     `yaml:"brand,required"`
	Slogan      string     `yaml:"slogan"`
	Accent      string     `yaml:"accent"`
	Version     string     `yaml:"version,required"`
	Updated     string     `yaml:"updated,required"`
	ListVersion string     `yaml:"list-version,required"`
	Example     bool       `yaml:"example"`
	Address     string     `yaml:"address,required"`
	Hours       string     `yaml:"hours,required"`
	KioskHours  string     `yaml:"kiosk-hours,required"`
	Pickup      string     `yaml:"pickup,required"`
	Phones      rawPhones  `yaml:"phones,required"`
	Seals       rawSeals   `yaml:"seals,required"`
	Channels    []string   `yaml:"rating-channels,required"`
	OnlineURL   string     `yaml:"online-url"`
	Privacy     rawPrivacy `yaml:"privacy,required"`
	ClosedSites []string   `yaml:"closed-sites"`
}

type rawPhones struct {
	Hotline              string `yaml:"hotline,required"`
	Consult              string `yaml:"consult,required"`
	SuperviseApproval    string `yaml:"supervise-approval,required"`
	SuperviseEnforcement string `yaml:"supervise-supervision,required"`
}

type rawSeals struct {
	Approval    string `yaml:"approval,required"`
	Supervision string `yaml:"supervision,required"`
}

type rawPrivacy struct {
	Processor string `yaml:"processor,required"`
	Contact   string `yaml:"contact,required"`
	Days      int    `yaml:"days,required"`
	Version   string `yaml:"version,required"`
}

type rawDefaults struct {
	Sources     map[string]string `yaml:"sources,required"` // source -> how it is obtained
	Modes       []rawMode         `yaml:"modes,required"`
	Departments []rawDepartment   `yaml:"departments,required"`
}

// rawMode is what items of one mode have in common.
type rawMode struct {
	Mode     Mode     `yaml:"mode,required"`
	Letter   string   `yaml:"letter"`
	Steps    []string `yaml:"steps,required"`
	Ways     rawWays  `yaml:"ways"`
	Delivery []string `yaml:"delivery"`
	Scope    string   `yaml:"scope"`
	WhyNot   string   `yaml:"why-not"`
	FAQ      []QA     `yaml:"faq"`
}

type rawDepartment struct {
	Name      string         `yaml:"name,required"`
	Kind      DepartmentKind `yaml:"kind,required"`
	Place     string         `yaml:"place"`
	Hours     string         `yaml:"hours"`
	Consult   string         `yaml:"consult"`
	Supervise string         `yaml:"supervise"`
	FAQ       []QA           `yaml:"faq"`
}

type rawPackage struct {
	Code     string    `yaml:"code,required"`
	Name     string    `yaml:"name,required"`
	Desc     string    `yaml:"desc,required"`
	Promise  string    `yaml:"promise,required"`
	Icon     string    `yaml:"icon"`
	Before   []string  `yaml:"before"`
	Parallel bool      `yaml:"parallel"`
	Include  []string  `yaml:"include"` // codes of items that stand in another file
	Items    []rawItem `yaml:"items"`
}

type rawItems struct {
	Items []rawItem `yaml:"items,required"`
}

type rawItem struct {
	Code           string         `yaml:"code,required"`
	Name           string         `yaml:"name,required"`
	Summary        string         `yaml:"summary,required"`
	Keywords       []string       `yaml:"keywords"`
	Basic          string         `yaml:"basic-code"`
	Implementation string         `yaml:"implementation-code"`
	Kind           Kind           `yaml:"kind,required"`
	Mode           Mode           `yaml:"mode,required"`
	Class          string         `yaml:"class"`
	Department     string         `yaml:"department,required"`
	DepartmentKind DepartmentKind `yaml:"department-kind"`
	Seal           string         `yaml:"seal"`
	Stage          string         `yaml:"stage,required"`
	Applicant      Applicant      `yaml:"applicant,required"`
	Apply          *bool          `yaml:"apply"`
	WhyNot         string         `yaml:"why-not"`
	BottomLine     bool           `yaml:"bottom-line"`
	Negative       bool           `yaml:"negative-list"`
	Batch          int            `yaml:"batch"`
	Level          string         `yaml:"level"`
	Transfer       string         `yaml:"transfer"`
	Capability     Capability     `yaml:"capability"`
	Joint          []string       `yaml:"joint"`
	Review         string         `yaml:"review"`
	Options        []string       `yaml:"options"`
	Who            string         `yaml:"who,required"`
	Conditions     []string       `yaml:"conditions,required"`
	Materials      []rawMaterial  `yaml:"materials,required"`
	Promise        Term           `yaml:"promise,required"`
	Legal          Term           `yaml:"legal,required"`
	Fee            rawFee         `yaml:"fee"`
	Ways           rawWays        `yaml:"ways"`
	Steps          []string       `yaml:"steps"`
	Special        []string       `yaml:"special"`
	Result         rawResult      `yaml:"result,required"`
	Onsite         int            `yaml:"onsite"`
	Scope          string         `yaml:"scope"`
	Basis          []string       `yaml:"basis,required"`
	Place          string         `yaml:"place"`
	Hours          string         `yaml:"hours"`
	Consult        string         `yaml:"consult"`
	Supervise      string         `yaml:"supervise"`
	FAQ            []QA           `yaml:"faq"`
	Note           string         `yaml:"note"`
	FollowUp       []string       `yaml:"follow-up"`
	Early          string         `yaml:"early"`
	Letter         string         `yaml:"letter"`
	Version        string         `yaml:"version"`
	Updated        string         `yaml:"updated"`
}

type rawMaterial struct {
	Source Source `yaml:"source,required"`
	Name   string `yaml:"name,required"`
	From   string `yaml:"from"`
	Text   string `yaml:"text"`
}

type rawFee struct {
	Yuan  yuan   `yaml:"yuan"`
	Basis string `yaml:"basis"`
	Row   string `yaml:"row"`
	Extra string `yaml:"extra"`
}

type rawWays struct {
	Online    string `yaml:"online"`
	OnlineURL string `yaml:"online-url"`
	Kiosk     string `yaml:"kiosk"`
	Window    string `yaml:"window"`
	Assist    string `yaml:"assist"`
}

type rawResult struct {
	Name     string   `yaml:"name,required"`
	Sample   string   `yaml:"sample"`
	Delivery []string `yaml:"delivery"`
}

type rawLists struct {
	Lists []rawList `yaml:"lists,required"`
}

type rawList struct {
	ID      string     `yaml:"id,required"`
	Kind    ListKind   `yaml:"kind,required"`
	Name    string     `yaml:"name,required"`
	Version string     `yaml:"version,required"`
	Date    string     `yaml:"date,required"`
	Note    string     `yaml:"note"`
	Columns rawColumns `yaml:"columns"`
}

// rawColumns says which column of the CSV file means what.
type rawColumns struct {
	Number string `yaml:"number"`
	Kind   string `yaml:"kind"`
	Name   string `yaml:"name"`
	By     string `yaml:"by"`
	State  string `yaml:"state"`
	Items  string `yaml:"items"`
}

type rawDocument struct {
	Title     string         `yaml:"title,required"`
	Number    string         `yaml:"number"`
	Issuer    string         `yaml:"issuer,required"`
	Written   string         `yaml:"written"`
	Published string         `yaml:"published,required"`
	Effective string         `yaml:"effective"`
	Status    documentStatus `yaml:"status,required"`
	Source    string         `yaml:"source"`
	Category  string         `yaml:"category"`
}

type documentStatus string

// Choices lists what a policy document can be.
func (documentStatus) Choices() []string { return []string{"送审稿", "试行", "有效", "废止"} }

type rawLetter struct {
	Name    string `yaml:"name,required"`
	Title   string `yaml:"title,required"`
	Version string `yaml:"version,required"`
	Mode    Mode   `yaml:"mode,required"`
}

type rawStaff struct {
	Staff []Staff `yaml:"staff,required"`
}

type rawHelpers struct {
	Helpers []Helper `yaml:"helpers,required"`
}

type rawHelp struct {
	Help []HelpLine `yaml:"help,required"`
}

type rawReasons struct {
	Version string `yaml:"version,required"`
}

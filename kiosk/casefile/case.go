package casefile

import (
	"errors"
	"time"
)

// ErrNotFound says that this machine knows no such case.
var ErrNotFound = errors.New("no such case on this machine")

// Unit is what a promised limit counts.
type Unit string

// The units of the park's lists.
const (
	OnTheSpot Unit = "onTheSpot" // 当场
	Hour24    Unit = "hour24"    // 天 as 24 hours by the clock
	Workday   Unit = "workday"   // 工作日
	Unstated  Unit = "text"      // cannot be computed from acceptance; only PromiseText says it
)

// Limit is a promised limit (承诺时限). Amount counts Units and is ignored for OnTheSpot.
type Limit struct {
	Amount int
	Unit   Unit
}

// Item is what is applied for (事项), as its catalogue entry says at this moment.
type Item struct {
	Code, Name, Department, Kind, Mode string
	PromiseText                        string // the limit in the catalogue's own words
	Promise                            Limit
	Seal                               string // 受理单位 as printed, for example the park's seal for approval
}

// Letter is the commitment letter as it was shown and acknowledged.
type Letter struct {
	Template, Version     string
	TextSHA256            [32]byte // of Text; Accept refuses a letter that does not match
	Text                  string   // personal: it names the applicant
	ListVersion           string   // of the power list (权力清单) the items came from
	Acknowledged          [3]time.Time
	NegativeListConfirmed bool
}

// Application is one visitor's hand-in: one identity, one letter, one or more items.
type Application struct {
	Visit       string // opaque; handing in twice with the same Visit gives the same cases
	Package     string // code of the package (一件事), or ""
	PackageName string
	Items       []Item
	Applicant   Applicant
	Letter      Letter
	Signature   []byte // strokes as JSON
	Channel     string // "kiosk"
	Delivery    string // how the result comes to the applicant; personal, for it may be an address
}

// State is where a case stands.
type State string

// The states of a case.
const (
	StateAccepted  State = "accepted"
	StateCompleted State = "completed"
	StateRejected  State = "rejected"
	StateWithdrawn State = "withdrawn"
)

// Case is one 办件.
type Case struct {
	Number           string // provisional (预受理编号), given by this machine: see Number
	PlatformNumber   string // 办件编号, "" until the platform has given one
	Item             string // code
	Name, Department string
	Seal             string // 受理单位 as printed
	State            State
	AcceptedAt, Due  time.Time // Due is zero when nothing was promised
	DueText          string    // Due in words for a visitor, with the days it was counted in; the catalogue's own words when Due is zero
	Provisional      bool      // the platform has given no number yet
	Uploaded         bool      // the platform has acknowledged the acceptance
	Service          int       // number of the latest service that was finished: 1 acceptance, 2 completion
	QueryCode        string    // 查询码, asked together with the number: 6 digits and a check digit
}

// Shown returns the number to show and print: the platform's when there is one, else the provisional one.
func (c Case) Shown() string {
	if c.PlatformNumber != "" {
		return c.PlatformNumber
	}
	return c.Number
}

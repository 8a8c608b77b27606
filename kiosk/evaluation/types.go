package evaluation

import (
	"errors"
	"time"
)

// What can stand in the way of an invitation or a rating. Test with errors.Is.
var (
	ErrRated    = errors.New("this service has been rated")
	ErrOpen     = errors.New("an invitation to rate this service is open")
	ErrNotOpen  = errors.New("the invitation is not open")
	ErrExpired  = errors.New("the invitation has run out")
	ErrClosed   = errors.New("the rating is closed")
	ErrReason   = errors.New("the reason does not belong to the level")
	ErrText     = errors.New("the text is too long")
	ErrNotFound = errors.New("no such invitation or rating")
)

// State is where an invitation stands, and how it ended.
type State string

// The states of an invitation. All but Open are final; only Rated means that there is a rating.
const (
	Open     State = "open"
	Rated    State = "rated"
	Declined State = "declined" // 暂不评价
	Timeout  State = "timeout"
	Fault    State = "fault" // the device failed, or the machine stopped
)

// Channel is where an invitation is shown.
type Channel string

// The channels of this program's machines.
const (
	ChannelPad   Channel = "pad"
	ChannelKiosk Channel = "kiosk"
)

// How a level was chosen.
const (
	SourceScreen = "screen"
	SourceButton = "button"
)

// Stages of a case that can be rated; a platform may name more.
const (
	StageAcceptance = "acceptance" // 收件受理
	StageCompletion = "completion" // 办结出件
	StageSpecial    = "special"    // 特殊程序
)

// Invitation asks one person once to rate one service.
type Invitation struct {
	ID                string // opaque, given by Invite
	Case              string // provisional or platform number, or a window system's own
	Stage             string
	Service           int // 1..99
	Staff, Window     string
	Channel           Channel
	OpenedAt, Expires time.Time // Expires zero: only End ends it
	State             State
}

// Rating is what a person said.
type Rating struct {
	ID       string // the same as its invitation's
	Case     string
	Service  int
	Level    int // 5 非常满意 … 1 非常不满意
	At       time.Time
	Codes    []string // reasons, sorted
	HasText  bool
	Closed   bool
	Unstated bool // 未说明原因: level 1 or 2 and neither reason nor text
}

// Counts are of a span of time. Nothing is left out: Invited = Open + Rated + Declined + Timeout + Fault.
type Counts struct {
	Services, Invited, Open, Rated, Declined, Timeout, Fault int
	Unstated                                                 int
	ByLevel                                                  [6]int // by level 1..5; [0] stays 0
}

// Codes are the channel codes (评价渠道, "pf") of the platform by how a rating was given.
type Codes struct {
	PadScreen, PadButton, Kiosk, Receipt string
}

// NationalCodes returns the codes of the national interface: 4 政务大厅平板电脑, 5 政务大厅其他终端, 3 二维码.
func NationalCodes() Codes { return Codes{PadScreen: "4", PadButton: "5", Kiosk: "5", Receipt: "3"} }

// of returns the code of a rating given on channel by source.
func (c Codes) of(channel Channel, source string) string {
	switch {
	case channel == ChannelKiosk:
		return c.Kiosk
	case source == SourceButton:
		return c.PadButton
	}
	return c.PadScreen
}

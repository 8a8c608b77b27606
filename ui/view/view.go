// Package view is the vocabulary between the flows and the screens: plain structs that a flow yields and a screen renders.
//
// A flow (kiosk/visit, kiosk/window) yields one View for each of its states. Package ui renders it and sends the browser
// what changed; the browser sends back an Action. Nothing here has behaviour beyond looking at its own fields.
package view

import "time"

// View is one whole screen.
type View struct {
	Screen string // names the template: ui/templates/<Screen>.html
	Title  string // stands alone when read aloud, e.g. 确认身份
	Step   Step   // where a visitor is in an application; StepNone hides the step bar
	Back   bool   // 返回 leads one step back; 首页 and 帮助 are on every screen anyway
	Modes  Modes
	Body   any      // the screen's own struct, see kiosk.go and pad.go
	Foot   []Button // left to right; the main one is the last
	Idle   *Idle    // the overlay 您还在吗; nil when nobody is asked
	Banner *Banner  // one line under the head: what does not work and what still does
	Sound  Sound    // played once when the view appears; SoundNone most of the time
}

// Step is a position in the step bar 选事项 · 核身份 · 读承诺 · 签名 · 回执 · 评价.
type Step int

// The steps of an application, in their order on the bar.
const (
	StepNone Step = iota
	StepChoose
	StepIdentity
	StepLetter
	StepSign
	StepReceipt
	StepRating
)

// Modes are how one visitor wants the screens; they are forgotten with the visit.
type Modes struct {
	Large      bool // 大字: body text >= 40 px
	Contrast   bool // 高对比
	Wheelchair bool // 轮椅: everything touchable in the lower half
	Mute       bool // 静音
}

// Switch turns one of the modes on or off by the name its button sends; standard turns off those that change how the page looks.
func (m *Modes) Switch(name string) {
	switch name {
	case "standard":
		*m = Modes{Mute: m.Mute}
	case "large":
		m.Large = !m.Large
	case "contrast":
		m.Contrast = !m.Contrast
	case "wheelchair":
		m.Wheelchair = !m.Wheelchair
	case "mute":
		m.Mute = !m.Mute
	}
}

// Action is what a person did on the page: {"do":"choose","item":"P2-01"}. Every value is a string.
type Action struct {
	Do   string
	Args map[string]string
}

// Arg returns the value of one argument, "" when it was not sent.
func (a Action) Arg(name string) string { return a.Args[name] }

// Button is one action a screen offers.
type Button struct {
	Label    string
	Do       string // the action it sends
	Args     map[string]string
	Main     bool // the one most people want: last, widest, in the accent colour
	Disabled bool // shown, but not yet possible; Why says what is missing
	Why      string
	Icon     string // a symbol of ui's sprite, "" for none
}

// Idle is the question 您还在吗 with its countdown.
type Idle struct {
	Until time.Time // when the visit will be wiped
	Total time.Duration
}

// Banner is one line that stays while its cause does.
type Banner struct {
	Kind BannerKind
	Text string
}

// BannerKind says how a banner looks; the text says the rest.
type BannerKind string

// The kinds of banners.
const (
	BannerInfo    BannerKind = "info"
	BannerWarning BannerKind = "warning"
)

// Sound names one of the short tones of ui's sound module.
type Sound string

// The sounds.
const (
	SoundNone   Sound = ""
	SoundInvite Sound = "invite" // 请您评价
	SoundDone   Sound = "done"   // a commit that matters: accepted, rated
	SoundAlert  Sound = "alert"  // something needs the person's hand: paper, card
)

// Pager is the place in a long list or text: 第 2 页，共 5 页. Actions: {"do":"page","to":"3"}.
type Pager struct {
	Page, Pages int // 1-based; Pages is at least 1
}

// Prev and Next are the neighbouring pages; 0 where there is none.
func (p Pager) Prev() int { return p.Page - 1 }

// Next is the following page, 0 on the last one.
func (p Pager) Next() int {
	if p.Page >= p.Pages {
		return 0
	}
	return p.Page + 1
}

// Failure says what happened, what it means for the person, and what to do now; it ends with a code.
type Failure struct {
	Code  string // e.g. P-104; the wording file holds the three sentences under it
	What  string
	Means string
	Do    string
}

// Field is one value a visitor types with the screen's own keys.
type Field struct {
	Name    string // sent back as {"do":"field","name":…} when touched
	Label   string
	Shown   string // the value as it is shown: grouped or masked
	Hint    string
	Error   string // why the value cannot be taken and how to mend it
	Good    string // what was understood, e.g. 校验通过
	Active  bool   // the keys write into it
	Done    bool   // complete and right
	Missing int    // characters still missing, 0 when it has a complete length
}

// Keys names an on-screen keyboard. Each key sends {"do":"key","key":"A"}; "del" erases one, "clear" all.
type Keys string

// The keyboards.
const (
	KeysNone   Keys = ""
	KeysDigits Keys = "digits" // 0-9
	KeysCredit Keys = "credit" // the 31 characters of GB 32100-2015
	KeysPinyin Keys = "pinyin" // a-z; Candidates are shown above them
)

// Composing is the state of the Chinese input method.
type Composing struct {
	Letters    string   // typed, not yet chosen
	Candidates []string // chosen with {"do":"candidate","n":"0"}
	Page       Pager
}

// Print is how far a piece of paper is.
type Print struct {
	State   PrintState
	Percent int // of the bytes on the wire, 0..100
	Place   PaperPlace
	Failure *Failure
	Job     string // shown small, so that staff can find the job
}

// PrintState is the truth about a print as far as the printer told it.
type PrintState string

// The states of a print as a visitor sees them.
const (
	PrintNone          PrintState = ""
	PrintRunning       PrintState = "printing"
	PrintWaiting       PrintState = "waiting" // for paper, a closed cover: Failure says for what
	PrintDone          PrintState = "printed"
	PrintSent          PrintState = "sent" // this printer cannot confirm
	PrintFailed        PrintState = "failed"
	PrintIndeterminate PrintState = "indeterminate"
	PrintRetracted     PrintState = "retracted" // nobody took it, and the printer has taken it back
)

// PaperPlace is where a paper that was printed is, on a printer that can tell.
type PaperPlace string

// The places of a paper.
const (
	PaperUnknown   PaperPlace = ""
	PaperPresent   PaperPlace = "present"   // in the output
	PaperForgotten PaperPlace = "forgotten" // still there after a while
	PaperTaken     PaperPlace = "taken"
)

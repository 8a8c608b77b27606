package serialpad

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// ErrGone is in the error of [Pad.Run] when the port broke: the cable is out or the adapter has vanished.
var ErrGone = errors.New("rating pad gone")

// State is what a pad shows to the visitor.
type State string

// The states of a pad's display and voice.
const (
	Welcome State = "welcome" // 欢迎
	Invite  State = "invite"  // 请评价
	Thank   State = "thank"   // 谢谢
	Pause   State = "pause"   // 暂停服务
)

// stateCodes are the values of {state} on the wire.
func stateCodes() map[State]byte {
	return map[State]byte{Welcome: 1, Invite: 2, Thank: 3, Pause: 4}
}

// Condition is the condition of a pad, in the words of XFS4IoT.
type Condition string

// The conditions of a pad.
const (
	Online        Condition = "online"
	HardwareError Condition = "hardwareError" // its line is there, but it does not answer
	Offline       Condition = "offline"       // its line is gone
)

// Health is what is known of a pad.
type Health struct {
	Condition Condition
	Detail    string // for a technician: what was seen, and what to do
}

// Stats counts what happened since New. A number that grows is what a technician looks at to judge a cable.
type Stats struct {
	Presses    int // told
	Repeats    int // copies of a press that was told
	Stale      int // presses from before the start or before the invitation, or while the pad did not answer
	Unknown    int // good messages with a key that the profile does not know
	Others     int // good messages of pads with other addresses
	Unasked    int // answers that came too late or to nobody's question
	Queries    int
	Unanswered int // questions without an answer in time
	SkipBytes  int // bytes that belonged to no message
}

func (s Stats) String() string {
	return fmt.Sprintf("%d presses, %d repeats, %d stale, %d unknown keys, %d of other pads, %d unasked answers, %d of %d queries unanswered, %d bytes of noise",
		s.Presses, s.Repeats, s.Stale, s.Unknown, s.Others, s.Unasked, s.Unanswered, s.Queries, s.SkipBytes)
}

// gbk encodes a text for the display of a pad; a character that is not in GBK becomes 〓, the mark of Chinese typesetters for a
// missing type.
func gbk(s string) []byte {
	var out []byte
	for _, r := range s {
		b, err := simplifiedchinese.GBK.NewEncoder().Bytes([]byte(string(r)))
		if err != nil || r < 0x20 {
			b = []byte{0xA1, 0xFE}
		}
		out = append(out, b...)
	}
	return out
}

// later returns the later of two times.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

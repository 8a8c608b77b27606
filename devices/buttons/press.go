package buttons

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Count is how many rating buttons there are: one for each grade, 1 (非常不满意) to 5 (非常满意).
const Count = 5

// ErrGone means that the buttons are not there any more: the chip was removed, or its driver. Opening them anew may help.
var ErrGone = errors.New("device gone")

// ErrBusy means that somebody else holds a line.
var ErrBusy = errors.New("line in use")

// ErrAbsent means that the machine has no such GPIO chip or line.
var ErrAbsent = errors.New("no such GPIO chip or line")

// Press is one press of one button.
type Press struct {
	Line int       // the button, 1 (非常不满意) to 5 (非常满意)
	At   time.Time // when the contact came to rest pressed; it is told one debounce time later
}

// State is the condition of the buttons as a whole, in the words of XFS4IoT.
type State string

// The states of the buttons.
const (
	Online        State = "online"
	HardwareError State = "hardwareError" // some buttons are set aside, the others work
	Offline       State = "offline"
)

// Health is what is known of the buttons.
type Health struct {
	State State
	Noisy []int // buttons set aside because their line chatters, ascending
	Stuck []int // buttons set aside because they are held down, ascending
	Err   error // why they are offline
}

// String says the health in one line for a technician.
func (h Health) String() string {
	if h.State == Offline {
		return fmt.Sprintf("offline: %v", h.Err)
	}
	var parts []string
	for _, n := range h.Stuck {
		parts = append(parts, fmt.Sprintf("button %d is held down or shorted: free it or check its cable", n))
	}
	for _, n := range h.Noisy {
		parts = append(parts, fmt.Sprintf("button %d chatters: check its cable, connector and pull resistor", n))
	}
	if parts == nil {
		return string(h.State)
	}
	return strings.Join(parts, "; ")
}

func (h Health) same(o Health) bool {
	return h.State == o.State && slices.Equal(h.Noisy, o.Noisy) && slices.Equal(h.Stuck, o.Stuck)
}

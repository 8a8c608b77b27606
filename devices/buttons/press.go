package buttons

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ErrGone means that the lines are not there any more: the chip was removed, or its driver. Opening them anew may help.
var ErrGone = errors.New("device gone")

// ErrBusy means that somebody else holds a line.
var ErrBusy = errors.New("line in use")

// ErrAbsent means that the machine has no such GPIO chip or line.
var ErrAbsent = errors.New("no such GPIO chip or line")

// Press is one press of one button or turn of a key.
type Press struct {
	Input string    // name of the input
	Line  int       // the rating button, 1 (非常不满意) to 5 (非常满意); 0 for all else
	At    time.Time // when the contact came to rest pressed; it is told one debounce time later
}

// Reading is what a sensor shows from now on.
type Reading struct {
	Input string    // name of the input
	On    bool      //
	At    time.Time // since when; it is told one hold time later
}

// State is the condition of the inputs as a whole, in the words of XFS4IoT.
type State string

// The states of the inputs.
const (
	Online        State = "online"
	HardwareError State = "hardwareError" // some inputs are set aside, the others work
	Offline       State = "offline"
)

// Health is what is known of the inputs.
type Health struct {
	State State
	Noisy []Input // set aside because their line chatters, in the order in which they are watched; a sensor keeps its last reading
	Stuck []Input // set aside because they are held down, in the same order
	Err   error   // why they are offline
}

// String says the health in one line for a technician.
func (h Health) String() string {
	if h.State == Offline {
		return fmt.Sprintf("offline: %v", h.Err)
	}
	var parts []string
	for _, in := range h.Stuck {
		parts = append(parts, in.Name+" is held down or shorted: free it or check its cable")
	}
	for _, in := range h.Noisy {
		parts = append(parts, in.Name+" chatters: check its cable, connector and pull resistor")
	}
	if parts == nil {
		return string(h.State)
	}
	return strings.Join(parts, "; ")
}

// Aside lists the rating buttons that are set aside, ascending.
func (h Health) Aside() []int {
	var all []int
	for _, in := range slices.Concat(h.Noisy, h.Stuck) {
		if in.Role == Rating {
			all = append(all, in.Button)
		}
	}
	slices.Sort(all)
	return all
}

func (h Health) same(o Health) bool {
	return h.State == o.State && slices.Equal(h.Noisy, o.Noisy) && slices.Equal(h.Stuck, o.Stuck)
}

package buttons

import (
	"fmt"
	"time"
)

// Count is how many rating buttons there are: one for each grade, 1 (非常不满意) to 5 (非常满意).
const Count = 5

// MaxInputs is how many inputs can be watched together, as the kernel takes no more lines in one request
// (linux/gpio.h, GPIO_V2_LINES_MAX).
const MaxInputs = 64

// Role is what the level of an input means.
type Role string

// The roles.
const (
	Rating    Role = "rating"    // one of the rating buttons: a press counts while no other of them is touched
	Momentary Role = "momentary" // a press counts whatever the other inputs do
	Sensor    Role = "sensor"    // no presses: the level counts once it has stood for its hold time
)

// Input is one contact that is watched. The zero durations take what is said of them.
type Input struct {
	Name       string        // what a technician calls it; no two inputs that are watched together have the same
	Role       Role          //
	Button     int           // of a rating button, 1 (非常不满意) to 5 (非常满意); 0 for all else
	Debounce   time.Duration // how long a level must stand before it is believed; 20 ms if zero
	HoldOn     time.Duration // of a sensor: how long on must stand before it is told; as Debounce if shorter
	HoldOff    time.Duration // of a sensor: how long off must stand before it is told; as Debounce if shorter
	StuckAfter time.Duration // a button that is held for longer is set aside until it is let go; never if zero
}

// The names of the inputs below.
const (
	Help     = "help button"
	Key      = "maintenance key"
	Door     = "door contact"
	Presence = "presence sensor"
)

const (
	defaultDebounce = 20 * time.Millisecond
	stuckAfter      = 30 * time.Second // longer than any visitor holds a button
)

// RatingButtons are the inputs of the five rating buttons, that of button 1 first.
func RatingButtons() []Input {
	var all []Input
	for n := 1; n <= Count; n++ {
		all = append(all, Input{Name: fmt.Sprintf("button %d", n), Role: Rating, Button: n, StuckAfter: stuckAfter})
	}
	return all
}

// HelpButton is the button with which a visitor asks for help.
func HelpButton() Input { return Input{Name: Help, Role: Momentary, StuckAfter: stuckAfter} }

// MaintenanceKey is the key switch with which a technician asks for the maintenance screen: turning it is a press, and it may
// stay turned. Its contacts wipe over each other, which takes longer than a button's.
func MaintenanceKey() Input {
	return Input{Name: Key, Role: Momentary, Debounce: 50 * time.Millisecond}
}

// DoorContact is on while the door of the cabinet is open. A door that falls to rattles, so closed is believed later.
func DoorContact() Input {
	return Input{Name: Door, Role: Sensor, HoldOn: 100 * time.Millisecond, HoldOff: time.Second}
}

// PresenceSensor is on while somebody stands before the machine. A person who passes by is nobody, and one who stands still
// has not left.
func PresenceSensor() Input {
	return Input{Name: Presence, Role: Sensor, HoldOn: 500 * time.Millisecond, HoldOff: 2 * time.Second}
}

func (in Input) debounce() time.Duration {
	if in.Debounce <= 0 {
		return defaultDebounce
	}
	return in.Debounce
}

// hold is how long a sensor's level must stand before it is told.
func (in Input) hold(on bool) time.Duration {
	if on {
		return max(in.HoldOn, in.debounce())
	}
	return max(in.HoldOff, in.debounce())
}

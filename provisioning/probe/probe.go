// Package probe finds out what is plugged into a machine: it asks every serial line live who is there, lists what has no serial line, and
// proposes a configuration.
//
// Asking must not harm what is asked, and it is not known beforehand what that is. So the order is fixed:
//
//  1. The printer's realtime status (DLE EOT 1). No printer prints it; no reader takes it for the beginning of a frame (AA AA AA 96 69 or
//     02); to a pad it is noise.
//  2. The queries of the rating pads whose frames are binary. Asked as [serialpad.Ask] does: nothing is taken or shown.
//  3. The reader's frames. To a printer they would be text: AA AA is a Hanzi, and 15 questions fill a line, which is then printed. A
//     printer that answers was found in step 1 and never gets here.
//  4. Lines of text: AT to a modem, the query of pads that speak text. Their end of line would make a printer print what it has.
//  5. The printer once more: one that was still starting in step 1 is found now. What the frames left in it, the driver clears.
//
// A printer that answers nothing cannot be told from an empty plug, and gets a few wrong characters; it is to be unplugged meanwhile, or
// its line left out.
package probe

import (
	"context"
	"slices"
	"sync"
	"time"

	"yuanban/devices/buttons"
	"yuanban/devices/serialport"
)

// Kind is what answers on a line. The values stand in reports.
type Kind string

// The kinds.
const (
	Reader    Kind = "reader"
	Printer   Kind = "printer"
	Pad       Kind = "pad"
	Modem     Kind = "modem"
	Loop      Kind = "loop"      // the line hears itself
	Talker    Kind = "talker"    // something speaks, and nothing we know
	Silent    Kind = "silent"    // nothing came
	Console   Kind = "console"   // of the kernel or a login; it was not asked
	Busy      Kind = "busy"      // another program has it
	Forbidden Kind = "forbidden" // we may not open it
	Gone      Kind = "gone"      // it does not open, or was unplugged
	Unasked   Kind = "unasked"   // time ran out, or the person gave up
)

// Port is a serial line and what was found on it.
type Port struct {
	serialport.Line
	Name     string   `json:"name"` // to use in a configuration: the one that stays the same device
	Kind     Kind     `json:"kind"`
	Baud     int      `json:"baud,omitempty"`
	Framing  string   `json:"framing,omitempty"`  // of a reader
	SAM      string   `json:"sam,omitempty"`      // number of a reader's safety module
	Maker    string   `json:"maker,omitempty"`    // of a printer, as it says
	Model    string   `json:"model,omitempty"`    // of a printer, as it says
	Profiles []string `json:"profiles,omitempty"` // of a printer or pad, the likeliest first
	Address  int      `json:"address,omitempty"`  // of a pad
	Says     string   `json:"says"`               // what it is, and why we think so, or what to do
	Warning  string   `json:"warning,omitempty"`
	Took     float64  `json:"took"` // seconds
}

// USB is a device without a serial line.
type USB struct {
	serialport.USB
	Says string `json:"says"`
}

// Report is what was found.
type Report struct {
	Ports    []Port         `json:"ports"`
	USB      []USB          `json:"usb"` // without a serial line
	Chips    []buttons.Chip `json:"chips"`
	Missing  []string       `json:"missing"` // what a machine usually has and was not found, and what to check
	Problems []string       `json:"problems,omitempty"`
}

// Options say what to ask. The zero value asks this machine.
type Options struct {
	Root string                                                             // of the machine's files; "" for /
	Only []string                                                           // names of the lines to ask, sysfs or not; empty for all
	Skip []string                                                           // names of lines to leave alone
	Open func(context.Context, serialport.Config) (*serialport.Port, error) // default serialport.OpenContext
	Chip func() ([]buttons.Chip, error)                                     // default buttons.Chips
	Tell func(p Port, step string)                                          // hears of each step, from several goroutines
}

// PortTime bounds the questions to one line. A reader search in vain takes 30 s at most, the rest 20 s.
const PortTime = 90 * time.Second

// Run asks everything at once, a goroutine a line. It takes about 35 s when a line is silent, PortTime at most.
func Run(ctx context.Context, o Options) *Report {
	if o.Root == "" {
		o.Root = "/"
	}
	if o.Open == nil {
		o.Open = serialport.OpenContext
	}
	if o.Chip == nil {
		o.Chip = buttons.Chips
	}
	if o.Tell == nil {
		o.Tell = func(Port, string) {}
	}
	r := &Report{Ports: []Port{}, USB: []USB{}, Missing: []string{}}
	lines, err := o.lines()
	if err != nil {
		r.Problems = append(r.Problems, err.Error())
	}
	r.Ports = make([]Port, len(lines))
	var asked sync.WaitGroup
	for i, l := range lines {
		asked.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, PortTime)
			defer cancel()
			r.Ports[i] = o.port(ctx, l)
		})
	}
	devices, err := serialport.ListUSB(o.Root)
	if err != nil {
		r.Problems = append(r.Problems, err.Error())
	}
	for _, d := range devices {
		if len(d.Lines) == 0 {
			r.USB = append(r.USB, USB{d, usbSays(d)})
		}
	}
	if r.Chips, err = o.Chip(); err != nil {
		r.Problems = append(r.Problems, err.Error())
	}
	asked.Wait()
	r.missing()
	return r
}

// lines are those to ask.
func (o *Options) lines() ([]serialport.Line, error) {
	if len(o.Only) > 0 {
		var out []serialport.Line
		for _, name := range o.Only {
			l, _, err := serialport.Describe(o.Root, name)
			if err != nil { // it is told when it does not open
				l = serialport.Line{Path: name}
			}
			out = append(out, l)
		}
		return out, nil
	}
	all, err := serialport.List(o.Root)
	var out []serialport.Line
	for _, l := range all {
		skip := false
		for _, name := range o.Skip {
			d, _, err := serialport.Describe(o.Root, name)
			skip = skip || err == nil && d.Path == l.Path
		}
		if !skip {
			out = append(out, l)
		}
	}
	return out, err
}

// stable is the name of a line that stays the same device: the machine's own for it, else by-id where Describe does not warn of it, else by-path, else
// the node.
func stable(root string, l serialport.Line) (name, warning string) {
	for _, name := range append(slices.Clone(l.Roles), l.ByID, l.ByPath, l.Path) {
		if name == "" {
			continue
		}
		if _, w, err := serialport.Describe(root, name); err == nil && w == "" {
			return name, ""
		} else if name == l.Path {
			warning = w
		}
	}
	return l.Path, warning
}

// usbSays is what a USB device without a serial line is, as far as this program is concerned.
func usbSays(d serialport.USB) string {
	class := ""
	for _, i := range d.Interfaces {
		if class != "ff" && class != "0b" {
			class = i.Class
		}
	}
	known := d.Vendor == "0400" && d.Product == "c35a"
	switch {
	case known:
		return "ID-card reader is USB class " + class + ", not serial: it needs its maker's library and cannot be used here; ask for the same model with a serial line"
	case class == "0b":
		return "reader is USB class 0b (CCID, smart cards), not serial: cannot be used here"
	case class == "07":
		return "printer is USB class 07, not serial: switch it to its serial or virtual COM port, then it can be used"
	case class == "ff":
		return "is USB class ff, the maker's own protocol, not serial: if it is an ID-card reader (HID, CCID and vendor models exist), it cannot be used here; if an adapter, its kernel driver is missing"
	case class == "03":
		return "is USB class 03 (HID): a touch screen, a keyboard or a scanner; an ID-card reader of this class cannot be used here"
	case class == "08":
		return "is USB class 08: a stick or disk"
	}
	return "is USB class " + class
}

// missing says what a machine usually has and was not found.
func (r *Report) missing() {
	has := map[Kind]bool{}
	for _, p := range r.Ports {
		has[p.Kind] = true
	}
	free := 0
	for _, c := range r.Chips {
		for _, l := range c.Lines {
			if l.Free() {
				free++
			}
		}
	}
	if !has[Reader] {
		r.Missing = append(r.Missing, "no ID-card reader: check its power and its cable (TX and RX crossed once, RS-232 or CMOS level); it must be a serial one")
	}
	if !has[Printer] {
		r.Missing = append(r.Missing, "no receipt printer: check its power, its cable, and that its interface is set to serial; one that never answers must be configured by hand")
	}
	if !has[Pad] && free == 0 {
		r.Missing = append(r.Missing, "no rating buttons: there is no GPIO chip with a free line, and no serial pad answered. A pad that only speaks when it is pressed is "+
			"found by kiosk learn -port PORT")
	} else if !has[Pad] {
		r.Missing = append(r.Missing, "rating buttons: which line is which only a press can tell: kiosk provision learn; a serial pad that only speaks when it is pressed: kiosk learn -port PORT")
	}
	if has[Busy] {
		r.Missing = append(r.Missing, "whatever is on a line in use: systemctl stop kiosk, then probe again")
	}
	if has[Forbidden] {
		r.Missing = append(r.Missing, "whatever is on a line that may not be opened: run this as root")
	}
}

package probe

import (
	"fmt"
	"strings"
)

// Text is the report for people.
func (r *Report) Text() string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	say("Serial lines: %d", len(r.Ports))
	for _, p := range r.Ports {
		say("  %s  %s", p.Path, p.Kind)
		say("    %s", p.Says)
		for _, name := range append([]string{p.ByID, p.ByPath}, p.Roles...) {
			if name != "" {
				say("    %s", name)
			}
		}
		if p.USB != nil {
			say("    USB %s:%s %s, %s, socket %s, driver %s", p.USB.Vendor, p.USB.Product, strings.TrimSpace(p.USB.Maker+" "+p.USB.Model), serial(p.USB.Serial), p.USB.Location, p.Driver)
		} else if p.Driver != "" {
			say("    on the board, driver %s", p.Driver)
		}
		if p.Warning != "" {
			say("    careful: %s", p.Warning)
		}
	}
	if len(r.USB) > 0 {
		say("USB devices without a serial line: %d", len(r.USB))
	}
	for _, u := range r.USB {
		say("  %s:%s %s (socket %s) %s", u.Vendor, u.Product, strings.TrimSpace(u.Maker+" "+u.Model), u.Location, u.Says)
	}
	say("GPIO chips: %d", len(r.Chips))
	for _, c := range r.Chips {
		say("  %s  %s, %d lines", c.Path, c.Label, len(c.Lines))
		for _, l := range c.Lines {
			name, who := l.Name, "free"
			if name == "" {
				name = "-"
			}
			if l.Used {
				who = "in use by " + l.Consumer
			} else if l.Output {
				who = "output"
			}
			say("    #%-3d %-20s %-5s %s", l.Number, name, l.Level, who)
		}
	}
	if len(r.Missing) > 0 {
		say("Not found:")
	}
	for _, m := range r.Missing {
		say("  %s", m)
	}
	for _, p := range r.Problems {
		say("  problem: %s", p)
	}
	return b.String()
}

func serial(s string) string {
	if s == "" {
		return "no serial number"
	}
	return "serial number " + s
}

// first is the first line of a kind, and how many there are.
func (r *Report) first(k Kind) (first *Port, count int) {
	for i, p := range r.Ports {
		if p.Kind == k {
			if count++; first == nil {
				first = &r.Ports[i]
			}
		}
	}
	return first, count
}

// Proposal is a configuration of the machine as it was found, with what was seen beside each device. What was not found is a comment. The
// number of the machine is the person's to write.
func (r *Report) Proposal() string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	comment := func(text string) {
		for line := range strings.Lines(text) {
			say("# %s", strings.TrimSpace(line))
		}
	}
	comment("Proposed by kiosk provision probe from what answered. Read it, write the machine's number, and check it: kiosk check -config FILE")
	say("machine: DEMO01      # six characters 0-9 A-Z, unique in the city: change this")
	role := "kiosk"
	if reader, _ := r.first(Reader); reader == nil {
		role = "pad"
	}
	if role == "pad" {
		say("role: pad            # no ID-card reader was found; for a 24-hour machine: kiosk, without window\nwindow:\n  number: \"1\"        # of the window: change this")
	} else {
		say("role: kiosk          # or pad, for a rating pad at a window")
	}
	say("state: /var/lib/kiosk\nscreen: {width: 1080, height: 1920, diagonal: 32}   # not asked: change this")
	device := func(k Kind, key, otherwise string, rest func(*Port)) {
		p, n := r.first(k)
		say("")
		if p == nil {
			comment("No " + otherwise + " answered; kiosk provision probe says what to check.")
			return
		}
		comment(p.Says)
		if n > 1 {
			comment(fmt.Sprintf("%d of this kind answered; this is the first. kiosk provision probe -identify PORT tells which is which.", n))
		}
		if p.Warning != "" {
			comment("Careful: " + p.Warning)
		}
		say("%s:\n  port: %s", key, p.Name)
		rest(p)
	}
	device(Reader, "reader", "ID-card reader", func(p *Port) {
		if p.Baud != 0 {
			say("  baud: %d", p.Baud)
		}
	})
	device(Printer, "printer", "receipt printer", func(p *Port) {
		say("  baud: %d", p.Baud)
		if len(p.Profiles) > 0 {
			say("  profile: %s", p.Profiles[0])
		} else {
			say("  profile: epson80   # a guess: choose by the plate on its back")
		}
	})
	device(Pad, "pad", "serial rating pad", func(p *Port) {
		say("  profile: %s", p.Profiles[0])
		if p.Address != 0 {
			say("  address: %d", p.Address)
		}
	})
	if len(r.Chips) > 0 {
		say("")
		comment("Buttons on GPIO: kiosk provision learn finds their lines.")
	}
	return b.String()
}

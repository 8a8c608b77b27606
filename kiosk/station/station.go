// Package station has this machine's devices as the flows need them: kept open for ever, their health known, one user at a time.
//
// A device that is missing, dead or coming back never stops the machine. Its supervisor (package hotplug) opens it again and again,
// with a bounded wait in between, and whoever listens is told when its health changes.
package station

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"yuanban/devices/hotplug"
	"yuanban/devices/serialport"
)

// State is the condition of a device, in the words of XFS4IoT.
type State string

// The states of a device.
const (
	Absent        State = "noDevice" // not configured on this machine
	Offline       State = "offline"  // lost: not there, or does not open
	Online        State = "online"
	HardwareError State = "hardwareError" // there, but frozen, so that it does not answer, or it reports a fault
)

// Health is what is known of one device.
type Health struct {
	Device string    `json:"device"` // reader, printer, buttons, sensors, relay
	State  State     `json:"state"`
	Detail string    `json:"detail,omitempty"` // for a technician: what was seen
	Since  time.Time `json:"since"`            // of this state

	Seen []Condition `json:"-"` // the same for a screen; at least one where the state is offline or hardwareError
}

// Board collects the health of all devices of a machine and tells of changes.
type Board struct {
	log      *slog.Logger
	onChange func(Health)

	mu  sync.Mutex
	all map[string]Health
}

// NewBoard returns a board; onChange is called after each change, from the goroutine of the device.
func NewBoard(log *slog.Logger, onChange func(Health)) *Board {
	return &Board{log: log, onChange: onChange, all: map[string]Health{}}
}

// Health returns what is known of a device.
func (b *Board) Health(device string) Health {
	b.mu.Lock()
	defer b.mu.Unlock()
	h, ok := b.all[device]
	if !ok {
		return Health{Device: device, State: Absent}
	}
	return h
}

// All returns what is known of every configured device.
func (b *Board) All() []Health {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []Health
	for _, name := range []string{"reader", "printer", "buttons", "sensors", "relay"} {
		if h, ok := b.all[name]; ok {
			out = append(out, h)
		}
	}
	return out
}

func (b *Board) set(device string, s State, detail string, seen ...Condition) {
	b.mu.Lock()
	was, known := b.all[device]
	if known && was.State == s && was.Detail == detail && slices.Equal(was.Seen, seen) {
		b.mu.Unlock()
		return
	}
	h := Health{Device: device, State: s, Detail: detail, Seen: seen, Since: time.Now()}
	if known && was.State == s {
		h.Since = was.Since
	}
	b.all[device] = h
	b.mu.Unlock()
	if !known || was.State != s {
		b.log.Info("device health", "device", device, "state", string(s), "detail", detail)
	}
	if b.onChange != nil {
		b.onChange(h)
	}
}

// Option changes how a device is kept open.
type Option func(*hotplug.Opts)

// WithPower gives a device a relay in its supply, which is switched off and on when the device is frozen. boot is how long the device
// needs from there to its first answer.
func WithPower(relay hotplug.Power, boot time.Duration) Option {
	return func(o *hotplug.Opts) { o.Power, o.Boot = relay, boot }
}

// onLine is the option of a device at a serial line, whose name is judged whenever the device comes or goes.
func (b *Board) onLine(device string, port serialport.Config) Option {
	return func(o *hotplug.Opts) {
		o.Subsystems = []string{"tty"}
		o.Present = func() bool { _, err := os.Stat(port.Path); return err == nil }
		report := o.OnReport
		var state hotplug.State
		var told string
		o.OnReport = func(r hotplug.Report) {
			if r.State != state {
				state = r.State
				if _, warning, _ := serialport.Describe("/", port.Path); warning != "" && warning != told { // its error is the device's own
					told = warning
					b.log.Warn("this name of a serial line may come to mean another device", "device", device, "warning", warning)
				}
			}
			report(r)
		}
	}
}

// tell says that a device works, and what was seen of it.
type tell func(detail string, seen ...Condition)

// supervise keeps a device open until ctx ends. serve runs the device until it fails; online tells it that it works.
func supervise(ctx context.Context, b *Board, device string, serve func(ctx context.Context, online tell) error, options ...Option) {
	var seen []Condition // with what serve tells, from whose goroutine the report of it comes
	opts := &hotplug.Opts{
		Subsystems: []string{"gpio"},
		Lost: func(err error) bool {
			return errors.Is(err, serialport.ErrGone) || errors.Is(err, serialport.ErrBusy) || lost(err)
		},
		OnReport: func(r hotplug.Report) { b.report(device, r, seen) },
		OnBlind: func(err error) {
			b.log.Info("a device that is plugged in is noticed later", "device", device, "err", err)
		},
	}
	for _, o := range options {
		o(opts)
	}
	_ = hotplug.New(func(ctx context.Context, online func(string)) error {
		return serve(ctx, func(detail string, now ...Condition) {
			seen = now
			online(detail)
		})
	}, opts).Run(ctx) // which ends with ctx only
}

// report puts on the board what the supervisor of a device says. seen belongs to a device that works.
func (b *Board) report(device string, r hotplug.Report, seen []Condition) {
	switch r.State {
	case hotplug.Online:
		b.set(device, Online, r.Detail, seen...)
	case hotplug.Lost:
		b.set(device, Offline, r.Err.Error(), conditionsOf(r.Err)...)
	case hotplug.Frozen:
		b.set(device, HardwareError, r.Err.Error(), conditionsOf(r.Err)...)
	}
}

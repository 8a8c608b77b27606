// Package station has this machine's devices as the flows need them: kept open for ever, their health known, one user at a time.
//
// A device that is missing, dead or coming back never stops the machine. Its supervisor opens it again and again, with a
// bounded wait in between, and tells whoever listens when its health changes.
package station

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"yuanban/devices/serialport"
)

// State is the condition of a device, in the words of XFS4IoT.
type State string

// The states of a device.
const (
	Absent        State = "noDevice" // not configured on this machine
	Offline       State = "offline"  // not there, or does not open
	Online        State = "online"
	HardwareError State = "hardwareError" // there, but it does not answer or reports a fault
)

// Health is what is known of one device.
type Health struct {
	Device string    `json:"device"` // reader, printer, buttons
	State  State     `json:"state"`
	Detail string    `json:"detail,omitempty"` // for a technician: what was seen
	Since  time.Time `json:"since"`            // of this state
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
	for _, name := range []string{"reader", "printer", "buttons"} {
		if h, ok := b.all[name]; ok {
			out = append(out, h)
		}
	}
	return out
}

func (b *Board) set(device string, s State, detail string) {
	b.mu.Lock()
	was, known := b.all[device]
	if known && was.State == s && was.Detail == detail {
		b.mu.Unlock()
		return
	}
	h := Health{Device: device, State: s, Detail: detail, Since: time.Now()}
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

const (
	minWait = 250 * time.Millisecond // before a device is opened again
	maxWait = 2 * time.Second        // so that it works within 3 s of being plugged in again
)

// supervise keeps a device open until ctx ends. serve runs the device until it fails; online tells it that it works.
func supervise(ctx context.Context, b *Board, device string, serve func(ctx context.Context, online func(detail string)) error) {
	wait := minWait
	for {
		err := serve(ctx, func(detail string) {
			wait = minWait
			b.set(device, Online, detail)
		})
		if ctx.Err() != nil {
			return
		}
		state := HardwareError
		if errors.Is(err, serialport.ErrGone) || errors.Is(err, serialport.ErrBusy) || lost(err) {
			state = Offline
		}
		b.set(device, state, err.Error())
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = min(2*wait, maxWait)
	}
}

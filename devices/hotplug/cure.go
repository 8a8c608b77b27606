package hotplug

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Power is a relay in the supply of a device.
type Power interface {
	// Set closes the relay, so that the device is powered, or opens it.
	Set(on bool) error
}

// ErrRelay is in the error of a report when the relay of the device's power failed.
var ErrRelay = errors.New("the relay of its power failed")

// Cycled is in the error of a report while a frozen device's power is switched off and on.
type Cycled struct {
	Time int // the how manyeth in a row, from 1
}

func (c *Cycled) Error() string {
	return fmt.Sprintf("its power is switched off and on (time %d)", c.Time)
}

const (
	offTime     = 2 * time.Second // long enough for the device's capacitors to empty
	defaultBoot = 2 * time.Second
	freezes     = 2 // tries in a row that found the device frozen, before its power is switched: one may be a damaged answer
	maxCures    = 3 // in a row; a device that three cures did not help needs a person

	firstRecess = 2 * time.Minute // before a fourth cure, doubled after each
	longRecess  = time.Hour
)

// cure switches the power of a frozen device off and on.
type cure struct {
	power  Power // nil if there is no relay
	on     bool  // the relay is known to be closed
	done   int   // cures since the device last worked for long
	last   time.Time
	recess time.Duration // that must lie between the last cure and the next one
}

// due says whether a device that has been found frozen so many times in a row should have its power switched now.
func (c *cure) due(frozen int, now time.Time) bool {
	return c.power != nil && frozen >= freezes && (c.done < maxCures || now.Sub(c.last) >= c.recess)
}

// forget begins to count anew.
func (c *cure) forget() { c.done, c.recess = 0, 0 }

// switchOn closes the relay unless it is known to be closed.
func (c *cure) switchOn() error {
	if c.power == nil || c.on {
		return nil
	}
	if err := c.power.Set(true); err != nil {
		return fmt.Errorf("its power cannot be switched on: %w: %w", ErrRelay, err)
	}
	c.on = true
	return nil
}

// cycle switches the power of the frozen device off and on, and waits until it has booted or ctx ends.
func (s *Supervisor) cycle(ctx context.Context, why error) {
	c := &s.cure
	c.done++
	if c.done >= maxCures {
		c.recess = min(max(firstRecess, 2*c.recess), longRecess)
	}
	s.frozen = 0
	s.opts.OnReport(Report{State: Frozen, Err: fmt.Errorf("%w; %w", why, &Cycled{c.done})})
	c.on = false
	err := c.power.Set(false)
	if err == nil {
		pause(ctx, offTime)
	}
	if err == nil {
		err = c.switchOn()
	}
	c.last = time.Now()
	if err != nil {
		s.opts.OnReport(Report{State: Frozen, Err: fmt.Errorf("%w; %w: %w", why, ErrRelay, err)})
	}
	pause(ctx, s.opts.Boot)
}

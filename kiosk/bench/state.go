package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// stateView is everything at once, as the page begins with it.
type stateView struct {
	Role     string       `json:"role"`
	Reader   readerView   `json:"reader"`
	Printer  printerView  `json:"printer"`
	Buttons  buttonsView  `json:"buttons"`
	Lamps    []lampView   `json:"lamps"`
	Platform platformView `json:"platform"`
	People   []trayCard   `json:"people"`
}

func (b *Bench) state() stateView {
	return stateView{Role: b.opt.Role, Reader: b.readerView(), Printer: b.printerView(), Buttons: b.buttonsView(), Lamps: b.lampViews(),
		Platform: b.platformView(recentRecords), People: tray(b.now())}
}

func (b *Bench) getState(w http.ResponseWriter, _ *http.Request) error {
	return reply(w, http.StatusOK, b.state())
}

// view is one part of the state.
func (b *Bench) view(p part) any {
	switch p {
	case partReader:
		return b.readerView()
	case partPrinter:
		return b.printerView()
	case partButtons:
		return b.buttonsView()
	case partLamps:
		return b.lampViews()
	default:
		return b.platformView(recentRecords)
	}
}

const (
	eventBeat  = 10 * time.Second       // a follower that hears nothing for longer has lost the bench
	eventWrite = 5 * time.Second        // a follower that takes longer to read is let go
	watchEvery = 100 * time.Millisecond // how late a change without a hook is told
)

// getEvents streams server-sent events: "state" with everything first, then whichever part changed, under its name, as it is at that
// moment; "beat" tells that the bench is alive. A slow follower misses steps in between, never the last one.
func (b *Bench) getEvents(w http.ResponseWriter, r *http.Request) error {
	l := b.hub.join()
	defer b.hub.leave(l)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	out := http.NewResponseController(w)
	send := func(event string, v any) error {
		data, err := encode(v)
		if err != nil {
			return err
		}
		if err := out.SetWriteDeadline(time.Now().Add(eventWrite)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
		if _, err := fmt.Fprintf(w, "event: %s\ndata: %s\n\n", event, data); err != nil {
			return err
		}
		return out.Flush()
	}
	beat := time.NewTicker(eventBeat)
	defer beat.Stop()
	for err := send("state", b.state()); err == nil; {
		select {
		case <-l.wake:
			for _, p := range l.take() {
				if err = send(string(p), b.view(p)); err != nil {
					break
				}
			}
		case <-beat.C:
			err = send("beat", struct{}{})
		case <-r.Context().Done():
			return nil
		case <-b.ended:
			return nil
		}
	}
	return nil // it was a follower that went away or was too slow: nothing to answer
}

// watch finds the changes that nobody tells of: bouncing buttons, and what the daemon does to the platform.
func (b *Bench) watch(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	last := map[part][]byte{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !b.hub.heard() {
			continue
		}
		for _, p := range []part{partButtons, partPlatform} {
			now := b.mark(p)
			if was, known := last[p]; known && !bytes.Equal(was, now) {
				b.hub.changed(p)
			}
			last[p] = slices.Clone(now)
		}
	}
}

// mark is a short text that changes whenever a part does.
func (b *Bench) mark(p part) []byte {
	if p == partButtons {
		return fmt.Append(nil, b.buttonsView())
	}
	return fmt.Append(nil, b.platform.Fault(), b.platform.Duplicates(), len(b.platform.Records()), len(b.platform.Problems()))
}

package bench

import "sync"

// part names what of the bench changed; the page follows these.
type part string

const (
	partReader   part = "reader"
	partPrinter  part = "printer"
	partButtons  part = "buttons"
	partLamps    part = "lamps"
	partPlatform part = "platform"
)

// hub tells listeners which parts changed. It keeps no messages: a listener that is slow finds out later, and then reads the state
// as it is at that moment.
type hub struct {
	mu        sync.Mutex
	listeners map[*listener]bool
}

// listener collects what changed since it last looked.
type listener struct {
	wake chan struct{} // holds one token while something is to be looked at

	mu    sync.Mutex
	parts map[part]bool
}

func (h *hub) join() *listener {
	l := &listener{wake: make(chan struct{}, 1), parts: map[part]bool{}}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.listeners == nil {
		h.listeners = map[*listener]bool{}
	}
	h.listeners[l] = true
	return l
}

func (h *hub) leave(l *listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.listeners, l)
}

// heard tells whether anybody listens.
func (h *hub) heard() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.listeners) > 0
}

// changed marks a part. It never blocks.
func (h *hub) changed(p part) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.listeners {
		l.mu.Lock()
		l.parts[p] = true
		l.mu.Unlock()
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// take returns the parts that changed, and forgets them.
func (l *listener) take() []part {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []part
	for _, p := range []part{partReader, partPrinter, partButtons, partLamps, partPlatform} {
		if l.parts[p] {
			all = append(all, p)
		}
	}
	clear(l.parts)
	return all
}

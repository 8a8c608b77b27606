package buttons

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// Kernel plays one GPIO chip behind the seam of the GPIO library: five buttons and five lamps, all of them on while low, the
// last button and the last lamp without a name. Each time it is plugged in it is another gpiochip.
type Kernel struct {
	Buttons *SimLines
	Lamps   []*SimLamp
	Poll    bool // no edges are to be waited for

	mu     sync.Mutex
	number int
	gone   bool
	taken  map[string]bool
}

// NewKernel returns a chip that is plugged in, with all buttons released.
func NewKernel() *Kernel {
	k := &Kernel{Buttons: NewSimLines(), taken: map[string]bool{}}
	for range Count {
		k.Lamps = append(k.Lamps, &SimLamp{})
	}
	return k
}

// Open takes the buttons.
func (k *Kernel) Open() (Lines, error) { return openGPIO(k.config("button", 4), k.scan) }

// GPIOLamps are the lamps.
func (k *Kernel) GPIOLamps() *GPIOLamps { return newGPIOLamps(k.config("lamp", 9), k.scan) }

func (k *Kernel) config(what string, unnamed int) GPIOConfig {
	cfg := GPIOConfig{Name: what + "s", Chip: "panel", Poll: k.Poll}
	for n := 1; n <= Count; n++ {
		w := Wire{Name: fmt.Sprint(what, " ", n), Line: fmt.Sprint(what, "-", n), ActiveLow: true}
		if n == Count {
			w.Line = fmt.Sprintf("#%d", unnamed)
		}
		cfg.Wires = append(cfg.Wires, w)
	}
	return cfg
}

// Unplug takes the chip away.
func (k *Kernel) Unplug() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.gone = true
	k.Buttons.Unplug()
}

// Replug brings it back under another number.
func (k *Kernel) Replug() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.gone = false
	k.number++
	clear(k.taken)
	k.Buttons.Replug()
}

func (k *Kernel) scan() ([]chip, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	all := []chip{{label: "soc", name: "gpiochip0", path: "/dev/gpiochip0"}}
	if k.gone {
		return all, nil
	}
	c := chip{label: "panel", name: fmt.Sprint("gpiochip", k.number+1), request: &kernelPlug{k, k.number}}
	c.path = "/dev/" + c.name
	prefix := ""
	if k.number > 0 {
		prefix = c.name + "-" // the library has met these names before
	}
	for i := range 2 * Count {
		name := fmt.Sprint(prefix, []string{"button", "lamp"}[i/Count], "-", i%Count+1)
		l := chipLine{name: name, key: name}
		if i%Count == Count-1 {
			l = chipLine{key: fmt.Sprintf("#%d", i)}
		}
		c.lines = append(c.lines, l)
	}
	return append(all, c), nil
}

// kernelPlug is the chip from one plug to the next.
type kernelPlug struct {
	k    *Kernel
	life int
}

func (p *kernelPlug) holder(int) string { return "" }

func (p *kernelPlug) inputs(lines []inputLine, edges bool) (inputSet, error) {
	if edges == p.k.Poll {
		return nil, fmt.Errorf("edges are asked for: %v", edges)
	}
	var keys []string
	for _, l := range lines {
		if l.pull != PullUp {
			return nil, fmt.Errorf("line %s has its pull %s", l.key, l.pull)
		}
		keys = append(keys, l.key)
	}
	s, err := p.take(keys)
	if err != nil {
		return nil, err
	}
	if s.lines, err = p.k.Buttons.Open(); err != nil {
		return nil, err
	}
	return s, nil
}

func (p *kernelPlug) outputs(keys []string) (outputSet, error) {
	s, err := p.take(keys)
	if err == nil {
		err = s.write(0, 1<<len(keys)-1) // the kernel makes them low
	}
	return s, err
}

func (p *kernelPlug) take(keys []string) (*kernelSet, error) {
	p.k.mu.Lock()
	defer p.k.mu.Unlock()
	for _, key := range keys {
		if p.k.taken[key] {
			return nil, errors.New("LineSetFromConfig: device or resource busy")
		}
	}
	for _, key := range keys {
		p.k.taken[key] = true
	}
	return &kernelSet{p: p, keys: keys}, nil
}

// kernelSet are lines that were requested together.
type kernelSet struct {
	p     *kernelPlug
	keys  []string
	lines Lines
}

func (s *kernelSet) gone() error {
	s.p.k.mu.Lock()
	defer s.p.k.mu.Unlock()
	if s.p.k.gone || s.p.k.number != s.p.life {
		return errors.New("no such device")
	}
	return nil
}

func (s *kernelSet) read() (uint64, error) {
	levels, err := s.lines.Levels()
	return ^levels, err
}

// wait does not notice that the chip is pulled out.
func (s *kernelSet) wait(timeout time.Duration) (int, error) {
	began := time.Now()
	edges, err := s.lines.WaitEdge(timeout)
	if err != nil {
		time.Sleep(timeout - time.Since(began))
	}
	for bit := range Count {
		if edges>>bit&1 == 1 {
			return bit, nil
		}
	}
	return 0, os.ErrDeadlineExceeded
}

func (s *kernelSet) write(bits, mask uint64) error {
	if err := s.gone(); err != nil {
		return err
	}
	for i, key := range s.keys {
		n := Count
		if _, err := fmt.Sscanf(key[strings.LastIndex(key, "-")+1:], "%d", &n); err != nil {
			n = Count
		}
		if mask>>i&1 == 1 {
			_ = s.p.k.Lamps[n-1].Set(bits>>i&1 == 0)
		}
	}
	return nil
}

func (s *kernelSet) Close() error {
	s.p.k.mu.Lock()
	defer s.p.k.mu.Unlock()
	if s.p.k.number == s.p.life {
		for _, key := range s.keys {
			delete(s.p.k.taken, key)
		}
	}
	return nil
}

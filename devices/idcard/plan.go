package idcard

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Plan decides by chance what goes wrong between a simulated reader and its driver. The chance follows from a seed, so that
// whatever a driver made of it can be seen again. A nil Plan lets everything go well.
type Plan struct {
	stopped chan struct{}

	mu    sync.Mutex
	rng   *rand.Rand
	kinds []mishap // those of this seed
	rate  float64  // how often one of them happens
	ended bool
	did   []string
	last  []byte // the frame before this one
	held  []byte // a frame that goes out with the next one
	calm  int    // answers to come before one may be late again
}

// mishap is one thing that goes wrong.
type mishap string

const (
	planLose        mishap = "lose"        // an answer is lost
	planDrop        mishap = "drop"        // a few bytes of an answer are lost
	planFlip        mishap = "flip"        // a few bytes of an answer are changed
	planInsert      mishap = "insert"      // bytes that mean nothing come in the middle of an answer
	planBefore      mishap = "before"      // or before it
	planAfter       mishap = "after"       // or behind it
	planHalf        mishap = "half"        // an answer breaks off
	planMerge       mishap = "merge"       // an answer comes together with the next one
	planLate        mishap = "late"        // an answer comes late, up to six seconds
	planTrickle     mishap = "trickle"     // an answer comes at one byte a second
	planStaleTail   mishap = "staleTail"   // the end of the answer before comes again
	planStaleWhole  mishap = "staleWhole"  // an answer comes again a moment later
	planBadSum      mishap = "badSum"      // the checksum is wrong
	planWrongLength mishap = "wrongLength" // the length is wrong
	planEcho        mishap = "echo"        // the line gives the command back before the answer
	planDeaf        mishap = "deaf"        // a command is lost
	planGarble      mishap = "garble"      // a few bytes of a command are changed
	planMove        mishap = "move"        // the card is moved in the middle of a reading
	planHang        mishap = "hang"        // the reader hangs until its power is cut
)

// mishaps lists those that happen on a line with a framing. With STX every answer looks like every other: that one comes twice
// is beyond what can be found out.
func mishaps(f Framing) []mishap {
	all := []mishap{planLose, planDrop, planFlip, planInsert, planBefore, planAfter, planHalf, planMerge, planLate, planTrickle,
		planStaleTail, planBadSum, planWrongLength, planEcho, planDeaf, planGarble, planMove, planHang}
	if f == SDT {
		all = append(all, planStaleWhole)
	}
	return all
}

// NewPlan makes the plan of a seed for a reader with a framing: one to all kinds of mishaps, seldom to always.
func NewPlan(seed uint64, f Framing) *Plan {
	rng := rand.New(rand.NewPCG(seed, uint64(len(f))))
	all := mishaps(f)
	rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	rates := []float64{0.02, 0.1, 0.3, 0.6, 1}
	return &Plan{rng: rng, kinds: all[:1+rng.IntN(len(all))], rate: rates[rng.IntN(len(rates))], stopped: make(chan struct{})}
}

// End ends it: from here on everything goes well, but for a reader that hangs. What was late or slow comes at once.
func (p *Plan) End() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended {
		p.ended = true
		close(p.stopped)
	}
}

// Did lists what has gone wrong so far, in order.
func (p *Plan) Did() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.did)
}

// chance tells whether one kind of mishap happens now.
func (p *Plan) chance(m mishap) bool {
	if p == nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended || !slices.Contains(p.kinds, m) || p.rng.Float64() >= p.rate/4 {
		return false
	}
	p.did = append(p.did, string(m))
	return true
}

// begin forgets what was on the line before the plug was pulled.
func (p *Plan) begin() {
	if p != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.last, p.held, p.calm = nil, nil, 0
	}
}

// hear is what arrives at the reader of what the host sent.
func (p *Plan) hear(chunk []byte) []byte {
	switch {
	case p.chance(planDeaf):
		return nil
	case p.chance(planGarble):
		p.mu.Lock()
		defer p.mu.Unlock()
		p.flip(chunk)
	}
	return chunk
}

// burst is a piece of an answer and how long it takes until it leaves.
type burst struct {
	wait  time.Duration
	bytes []byte
}

// speak is what leaves the reader when it sends frame, the answer to command. A busy reader has more commands to work off: it
// is not late with their answers again, for a driver can do no better than to wait for a while whether more comes.
func (p *Plan) speak(f Framing, frame, command []byte, busy bool) []burst {
	if p == nil {
		return []burst{{0, frame}}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	last := p.last
	p.last = slices.Clone(frame)
	ahead := p.held
	p.held = nil
	out := []burst{{0, frame}}
	if !p.ended && p.rng.Float64() < p.rate {
		kind := p.kinds[p.rng.IntN(len(p.kinds))]
		late := kind == planMerge || kind == planLate || kind == planTrickle
		if !late || !busy && len(ahead) == 0 && p.calm <= 0 {
			out = p.spoil(kind, f, frame, command, last)
			if late {
				p.calm = 5
			}
		}
	}
	p.calm--
	if len(ahead) > 0 {
		if len(out) == 0 {
			return []burst{{0, ahead}}
		}
		out[0].bytes = append(ahead, out[0].bytes...)
	}
	return out
}

// spoil lets one kind of mishap happen to frame.
func (p *Plan) spoil(kind mishap, f Framing, frame, command, last []byte) []burst {
	whole := []burst{{0, frame}}
	note := string(kind)
	defer func() {
		if note != "" {
			p.did = append(p.did, note)
		}
	}()
	at := func(n int) int { return p.rng.IntN(max(n, 1)) }
	switch kind {
	case planLose:
		return nil
	case planDrop:
		from := at(len(frame))
		return []burst{{0, slices.Delete(frame, from, min(len(frame), from+1+at(4)))}}
	case planFlip:
		p.flip(frame)
		return whole
	case planInsert:
		return []burst{{0, slices.Insert(frame, at(len(frame)), p.junk()...)}}
	case planBefore:
		return []burst{{0, p.junk()}, {time.Duration(at(100)) * time.Millisecond, frame}}
	case planAfter:
		return []burst{{0, frame}, {time.Duration(at(100)) * time.Millisecond, p.junk()}}
	case planHalf:
		return []burst{{0, frame[:at(len(frame))]}}
	case planMerge:
		p.held = frame
		return nil
	case planLate:
		d := time.Duration(100+at(5900)) * time.Millisecond
		note = fmt.Sprintf("late %v", d)
		return []burst{{d, frame}}
	case planTrickle:
		var out []burst
		for i := range frame {
			out = append(out, burst{time.Second, frame[i : i+1]})
		}
		return out
	case planStaleTail:
		if len(last) > 1 {
			return []burst{{0, slices.Concat(last[1+at(len(last)-1):], frame)}}
		}
	case planStaleWhole:
		return []burst{{0, frame}, {time.Duration(5+at(25)) * time.Millisecond, slices.Clone(frame)}}
	case planBadSum:
		frame[len(frame)-1-at(2)] ^= byte(1 + at(255))
		return whole
	case planWrongLength:
		p.wrongLength(f, frame)
		return whole
	case planEcho:
		return []burst{{0, slices.Concat(f.fromHost().wrap(nil, command), frame)}}
	}
	note = "" // the others happen elsewhere
	return whole
}

// flip changes one to three bytes.
func (p *Plan) flip(b []byte) {
	if len(b) == 0 {
		return
	}
	for range 1 + p.rng.IntN(3) {
		b[p.rng.IntN(len(b))] ^= byte(1 + p.rng.IntN(255))
	}
}

// junk is up to twenty bytes, some of them looking like the beginning of a frame.
func (p *Plan) junk() []byte {
	b := make([]byte, 1+p.rng.IntN(20))
	for i := range b {
		b[i] = byte(p.rng.Uint32())
	}
	if p.rng.IntN(2) == 0 {
		return append(b, noises[p.rng.IntN(len(noises))]...)
	}
	return b
}

// wrongLength changes the length of a frame, half the time with the checksum that makes it look right.
func (p *Plan) wrongLength(f Framing, frame []byte) {
	at := len(preamble)
	if f == STX {
		at = 1
	}
	mask := byte(1 + p.rng.IntN(255))
	if p.rng.IntN(2) == 0 {
		frame[at] ^= mask & 7
	}
	frame[at+1] ^= mask
	if f == SDT && p.rng.IntN(2) == 0 {
		frame[len(frame)-1] = xor(frame[at : len(frame)-1])
	}
}

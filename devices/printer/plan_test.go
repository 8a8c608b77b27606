package printer

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// anyModel is a built-in profile with a buffer, a lead and a way of flow control of any kind.
func anyModel(t *rapid.T) *Profile {
	p := *Profiles()[rapid.SampledFrom(ProfileNames()).Draw(t, "profile")]
	p.Flow.Buffer = rapid.SampledFrom([]int{45, 100, 1100, 4096}).Draw(t, "buffer")
	p.Flow.Headroom, p.Flow.Resume = 16, 26
	p.Confirm.Lead = rapid.IntRange(0, 20).Draw(t, "lead")
	return &p
}

func anyLines(t *rapid.T) *Document {
	d := numbered("x", rapid.IntRange(1, 60).Draw(t, "lines"))
	if rapid.Bool().Draw(t, "code") {
		at := rapid.IntRange(0, len(d.Blocks)).Draw(t, "at")
		d.Blocks = slices.Insert(d.Blocks, at, Block(QR{Data: "https://example.cn/x", Caption: "扫码"}))
	}
	return d
}

// TestPlan: a plan has the document's commands in their order, and nothing of it can run over the buffer, leave the lead, or put the
// last ink on the paper early.
func TestPlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyModel(t)
		cmds, err := Encode(anyLines(t), p)
		if err != nil {
			t.Fatal(err)
		}
		lang, _ := compile(p)
		var id *[4]byte
		if p.Confirm.Method == ConfirmProcessID {
			id = &[4]byte{'a', 'b', 'c', 'd'}
		}
		plan := makePlan(cmds, p, lang, id)
		var own, all []byte
		var marks []int // bytes up to each milestone
		vital, long, longEnd := 0, 0, 0
		room := max(p.Flow.Buffer-p.Flow.Headroom, p.Flow.Buffer/2)
		guarded := lang.ask != nil || p.Flow.Control == FlowNone
		for i, s := range plan.steps {
			if s.gate > len(marks) {
				t.Fatalf("step %d waits for milestone %d of %d: for ever", i, s.gate, len(marks))
			}
			done := 0
			if s.gate > 0 {
				done = marks[s.gate-1]
			}
			after := len(all) + len(s.cmd)
			if !s.mark && len(s.cmd)+len(lang.ask) > room { // it goes alone, and the printer takes it as it comes
				long, longEnd = len(s.cmd), after
				if s.gate != len(marks) || done != len(all) {
					t.Fatalf("step %d fills the buffer and does not wait for all before it", i)
				}
			} else if guarded && after-done-long > room {
				t.Fatalf("step %d: %d bytes may be in a buffer with room for %d", i, after-done, room)
			}
			if done >= longEnd {
				long = 0
			}
			if !s.mark && inks(s.cmd) {
				vital = len(all)
			}
			all = append(all, s.cmd...)
			if s.mark {
				marks = append(marks, len(all))
			} else {
				own = append(own, s.cmd...)
			}
		}
		if !bytes.Equal(own, bytes.Join(toBytes(cmds), nil)) {
			t.Fatal("the commands are not those of the document")
		}
		if plan.total != len(all) || plan.marks != len(marks) || marks[len(marks)-1] != len(all) {
			t.Fatalf("%d bytes and %d milestones, counted %d and %d", plan.total, plan.marks, len(all), len(marks))
		}
		if plan.vital > vital {
			t.Fatalf("%d bytes are said to be harmless, but the last ink begins at %d", plan.vital, vital)
		}
	})
}

// TestOwnCommands: whatever the driver does, there is nothing on the wire but commands of the document and its own, each whole, and
// status requests stand between commands only.
func TestOwnCommands(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		p := anyModel(rt)
		if p.Flow.Control == FlowNone {
			p.Flow.Buffer = 2048
		}
		doc := anyLines(rt)
		trouble := rapid.SliceOfN(rapid.IntRange(0, 6), 0, 6).Draw(rt, "trouble")
		pause := rapid.IntRange(1, 400).Draw(rt, "pause")
		var wrong string
		synctest.Test(t, func(t *testing.T) {
			sim := NewSim(p, nil)
			r := newRig(t, p, sim, &Opts{FaultWait: 3 * time.Second, RetractAfter: time.Second, Unfinished: true})
			defer r.close()
			j := r.startDoc(t.Context(), "x", doc)
			for _, what := range trouble {
				time.Sleep(time.Duration(pause) * time.Millisecond)
				switch what {
				case 0:
					sim.Set("out", "", "")
				case 1:
					sim.Set("", "open", "")
				case 2:
					sim.Set("full", "closed", "ok")
				case 3:
					r.tap.Write([]byte{0x13, 0x00, 0x37})
				case 4:
					r.tap.Write([]byte{0x11, 0x12})
				case 5:
					if len(p.Status.Polls) > 0 {
						sim.SetFault(SimSilent)
					}
				case 6:
					sim.SetFault(SimNone)
				}
			}
			<-j.out
			sim.SetFault(SimNone)
			sim.Set("full", "closed", "ok")
			time.Sleep(10 * time.Second)
			<-r.startDoc(t.Context(), "y", numbered("y", 2)).out
			wrong = foreign(r.tap.received(), p, doc, numbered("y", 2))
		})
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}

// foreign finds the first thing in a stream that is neither a command of one of the documents nor one of the driver's own.
func foreign(stream []byte, p *Profile, docs ...*Document) string {
	lang, _ := compile(p)
	allowed := map[string]bool{string([]byte{nul}): true, "\x1b@": true, "\x1c&": true, "\n": true, clearCommand: true}
	for _, c := range lang.commands() {
		allowed[string(c)] = true
	}
	cut := &encoder{p: p}
	cut.cut()
	for _, c := range cut.cmds {
		allowed[string(c)] = true
	}
	for _, d := range docs {
		cmds, err := Encode(d, p)
		if err != nil {
			return err.Error()
		}
		for _, c := range cmds {
			allowed[string(c)] = true
		}
	}
	f := framer{gb18030: p.Charset == GB18030, vendor: lang.commands()}
	for part := range bytes.SplitSeq(stream, []byte(clearCommand)) { // which ends whatever was begun
		f.part = nil
		for _, b := range part {
			c := f.feed(b)
			if c == nil || allowed[string(c)] || len(c) == 11 && string(c[:7]) == "\x1d(H\x06\x0000" || filled(c, allowed, lang) {
				continue
			}
			return fmt.Sprintf("% x, which nobody may send", c)
		}
	}
	if f.inside() {
		return fmt.Sprintf("the stream ends inside % x", f.part)
	}
	return ""
}

// filled says whether c is a command that was given up and filled up with NULs, and with questions after the end of the trouble.
func filled(c Command, allowed map[string]bool, lang *dialect) bool {
	for a := range allowed {
		n := 0
		for n < min(len(a), len(c)) && a[n] == c[n] {
			n++
		}
		rest := c[n:]
		for _, q := range lang.polls {
			rest = bytes.ReplaceAll(rest, q.ask, nil)
		}
		if n > 0 && len(bytes.Trim(rest, "\x00")) == 0 {
			return true
		}
	}
	return false
}

package printer

import (
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// ownProfile is the profile file of a park in testdata.
func ownProfile(t testing.TB) *Profile {
	t.Helper()
	data, err := os.ReadFile("testdata/vkp80.json")
	if err != nil {
		t.Fatal(err)
	}
	p, err := ParseProfile(data)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// diary notes what is told of a receipt, with the seconds since it was begun.
type diary struct {
	mu    sync.Mutex
	begun time.Time
	said  []Presence
	at    []int
}

func newDiary() *diary { return &diary{begun: time.Now()} }

func (d *diary) note(p Presence) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.said = append(d.said, p)
	d.at = append(d.at, int(time.Since(d.begun).Seconds()))
}

func (d *diary) reads() []Presence {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.said)
}

func (r *rig) printFor(id string, d *diary) Outcome {
	return r.dev.Print(r.t.Context(), Job{ID: id, Doc: numbered(id, 4), OnPresence: d.note}, nil)
}

// presenters are the profiles with a presenter: the built-in one asks in real time, the park's own in order.
func presenters(t testing.TB) []*Profile { return []*Profile{profile(t, "custom80"), ownProfile(t)} }

func TestTaken(t *testing.T) {
	for _, p := range append(presenters(t), profile(t, "kp628e")) {
		t.Run(p.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, p, NewSim(p, nil), &Opts{RemindAfter: time.Minute, RetractAfter: 2 * time.Minute})
				defer r.close()
				if s := r.dev.Status(); s.Presenter != Empty {
					t.Errorf("before the first receipt: presenter %q", s.Presenter)
				}
				d := newDiary()
				r.want(r.printFor("a", d), Printed, "")
				time.Sleep(time.Second)
				if s := r.dev.Status(); s.Presenter != Present || !r.sim.Receipts()[0].Presented {
					t.Errorf("presenter %q, receipt %+v", s.Presenter, r.sim.Receipts()[0])
				}
				if err := r.sim.Take("1"); err != nil {
					t.Error(err)
				}
				time.Sleep(time.Second)
				if s := r.dev.Status(); s.Presenter != Taken || !r.sim.Receipts()[0].Taken {
					t.Errorf("presenter %q", s.Presenter)
				}
				time.Sleep(5 * time.Minute)
				if got := d.reads(); !slices.Equal(got, []Presence{Present, Taken}) {
					t.Errorf("told %v", got)
				}
				if r.sim.Take("99") == nil {
					t.Error("took a receipt that does not exist")
				}
			})
		})
	}
}

// TestForgotten: a receipt that nobody takes is reminded of and taken back; the next visitor never sees it.
func TestForgotten(t *testing.T) {
	for _, p := range presenters(t) {
		t.Run(p.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, p, NewSim(p, nil), &Opts{RemindAfter: 10 * time.Second, RetractAfter: 30 * time.Second})
				defer r.close()
				d := newDiary()
				r.want(r.printFor("a", d), Printed, "")
				time.Sleep(time.Minute)
				if got := d.reads(); !slices.Equal(got, []Presence{Present, Forgotten, Retracted}) || d.at[1]-d.at[0] != 10 || d.at[2]-d.at[0] < 30 || d.at[2]-d.at[0] > 32 {
					t.Errorf("told %v after %v s", got, d.at)
				}
				if rec := r.sim.Receipts()[0]; !rec.Retracted || rec.Presented || rec.Taken {
					t.Errorf("receipt %+v", rec)
				}
				if s := r.dev.Status(); s.Presenter != Retracted {
					t.Errorf("presenter %q", s.Presenter)
				}
				r.want(r.printFor("b", newDiary()), Printed, "")
				r.wantPaper(numbered("a", 4), numbered("b", 4))
				time.Sleep(time.Second)
				if s := r.dev.Status(); s.Presenter != Present {
					t.Errorf("presenter %q", s.Presenter)
				}
			})
		})
	}
}

// TestForgottenWithoutPresenter: a model that only sees its mouth reminds and takes nothing back.
func TestForgottenWithoutPresenter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := profile(t, "kp628e")
		r := newRig(t, p, NewSim(p, nil), &Opts{RemindAfter: 10 * time.Second, RetractAfter: 30 * time.Second})
		defer r.close()
		d := newDiary()
		r.want(r.printFor("a", d), Printed, "")
		time.Sleep(time.Minute)
		if got := d.reads(); !slices.Equal(got, []Presence{Present, Forgotten}) {
			t.Errorf("told %v", got)
		}
	})
}

// TestNextJobFreesTheOutput: what stands in the output is taken out of the way before a job's first byte.
func TestNextJobFreesTheOutput(t *testing.T) {
	for _, p := range presenters(t) {
		t.Run(p.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, p, NewSim(p, nil), nil)
				defer r.close()
				first, second := newDiary(), newDiary()
				r.want(r.printFor("a", first), Printed, "")
				time.Sleep(2 * time.Second)
				r.want(r.printFor("b", second), Printed, "")
				time.Sleep(2 * time.Second)
				recs := r.sim.Receipts()
				if len(recs) != 2 || recs[0].Presented || !recs[1].Presented {
					t.Errorf("receipts %+v", recs)
				}
				gone := Retracted
				if p.Presenter.Clear != p.Presenter.Retract {
					gone = Taken // thrown out: it looks as if somebody took it
				}
				if got := first.reads(); !slices.Equal(got, []Presence{Present, gone}) {
					t.Errorf("told of the first %v", got)
				}
				if got := second.reads(); !slices.Equal(got, []Presence{Present}) {
					t.Errorf("told of the second %v", got)
				}
			})
		})
	}
}

// TestOutputJam: a receipt that cannot be taken out of the way keeps the next one from being printed into it.
func TestOutputJam(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := with(t, "custom80", func(p *Profile) { p.Presenter.Clear = "1D 65 07" }) // which the printer does not know
		sim := NewSim(profile(t, "custom80"), nil)
		r := newRig(t, p, sim, nil)
		defer r.close()
		r.want(r.print("a", 3), Printed, "")
		time.Sleep(2 * time.Second)
		out := r.print("b", 3)
		r.want(out, Failed, OutputJam)
		if out.Bytes != 0 {
			t.Errorf("%d bytes sent", out.Bytes)
		}
		if err := sim.Take("1"); err != nil {
			t.Error(err)
		}
		time.Sleep(2 * time.Second)
		r.want(r.print("c", 3), Printed, "")
		r.wantPaper(numbered("a", 3), numbered("c", 3))
	})
}

package evaluation

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// model is what must be true of the book, told in the plainest way.
type model struct {
	invitations map[string]*Invitation
	order       []string
	ratings     map[string]*Rating
	byService   map[string]string // "case/service" -> rating
	facts       int
}

func (m *model) openFor(c string, service int) bool {
	for _, inv := range m.invitations {
		if inv.Case == c && inv.Service == service && inv.State == Open {
			return true
		}
	}
	return false
}

// TestBookAgainstModel does what windows, visitors, timers and power cuts do, in any order, and compares with the model after each step.
func TestBookAgainstModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			rt.Fatal(err)
		}
		b := newBench(rt, dir)
		defer func() { _ = b.j.Close() }()
		m := &model{invitations: map[string]*Invitation{}, ratings: map[string]*Rating{}, byService: map[string]string{}}
		from := b.now
		pick := func(rt *rapid.T) string {
			if len(m.order) == 0 {
				return "none"
			}
			return rapid.SampledFrom(append([]string{"none"}, m.order...)).Draw(rt, "id")
		}
		expect := func(rt *rapid.T, got, want error) {
			rt.Helper()
			if !errors.Is(got, want) {
				rt.Fatalf("error %v, want %v", got, want)
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"invite": func(rt *rapid.T) {
				inv := Invitation{Case: rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "case"), Service: rapid.IntRange(1, 2).Draw(rt, "service"),
					Stage: StageAcceptance, Channel: rapid.SampledFrom([]Channel{ChannelPad, ChannelKiosk}).Draw(rt, "channel")}
				if rapid.Bool().Draw(rt, "expires") {
					inv.Expires = b.now.Add(time.Minute)
				}
				var want error
				if m.byService[fmt.Sprint(inv.Case, "/", inv.Service)] != "" {
					want = ErrRated
				} else if m.openFor(inv.Case, inv.Service) {
					want = ErrOpen
				}
				got, err := b.book.Invite(ctx, inv)
				expect(rt, err, want)
				if err == nil {
					m.invitations[got.ID], m.order, m.facts = &got, append(m.order, got.ID), m.facts+1
				}
			},
			"rate": func(rt *rapid.T) {
				id, level := pick(rt), rapid.IntRange(1, 5).Draw(rt, "level")
				inv := m.invitations[id]
				var want error
				switch {
				case inv == nil:
					want = ErrNotFound
				case inv.State == Rated:
					want = ErrRated
				case inv.State != Open:
					want = ErrNotOpen
				case !inv.Expires.IsZero() && b.now.After(inv.Expires):
					want = ErrExpired
				}
				r, err := b.book.Rate(ctx, id, level, rapid.SampledFrom([]string{SourceScreen, SourceButton}).Draw(rt, "source"))
				expect(rt, err, want)
				if err == nil {
					inv.State = Rated
					m.ratings[id], m.byService[fmt.Sprint(inv.Case, "/", inv.Service)] = &r, id
					m.facts++
				}
			},
			"detail": func(rt *rapid.T) {
				id := pick(rt)
				level := 1
				if r := m.ratings[id]; r != nil {
					level = r.Level
				}
				var codes []string
				for _, reason := range b.book.Reasons().ForLevel(level)[:rapid.IntRange(0, 2).Draw(rt, "codes")] {
					codes = append(codes, reason.Code)
				}
				text := rapid.Bool().Draw(rt, "text")
				r := m.ratings[id]
				var want error
				switch {
				case r == nil:
					want = ErrNotFound
				case r.Closed:
					want = ErrClosed
				}
				words := ""
				if text {
					words = "意见"
				}
				expect(rt, b.book.Detail(ctx, id, codes, words), want)
				if want == nil && (!slices.Equal(codes, r.Codes) || text != r.HasText) {
					r.Codes, r.HasText = codes, text
					m.facts++
				}
			},
			"finish": func(rt *rapid.T) {
				id := pick(rt)
				r := m.ratings[id]
				if r == nil {
					expect(rt, b.book.Finish(ctx, id), ErrNotFound)
					return
				}
				expect(rt, b.book.Finish(ctx, id), nil)
				m.close(r)
			},
			"end": func(rt *rapid.T) {
				id, how := pick(rt), rapid.SampledFrom([]State{Declined, Timeout, Fault}).Draw(rt, "how")
				inv := m.invitations[id]
				switch {
				case inv == nil:
					expect(rt, b.book.End(ctx, id, how), ErrNotFound)
				case inv.State == how:
					expect(rt, b.book.End(ctx, id, how), nil)
				case inv.State != Open:
					expect(rt, b.book.End(ctx, id, how), ErrNotOpen)
				default:
					expect(rt, b.book.End(ctx, id, how), nil)
					inv.State = how
					m.facts++
				}
			},
			"time passes": func(rt *rapid.T) {
				b.now = b.now.Add(time.Duration(rapid.IntRange(1, 90).Draw(rt, "seconds")) * time.Second)
			},
			"power cut": func(rt *rapid.T) {
				b.restart(rt)
				for _, inv := range m.invitations {
					if inv.State == Open {
						inv.State = Fault
						m.facts++
					}
				}
				for _, r := range m.ratings {
					m.close(r)
				}
			},
			"": func(rt *rapid.T) { m.check(rt, b, from) },
		})
		if err := b.j.Verify(ctx); err != nil {
			rt.Fatal(err)
		}
	})
}

func (m *model) close(r *Rating) {
	if r.Closed {
		return
	}
	r.Closed, r.Unstated = true, r.Level <= 2 && len(r.Codes) == 0 && !r.HasText
	m.facts++
}

func (m *model) check(rt *rapid.T, b *bench, from time.Time) {
	var want Counts
	services := map[string]bool{}
	for _, inv := range m.invitations {
		got, err := b.book.Get(ctx, inv.ID)
		if err != nil || got.State != inv.State {
			rt.Fatalf("invitation %+v, %v; want %s", got, err, inv.State)
		}
		services[fmt.Sprint(inv.Case, "/", inv.Service)] = true
		want.Invited++
		switch inv.State {
		case Open:
			want.Open++
		case Rated:
			want.Rated++
		case Declined:
			want.Declined++
		case Timeout:
			want.Timeout++
		case Fault:
			want.Fault++
		}
	}
	for _, r := range m.ratings {
		got, err := b.book.Rating(ctx, r.ID)
		if err != nil || got.Level != r.Level || !slices.Equal(got.Codes, r.Codes) || got.HasText != r.HasText || got.Closed != r.Closed || got.Unstated != r.Unstated {
			rt.Fatalf("rating %+v, %v; want %+v", got, err, *r)
		}
		want.ByLevel[r.Level]++
		if r.Unstated {
			want.Unstated++
		}
	}
	want.Services = len(services)
	if got, err := b.book.Counts(ctx, from, b.now.Add(time.Second)); err != nil || got != want {
		rt.Fatalf("counts %+v, %v; want %+v", got, err, want)
	}
	if got, err := b.j.Backlog(ctx); err != nil || got.Count != m.facts {
		rt.Fatalf("%d facts, %v; want %d", got.Count, err, m.facts)
	}
}

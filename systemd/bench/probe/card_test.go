//go:build live

package probe

import (
	"context"
	"testing"
	"time"

	"yuanban/devices/idcard"
)

func TestLiveCard(t *testing.T) {
	live.Need(t)
	hands := live.Hands(t)
	r := idcard.New(openPort(t), &idcard.Opts{Baud: live.Baud})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	id, err := r.Probe(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("module %s", id)
	for i, want := range idcard.Examples() {
		type result struct {
			card idcard.Card
			err  error
		}
		read := make(chan result, 1)
		go func() {
			c, err := r.ReadCard(ctx, nil)
			read <- result{c, err}
		}()
		do(t, hands, "lay card "+want.Number)
		began := time.Now()
		if got := <-read; got.err != nil || got.card != want {
			t.Errorf("card %d: got %v, %v, want %v", i+1, got.card, got.err, want)
		}
		t.Logf("card %d: read %v after it was laid", i+1, time.Since(began))
		do(t, hands, "remove card")
		if err := r.WaitRemoved(ctx); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%+v", r.Stats())
}

package upstream

import (
	"math/rand/v2"
	"time"
)

// backoff spaces attempts: each wait is twice as long as the one before, up to a limit, and between half and all of that at random, so
// that the machines of a park do not come back in step after an outage.
type backoff struct {
	min, max time.Duration
	failures int
}

// next returns how long to wait after one more failure, but not less than asked, which the platform may demand, up to the limit.
func (b *backoff) next(asked time.Duration) time.Duration {
	d := b.max
	if b.failures < 32 && b.min<<b.failures > 0 { // > 0: not shifted beyond the width
		d = min(b.max, b.min<<b.failures)
	}
	b.failures++
	return max(d/2+rand.N(d/2+1), min(asked, b.max))
}

func (b *backoff) reset() { b.failures = 0 }

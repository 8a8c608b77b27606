package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
)

// services are started in their order and stopped in reverse, each having ended before the one it may use is stopped.
type services struct {
	log  *slog.Logger
	all  []service
	fail chan error
}

type service struct {
	name string
	stop context.CancelFunc
	done chan struct{}
}

func newServices(log *slog.Logger) *services {
	return &services{log: log, fail: make(chan error, 16)}
}

// start runs a service. One that ends with an error before it is stopped brings the whole machine down, to be started again.
func (s *services) start(name string, run func(ctx context.Context) error) {
	ctx, stop := context.WithCancel(context.Background())
	svc := service{name, stop, make(chan struct{})}
	s.all = append(s.all, svc)
	go func() {
		defer close(svc.done)
		if err := run(ctx); err != nil && ctx.Err() == nil {
			s.fail <- fmt.Errorf("%s: %w", name, err)
		}
	}()
}

// wait returns when ctx ends (nil) or a service failed (its error).
func (s *services) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.fail:
		return err
	}
}

// stop ends all services in reverse order and waits for each.
func (s *services) stop() {
	for i := len(s.all) - 1; i >= 0; i-- {
		s.all[i].stop()
		<-s.all[i].done
		s.log.Debug("stopped", "area", s.all[i].name)
	}
}

// later is a value that one part sets after others, which may already run, have begun to ask for it.
type later[T any] struct {
	mu  sync.Mutex
	v   T
	set bool
}

func (l *later[T]) put(v T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.v, l.set = v, true
}

func (l *later[T]) get() (T, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.v, l.set
}

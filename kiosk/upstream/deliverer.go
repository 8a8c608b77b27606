package upstream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"yuanban/kiosk/journal"
)

// Config says where the platform is. Zero values take the defaults in brackets.
type Config struct {
	URL        string        // https://host[:port][/path]; "" means none, facts then wait in the journal
	Token      string        // sent as bearer token when not empty
	BatchSize  int           // facts in one request [200]
	MinBackoff time.Duration // after the first failure [1s]
	MaxBackoff time.Duration // [5m]
	Timeout    time.Duration // of one request [10s]
	Heartbeat  time.Duration // sign of life while there is nothing to send; how soon a lost platform shows [1m]
	HTTP       *http.Client  // [own client, without redirects]
}

// Options is what delivery reports to. All may be nil.
type Options struct {
	OnNumbers func(ctx context.Context, numbers map[string]string) error // keeps the platform's case numbers; facts are acknowledged only after it has
	OnState   func(State)                                                // called from Run when the state has changed
	OnTime    func(ctx context.Context, at time.Time)                    // the platform's clock, with each answer that was taken; whole seconds
	Log       *slog.Logger
}

// State is how delivery stands.
type State struct {
	Online    bool      // the platform took the last request
	LastOK    time.Time // when it last did
	Backlog   int       // facts it has not acknowledged
	Oldest    time.Time // the first of these
	LastError string    // why the last request failed, "" when it did not
	Cause     Cause     // what that means, "" when it did not
}

// Deliverer sends the outbox of a journal to the platform.
type Deliverer struct {
	j    *journal.Journal
	cfg  Config
	opts Options
	http *http.Client

	mu    sync.Mutex
	state State
}

// New returns a deliverer; Run makes it work.
func New(j *journal.Journal, cfg Config, opts Options) *Deliverer {
	cfg.URL = strings.TrimRight(cfg.URL, "/")
	if cfg.BatchSize <= 0 {
		cfg.BatchSize = 200
	}
	for _, d := range []struct {
		value *time.Duration
		def   time.Duration
	}{{&cfg.MinBackoff, time.Second}, {&cfg.MaxBackoff, 5 * time.Minute}, {&cfg.Timeout, 10 * time.Second}, {&cfg.Heartbeat, time.Minute}} {
		if *d.value <= 0 {
			*d.value = d.def
		}
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	var client http.Client
	if cfg.HTTP != nil {
		client = *cfg.HTTP
	}
	if client.Transport == nil {
		client.Transport = &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConns: 2, IdleConnTimeout: 90 * time.Second}
	}
	// A redirected POST becomes a GET, and the token would go to whoever the answer names.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Deliverer{j: j, cfg: cfg, opts: opts, http: &client}
}

// State returns how delivery stands.
func (d *Deliverer) State() State {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.state
}

// Run delivers until ctx ends, then returns nil; it returns an error only when the journal cannot be used any more. A new fact is
// sent at once while the platform is well, and with the next attempt while it is not.
func (d *Deliverer) Run(ctx context.Context) error {
	defer d.http.CloseIdleConnections()
	wait := backoff{min: d.cfg.MinBackoff, max: d.cfg.MaxBackoff}
	batch := d.cfg.BatchSize
	var pruned time.Time
	for alive := true; ; { // the first attempt shows whether the platform is there
		changed := d.j.Changed()
		sent, err := d.deliver(ctx, batch, alive)
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, journal.ErrClosed) {
			return fmt.Errorf("cannot deliver facts: %w", err)
		}
		d.note(ctx, err)
		switch refused, _ := errors.AsType[*refusal](err); {
		case err == nil:
			wait.reset()
			batch, alive = min(d.cfg.BatchSize, 2*batch), false
		case errors.Is(err, errIdle):
			if time.Since(pruned) >= 24*time.Hour {
				d.prune(ctx)
				pruned = time.Now()
			}
			alive = sleep(ctx, d.cfg.Heartbeat, changed)
		case errors.Is(err, errNoPlatform):
			sleep(ctx, d.cfg.MaxBackoff, changed) // only keeps the backlog in State true
		case refused != nil:
			if refused.status == http.StatusRequestEntityTooLarge {
				batch = max(1, sent/2)
			}
			alive = sleep(ctx, wait.next(refused.retryAfter), nil)
		default:
			alive = sleep(ctx, wait.next(0), nil)
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}

var (
	errNoPlatform = errors.New("no platform is configured: facts wait in the journal")
	errIdle       = errors.New("there is nothing to send")
	errRewound    = errors.New("the platform asked for earlier facts again")
)

// sleep waits for the time, for kick (nil: never) or for the end of ctx. It reports whether the whole time passed.
func sleep(ctx context.Context, d time.Duration, kick <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-kick:
	case <-ctx.Done():
	}
	return false
}

// prune deletes old acknowledged facts. That it cannot be done now is no reason not to deliver.
func (d *Deliverer) prune(ctx context.Context) {
	if err := d.j.Prune(ctx); err != nil && ctx.Err() == nil {
		d.opts.Log.Warn("cannot tidy the journal", "area", "upstream", "err", err)
	}
}

// deliver sends one batch and returns how many facts it tried to send. With nothing to send it sends a sign of life when alive, else
// nothing (errIdle).
func (d *Deliverer) deliver(ctx context.Context, limit int, alive bool) (int, error) {
	if d.cfg.URL == "" {
		return 0, errNoPlatform
	}
	p, err := d.j.Position(ctx)
	if err != nil {
		return 0, err
	}
	facts, err := d.j.Pending(ctx, limit)
	if err != nil {
		return 0, err
	}
	if len(facts) == 0 && !alive {
		return 0, errIdle
	}
	b := Batch{Machine: d.j.Machine(), Epoch: d.j.Epoch(), Oldest: p.Oldest, Acknowledged: p.Acknowledged, Facts: []Fact{}}
	first, size := p.Acknowledged+1, 0
	for _, f := range facts {
		if size += len(f.Body) + len(f.Sealed); size > maxBatch && len(b.Facts) > 0 {
			break
		}
		b.Facts = append(b.Facts, wire(f))
	}
	if len(b.Facts) > 0 {
		first = b.Facts[0].Sequence
	}
	answer, err := d.post(ctx, b, first)
	if err != nil {
		return len(b.Facts), err
	}
	return len(b.Facts), d.take(ctx, b, first, answer)
}

// take acts on an answer. The numbers are kept before the facts are acknowledged: a stop in between repeats both.
func (d *Deliverer) take(ctx context.Context, b Batch, first int64, a Answer) error {
	if len(a.Numbers) > 0 && d.opts.OnNumbers != nil {
		if err := d.opts.OnNumbers(ctx, a.Numbers); err != nil {
			return err
		}
	}
	if a.Rewind != nil {
		before, err := d.j.Position(ctx)
		if err != nil {
			return err
		}
		if err := d.j.Rewind(ctx, *a.Rewind); err != nil {
			return err
		}
		d.opts.Log.Warn("the platform asked for earlier facts again", "area", "upstream", "from", *a.Rewind+1, "acknowledged", before.Acknowledged)
		return errRewound
	}
	if err := d.j.Acknowledge(ctx, a.Acknowledged); err != nil {
		return err
	}
	if len(b.Facts) > 0 && a.Acknowledged < first {
		return nonsense{errors.New("the platform took the facts but acknowledged none of them")}
	}
	return nil
}

// post sends a batch and returns the checked answer.
func (d *Deliverer) post(ctx context.Context, b Batch, first int64) (Answer, error) {
	body, err := encodeBatch(b)
	if err != nil {
		return Answer{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, d.cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.cfg.URL+factsPath, bytes.NewReader(body))
	if err != nil {
		return Answer{}, fmt.Errorf("cannot reach the platform: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Content-Encoding", "gzip")
	req.Header.Set("User-Agent", "yuanban")
	if d.cfg.Token != "" {
		req.Header.Set("Authorization", "Bearer "+d.cfg.Token)
	}
	resp, err := d.http.Do(req)
	if err != nil {
		return Answer{}, fmt.Errorf("cannot reach the platform: %w", err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return Answer{}, broken{fmt.Errorf("cannot read the platform's answer: %w", err)}
	case len(data) > maxAnswer:
		return Answer{}, nonsense{fmt.Errorf("cannot read the platform's answer: longer than %d bytes", maxAnswer)}
	case resp.StatusCode != http.StatusOK:
		return Answer{}, newRefusal(resp, data)
	}
	answer, err := parseAnswer(data, first, first+int64(len(b.Facts))-1)
	// TLS has shown who answers, so the time is the platform's own; without the header there is none.
	if at, e := http.ParseTime(resp.Header.Get("Date")); err == nil && e == nil && d.opts.OnTime != nil {
		d.opts.OnTime(ctx, at)
	}
	if err != nil {
		return Answer{}, nonsense{err}
	}
	return answer, nil
}

// note keeps and reports the state after an attempt.
func (d *Deliverer) note(ctx context.Context, err error) {
	backlog, countErr := d.j.Backlog(ctx)
	if countErr != nil && err == nil {
		err = countErr
	}
	d.mu.Lock()
	old := d.state
	if countErr == nil {
		d.state.Backlog, d.state.Oldest = backlog.Count, backlog.Oldest
	}
	switch {
	case errors.Is(err, errIdle): // says nothing about the platform
	case err == nil, errors.Is(err, errRewound):
		d.state.Online, d.state.LastError, d.state.Cause, d.state.LastOK = true, "", "", time.Now()
	default:
		d.state.Online, d.state.LastError, d.state.Cause = false, err.Error(), causeOf(err)
	}
	now := d.state
	d.mu.Unlock()
	if old.Online != now.Online {
		d.opts.Log.Info("the platform changed", "area", "upstream", "online", now.Online, "backlog", now.Backlog, "error", now.LastError)
	}
	old.LastOK = now.LastOK
	if d.opts.OnState != nil && old != now {
		d.opts.OnState(now)
	}
}

// refusal is an answer other than 200.
type refusal struct {
	status     int
	text       string
	retryAfter time.Duration
}

func newRefusal(resp *http.Response, data []byte) *refusal {
	r := &refusal{status: resp.StatusCode}
	// Only a short plain reason is passed on: an error page of some proxy says nothing to a technician.
	var a Answer
	if err := json.Unmarshal(data, &a); err == nil && utf8.RuneCountInString(a.Error) <= 300 {
		r.text = a.Error
	}
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s > 0 {
		r.retryAfter = time.Duration(min(s, 3600)) * time.Second
	}
	return r
}

// Error names the cause and what to do.
func (r *refusal) Error() string {
	what := fmt.Sprintf("the platform answered %d %s", r.status, http.StatusText(r.status))
	switch {
	case r.status == http.StatusUnauthorized || r.status == http.StatusForbidden:
		what += ": it does not accept this machine's token; correct upstream.token in the configuration"
	case r.status == http.StatusNotFound || (r.status >= 300 && r.status < 400):
		what += ": there is no platform of this program at the configured address; correct upstream.url in the configuration"
	case r.status == http.StatusConflict:
		what += ": what it has of this machine contradicts the journal; keep the journal file and tell the platform's people"
	}
	if r.text != "" {
		what += " (" + r.text + ")"
	}
	return what
}

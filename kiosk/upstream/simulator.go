package upstream

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"yuanban/kiosk/casefile"
	"yuanban/kiosk/journal"
)

// SimFault is a way in which a platform can fail.
type SimFault string

// The faults of Simulator.
const (
	FaultNone           SimFault = "none"
	FaultDown           SimFault = "down"           // connections are closed at once
	FaultHTTP500        SimFault = "http500"        // an error, nothing taken
	FaultSlow           SimFault = "slow"           // takes the facts, answers late: see SetSlow
	FaultAcceptThenDrop SimFault = "acceptThenDrop" // takes the facts, then closes the connection without an answer
)

// defaultSlow outlasts the default timeout of a Deliverer.
const defaultSlow = 12 * time.Second

// numberZone is the zone in which the simulator dates the numbers it gives.
var numberZone = time.FixedZone("CST", 8*60*60)

// Record is one fact as the platform has it, the sealed part opened.
type Record struct {
	Machine      string          `json:"machine"`
	Epoch        string          `json:"epoch"`
	Sequence     int64           `json:"sequence"`
	Kind         string          `json:"kind"`
	Subject      string          `json:"subject"`
	Number       string          `json:"number,omitempty"` // 办件编号 the platform gave, for case.accepted
	Time         time.Time       `json:"time"`
	ClockTrusted bool            `json:"clock_trusted"`
	Body         json.RawMessage `json:"body"`
	Personal     json.RawMessage `json:"personal,omitempty"`
	Dropped      bool            `json:"personal_dropped,omitempty"` // came without its sealed part, which an earlier platform had taken
	Hash         []byte          `json:"hash"`
}

// Simulator is a platform in memory: it takes each fact once, checks the chain, gives case numbers, and fails on demand.
type Simulator struct {
	private, public []byte

	mu         sync.Mutex
	fault      SimFault
	slow       time.Duration
	token      string
	records    []Record
	machines   map[string]*simMachine // by machine + epoch
	duplicates int
	problems   []string
	given      int // case numbers
}

// simMachine is what the platform has of one machine and epoch.
type simMachine struct {
	last   int64
	hash   []byte
	hashes map[int64][]byte
	number map[string]string // provisional -> platform
}

// NewSimulator returns a platform with this private key (32 bytes, see casefile.NewKey).
func NewSimulator(privateKey []byte) (*Simulator, error) {
	public, err := casefile.PublicKey(privateKey)
	if err != nil {
		return nil, fmt.Errorf("cannot simulate platform: %w", err)
	}
	return &Simulator{private: slices.Clone(privateKey), public: public, fault: FaultNone, slow: defaultSlow, machines: map[string]*simMachine{}}, nil
}

// PublicKey is what machines seal personal data to.
func (s *Simulator) PublicKey() []byte { return slices.Clone(s.public) }

// SetFault makes the platform fail in this way from the next request on.
func (s *Simulator) SetFault(f SimFault) error {
	if !slices.Contains([]SimFault{FaultNone, FaultDown, FaultHTTP500, FaultSlow, FaultAcceptThenDrop}, f) {
		return fmt.Errorf("cannot set platform fault: %q is not one of none, down, http500, slow, acceptThenDrop", f)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
	return nil
}

// Fault returns the fault that is set.
func (s *Simulator) Fault() SimFault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault
}

// SetSlow sets how late a slow platform answers.
func (s *Simulator) SetSlow(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slow = d
}

// SetToken makes the platform refuse machines without this bearer token.
func (s *Simulator) SetToken(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = token
}

// Records returns every fact taken, each once, in the order of arrival, which for each machine is the order of the facts.
func (s *Simulator) Records() []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.records)
}

// Duplicates counts facts that came again and were not taken again.
func (s *Simulator) Duplicates() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.duplicates
}

// Problems lists what was refused and why.
func (s *Simulator) Problems() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.problems)
}

// Forget makes the platform as it was when it had only the first n records, as if it had been restored from a backup.
func (s *Simulator) Forget(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records = s.records[:min(n, len(s.records))]
	s.machines = map[string]*simMachine{}
	for _, r := range s.records {
		m := s.machine(r.Machine, r.Epoch)
		m.last, m.hash, m.hashes[r.Sequence] = r.Sequence, r.Hash, r.Hash
		if r.Number != "" {
			m.number[r.Subject] = r.Number
		}
	}
}

// ServeHTTP answers POST /v1/facts.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	fault, slow, token := s.fault, s.slow, s.token
	s.mu.Unlock()
	if fault == FaultDown {
		hangUp(w)
		return
	}
	switch {
	case r.URL.Path != factsPath:
		reply(w, http.StatusNotFound, Answer{Error: "no such page"})
		return
	case r.Method != http.MethodPost:
		reply(w, http.StatusMethodNotAllowed, Answer{Error: "only POST"})
		return
	case token != "" && r.Header.Get("Authorization") != "Bearer "+token:
		reply(w, http.StatusUnauthorized, Answer{Error: "unknown token"})
		return
	case fault == FaultHTTP500:
		reply(w, http.StatusInternalServerError, Answer{Error: "simulated fault"})
		return
	}
	batch, facts, err := decodeBatch(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		s.problem(err)
		reply(w, http.StatusBadRequest, Answer{Error: err.Error()})
		return
	}
	answer, err := s.take(batch, facts)
	switch {
	case err != nil:
		s.problem(err)
		reply(w, http.StatusConflict, Answer{Error: err.Error()})
		return
	case fault == FaultAcceptThenDrop:
		hangUp(w)
		return
	case fault == FaultSlow:
		t := time.NewTimer(slow)
		defer t.Stop()
		select {
		case <-t.C:
		case <-r.Context().Done():
			return
		}
	}
	reply(w, http.StatusOK, answer)
}

func reply(w http.ResponseWriter, status int, a Answer) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(a) // the machine has gone; it will come again
}

// hangUp closes the connection without an answer.
func hangUp(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2 has no hijacking; this ends the stream
	}
	_ = conn.Close()
}

func (s *Simulator) problem(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problems = append(s.problems, err.Error())
}

func (s *Simulator) machine(machine, epoch string) *simMachine {
	key := machine + " " + epoch
	m := s.machines[key]
	if m == nil {
		m = &simMachine{hash: journal.FirstPrev(), hashes: map[int64][]byte{}, number: map[string]string{}}
		s.machines[key] = m
	}
	return m
}

// take takes a whole batch or none of it.
func (s *Simulator) take(b Batch, facts []journal.Fact) (Answer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.machine(b.Machine, b.Epoch)
	// The machine believes that we have more than we do, or begins too late: we were restored. What it no longer has is lost.
	begins := b.Acknowledged + 1
	if len(facts) > 0 {
		begins = min(begins, facts[0].Sequence)
	}
	if begins > m.last+1 && b.Oldest <= m.last+1 {
		return Answer{Rewind: new(m.last)}, nil
	}
	if begins > m.last+1 && begins > b.Oldest {
		return Answer{Rewind: new(b.Oldest - 1)}, nil
	}
	var fresh []Record
	last, hash := m.last, m.hash
	for _, f := range facts {
		if known, ok := m.hashes[f.Sequence]; ok || f.Sequence <= last {
			if ok && !bytes.Equal(known, f.Hash) {
				return Answer{}, fmt.Errorf("fact %d of machine %s is not the one the platform has: the machine's journal has lost its end or was altered", f.Sequence, b.Machine)
			}
			continue
		}
		gap := f.Sequence != last+1 // allowed at the first fact a machine still has
		record, err := s.check(b, f, hash, gap)
		if err != nil {
			return Answer{}, fmt.Errorf("fact %d of machine %s: %w", f.Sequence, b.Machine, err)
		}
		fresh = append(fresh, record)
		last, hash = f.Sequence, f.Hash
	}
	s.duplicates += len(facts) - len(fresh)
	for i := range fresh {
		m.hashes[fresh[i].Sequence] = fresh[i].Hash
		if fresh[i].Kind == "case.accepted" {
			fresh[i].Number = s.nextNumber(fresh[i])
			m.number[fresh[i].Subject] = fresh[i].Number
		}
	}
	s.records = append(s.records, fresh...)
	m.last, m.hash = last, hash
	answer := Answer{Acknowledged: b.Acknowledged}
	if len(facts) > 0 {
		answer.Acknowledged = facts[len(facts)-1].Sequence
	}
	for _, f := range facts {
		if number := m.number[f.Subject]; number != "" && f.Kind == "case.accepted" {
			if answer.Numbers == nil {
				answer.Numbers = map[string]string{}
			}
			answer.Numbers[f.Subject] = number
		}
	}
	return answer, nil
}

// check verifies one new fact and opens its sealed part.
func (s *Simulator) check(b Batch, f journal.Fact, prev []byte, gap bool) (Record, error) {
	r := Record{Machine: b.Machine, Epoch: b.Epoch, Sequence: f.Sequence, Kind: f.Kind, Subject: f.Subject, Time: f.Time, ClockTrusted: f.ClockTrusted,
		Body: f.Body, Dropped: f.SealedDropped(), Hash: f.Hash}
	switch {
	case gap && f.Sequence != b.Oldest:
		return r, errors.New("facts before it are missing")
	case !gap && !bytes.Equal(f.Prev, prev):
		return r, errors.New("it does not follow from the fact before it")
	case !bytes.Equal(f.Hash, journal.ChainHash(b.Epoch, f)):
		return r, errors.New("its content does not match its hash")
	case f.Sealed == nil:
		return r, nil
	}
	if sum := sha256.Sum256(f.Sealed); !bytes.Equal(sum[:], f.SealedSHA256) {
		return r, errors.New("its sealed part does not match its hash")
	}
	plain, err := casefile.OpenSealed(s.private, f.Sealed)
	if err != nil {
		return r, err
	}
	r.Personal = plain
	return r, nil
}

// nextNumber gives a 办件编号 that looks like none of a real province.
func (s *Simulator) nextNumber(r Record) string {
	s.given++
	return fmt.Sprintf("YB%s%06d", r.Time.In(numberZone).Format("20060102"), s.given)
}

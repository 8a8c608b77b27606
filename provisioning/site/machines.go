package site

import (
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"yuanban/provisioning/identity"
)

// State is how far a machine is.
type State string

// The states of a machine.
const (
	Planned  State = "planned"  // in the table, not yet enrolled
	Enrolled State = "enrolled" // its key is known and vouched for
	Revoked  State = "revoked"  // its key is not believed any more
)

// Machine is what the registry knows of one machine.
type Machine struct {
	Number   string // 6 characters 0-9 A-Z
	Role     string // kiosk or pad
	Place    string
	State    State
	Fields   map[string]string // the other columns of the table that planned it
	Hardware identity.Hardware
	Version  int64 // of the last bundle made for it

	public, sealKey []byte
}

var (
	numberForm = regexp.MustCompile(`^[0-9A-Z]{6}$`)
	fieldForm  = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
)

// Plan takes a table of machines as CSV (RFC 4180, UTF-8): a head line with the columns number, role and place, and any others, whose
// values the configuration's template can use. Machines that are there already get the new values; enrolled ones stay enrolled. The
// error names every wrong line; then nothing is changed.
func (s *Site) Plan(ctx context.Context, table io.Reader) (planned int, err error) {
	machines, err := readTable(table)
	if err != nil {
		return 0, fmt.Errorf("cannot take the table: %w", err)
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		for _, m := range machines {
			if err := s.put(tx, m); err != nil {
				return err
			}
		}
		return s.event(tx, "planned", "", fmt.Sprintf("%d machines", len(machines)))
	})
	return len(machines), err
}

func (s *Site) put(tx *sql.Tx, m Machine) error {
	fields, err := json.Marshal(m.Fields)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO machines (number, role, place, state, fields) VALUES (?, ?, ?, 'planned', ?)
		ON CONFLICT (number) DO UPDATE SET role = excluded.role, place = excluded.place, fields = excluded.fields`, m.Number, m.Role, m.Place, string(fields))
	return err
}

func readTable(table io.Reader) ([]Machine, error) {
	r := csv.NewReader(table)
	r.TrimLeadingSpace = true
	head, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("its head line: %w", err)
	}
	head[0] = strings.TrimPrefix(head[0], "\ufeff") // as Excel begins a file
	var wrong []error
	for _, need := range []string{"number", "role", "place"} {
		if !slices.Contains(head, need) {
			wrong = append(wrong, fmt.Errorf("line 1: there is no column %q", need))
		}
	}
	for _, name := range head {
		if !fieldForm.MatchString(name) {
			wrong = append(wrong, fmt.Errorf("line 1: column %q: names are small letters, digits and _", name))
		}
	}
	if wrong != nil {
		return nil, errors.Join(wrong...)
	}
	var all []Machine
	seen := map[string]int{}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		line, _ := r.FieldPos(0)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		m := Machine{Fields: map[string]string{}}
		for i, v := range row {
			m.Fields[head[i]] = v
		}
		m.Number, m.Role, m.Place = m.Fields["number"], m.Fields["role"], m.Fields["place"]
		switch {
		case !numberForm.MatchString(m.Number):
			wrong = append(wrong, fmt.Errorf("line %d: number %q: six characters 0-9 and A-Z", line, m.Number))
		case seen[m.Number] > 0:
			wrong = append(wrong, fmt.Errorf("line %d: number %s is in line %d already", line, m.Number, seen[m.Number]))
		case m.Role != "kiosk" && m.Role != "pad":
			wrong = append(wrong, fmt.Errorf("line %d: role %q: kiosk or pad", line, m.Role))
		}
		seen[m.Number] = line
		all = append(all, m)
	}
	if all == nil && wrong == nil {
		wrong = append(wrong, errors.New("there is no machine in it"))
	}
	return all, errors.Join(wrong...)
}

const machineColumns = "number, role, place, state, fields, public, seal_key, hardware, version"

func scanMachine(row interface{ Scan(...any) error }) (Machine, error) {
	var m Machine
	var fields, hardware string
	if err := row.Scan(&m.Number, &m.Role, &m.Place, &m.State, &fields, &m.public, &m.sealKey, &hardware, &m.Version); err != nil {
		return Machine{}, err
	}
	if err := json.Unmarshal([]byte(fields), &m.Fields); err != nil {
		return Machine{}, err
	}
	return m, json.Unmarshal([]byte(hardware), &m.Hardware)
}

// Machines returns all machines by number.
func (s *Site) Machines(ctx context.Context) ([]Machine, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT "+machineColumns+" FROM machines ORDER BY number")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Machine
	for rows.Next() {
		m, err := scanMachine(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, rows.Err()
}

// Machine returns one machine.
func (s *Site) Machine(ctx context.Context, number string) (Machine, error) {
	m, err := scanMachine(s.db.QueryRowContext(ctx, "SELECT "+machineColumns+" FROM machines WHERE number = ?", number))
	if errors.Is(err, sql.ErrNoRows) {
		return Machine{}, fmt.Errorf("there is no machine %q in the registry: plan it first (kiosk provision site plan), or see kiosk provision site list", number)
	}
	return m, err
}

// Clone plans a machine like another one, its neighbour, for a place of its own.
func (s *Site) Clone(ctx context.Context, from, number, place string) error {
	m, err := s.Machine(ctx, from)
	if err != nil {
		return err
	}
	if !numberForm.MatchString(number) {
		return fmt.Errorf("number %q: six characters 0-9 and A-Z", number)
	}
	if _, err := s.Machine(ctx, number); err == nil {
		return fmt.Errorf("cannot clone to %s: there is such a machine already", number)
	}
	m.Fields = maps.Clone(m.Fields)
	m.Number, m.Place = number, place
	m.Fields["number"], m.Fields["place"] = number, place
	return s.write(ctx, func(tx *sql.Tx) error {
		if err := s.put(tx, m); err != nil {
			return err
		}
		return s.event(tx, "cloned", number, "from "+from)
	})
}

// Revoke stops believing a machine: its certificates are on the revocation list, it gets no bundle and no renewal until it is
// enrolled anew.
func (s *Site) Revoke(ctx context.Context, number, why string) error {
	if _, err := s.Machine(ctx, number); err != nil {
		return err
	}
	return s.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec("UPDATE machines SET state = 'revoked', public = NULL, seal_key = NULL WHERE number = ?", number); err != nil {
			return err
		}
		if err := s.revokeCertificates(tx, number); err != nil {
			return err
		}
		return s.event(tx, "revoked", number, why)
	})
}

func (s *Site) revokeCertificates(tx *sql.Tx, number string) error {
	_, err := tx.Exec("UPDATE certificates SET revoked = ? WHERE number = ? AND revoked IS NULL", s.stamp(), number)
	return err
}

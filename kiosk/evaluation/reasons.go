package evaluation

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxReasons bounds a list; the national one has 40.
const maxReasons = 500

// Reason is one indicator (评价指标) of a level. First ones are shown at once, the others on 更多.
type Reason struct {
	Code, Text string
	First      bool
}

// Reasons is one version of the indicator list. It comes from the platform and is never added to on the machine.
type Reasons struct {
	version string
	byLevel [6][]Reason
}

// LoadReasons reads a list as CSV with the columns code, level (1..5), level_name, shown_first (0 or 1), text. It is strict: a
// column too many, a code twice, a level without reasons and its like are errors that name the line.
func LoadReasons(r io.Reader, version string) (*Reasons, error) {
	if version == "" {
		return nil, errors.New("cannot load rating reasons: the list has no version")
	}
	in := csv.NewReader(r)
	in.FieldsPerRecord = 5
	head, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("cannot load rating reasons: %w", err)
	}
	head[0] = strings.TrimPrefix(head[0], "\ufeff") // spreadsheets put a byte order mark in front
	if got := strings.Join(head, ","); got != "code,level,level_name,shown_first,text" {
		return nil, fmt.Errorf("cannot load rating reasons: line 1: the columns are %q, they must be code,level,level_name,shown_first,text", got)
	}
	list, seen := &Reasons{version: version}, map[string]bool{}
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("cannot load rating reasons: %w", err)
		}
		line, _ := in.FieldPos(0)
		level, reason, err := parseReason(row)
		switch {
		case err != nil:
			return nil, fmt.Errorf("cannot load rating reasons: line %d: %w", line, err)
		case seen[reason.Code]:
			return nil, fmt.Errorf("cannot load rating reasons: line %d: code %s is there twice", line, reason.Code)
		case len(seen) == maxReasons:
			return nil, fmt.Errorf("cannot load rating reasons: more than %d reasons", maxReasons)
		}
		seen[reason.Code] = true
		list.byLevel[level] = append(list.byLevel[level], reason)
	}
	for level := 1; level <= 5; level++ {
		if len(list.byLevel[level]) == 0 {
			return nil, fmt.Errorf("cannot load rating reasons: level %d has none", level)
		}
	}
	return list, nil
}

func parseReason(row []string) (int, Reason, error) {
	code, text := row[0], row[4]
	level, err := strconv.Atoi(row[1])
	switch {
	case err != nil || level < 1 || level > 5:
		return 0, Reason{}, fmt.Errorf("level %q is not one of 1 to 5", row[1])
	case code == "" || len(code) > 10 || strings.Trim(code, "0123456789") != "":
		return 0, Reason{}, fmt.Errorf("code %q is not 1 to 10 digits", code)
	case row[3] != "0" && row[3] != "1":
		return 0, Reason{}, fmt.Errorf("shown_first %q is neither 0 nor 1", row[3])
	case !utf8.ValidString(text) || strings.TrimSpace(text) == "" || utf8.RuneCountInString(text) > 60:
		return 0, Reason{}, errors.New("the text must have 1 to 60 characters")
	}
	return level, Reason{Code: code, Text: text, First: row[3] == "1"}, nil
}

// Version names the list; it goes with every rating.
func (r *Reasons) Version() string { return r.version }

// ForLevel returns the reasons of a level in the order of the list; nil for a level that is none.
func (r *Reasons) ForLevel(level int) []Reason {
	if level < 1 || level > 5 {
		return nil
	}
	return append([]Reason(nil), r.byLevel[level]...)
}

// has says whether code is a reason of level.
func (r *Reasons) has(level int, code string) bool {
	for _, reason := range r.byLevel[level] {
		if reason.Code == code {
			return true
		}
	}
	return false
}

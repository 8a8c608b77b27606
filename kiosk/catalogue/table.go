package catalogue

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"yuanban/kiosk/strictyaml"
)

// table is a CSV file with a header.
type table struct {
	header []string
	rows   []tableRow
}

type tableRow struct {
	line  int
	cells []string
}

// column returns the position of a column, -1 when there is none.
func (t *table) column(name string) int {
	for i, h := range t.header {
		if h == name && name != "" {
			return i
		}
	}
	return -1
}

// parseTable reads CSV as spreadsheets save it: UTF-8, with or without a byte order mark, quoted cells, empty lines.
// It reports every row whose number of cells differs from the header's.
func parseTable(file string, data []byte) (*table, strictyaml.Problems) {
	var problems strictyaml.Problems
	problem := func(line int, text string) {
		problems = append(problems, strictyaml.Problem{File: file, Line: line, Text: text})
	}
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	if !utf8.Valid(data) {
		problem(0, "the file is not UTF-8; save it as “CSV UTF-8（逗号分隔）”")
		return &table{}, problems
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.FieldsPerRecord = -1
	t := &table{}
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			line := 0
			if pe, ok := errors.AsType[*csv.ParseError](err); ok {
				line, err = pe.Line, pe.Err
			}
			problem(line, "cannot read this row: "+err.Error()+"; a cell that holds a quotation mark must stand in quotation marks")
			break
		}
		line, _ := r.FieldPos(0)
		for i := range record {
			record[i] = strings.TrimSpace(record[i])
		}
		switch {
		case strings.Join(record, "") == "": // a line of commas that the spreadsheet left
		case t.header == nil:
			t.header = record
			for i, name := range record {
				if t.column(name) != i {
					problem(line, "the header has an empty or repeated column: "+name)
				}
			}
		case len(record) != len(t.header):
			problem(line, "has a different number of cells than the header; a cell with a comma must stand in quotation marks")
		default:
			t.rows = append(t.rows, tableRow{line, record})
		}
	}
	if t.header == nil && len(problems) == 0 {
		problem(0, "the file is empty; its first line must name the columns")
	}
	return t, problems
}

func (l *loader) table(name string) (*table, bool) {
	data, ok := l.read(name, true)
	if !ok {
		return nil, false
	}
	t, problems := parseTable(name, data)
	l.problems = append(l.problems, problems...)
	return t, len(problems) == 0
}

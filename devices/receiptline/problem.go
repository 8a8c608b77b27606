package receiptline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a template.
type Problem struct {
	Line, Column int    // from 1, in characters; a column of 0 is the whole line
	Text         string // what is wrong, and what it would mean
	Next         string // what to do about it
}

// String returns the problem on one line, with its place in front.
func (p Problem) String() string {
	if p.Column == 0 {
		return fmt.Sprintf("%d: %s; %s", p.Line, p.Text, p.Next)
	}
	return fmt.Sprintf("%d:%d: %s; %s", p.Line, p.Column, p.Text, p.Next)
}

// Problems is every problem of a template, in the order of its lines. It is the error that [Parse] returns.
type Problems []Problem

// Error returns all problems, one a line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, one := range p {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

func (p Problems) sort() {
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

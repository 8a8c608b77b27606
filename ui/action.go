package ui

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"yuanban/ui/view"
)

// Limits of one action frame. The largest honest one is the ink of a signature.
const (
	maxFrame  = 64 << 10 // bytes of a websocket message
	maxFields = 8        // members of the object
	maxName   = 32       // bytes of a member's name
)

var errAction = errors.New("cannot understand the action")

// parseAction reads one frame of the page: a flat JSON object of strings with a member "do".
//
// It is strict: anything our own page would never send is an error, and the caller closes the connection.
func parseAction(frame []byte) (view.Action, error) {
	if len(frame) > maxFrame || !utf8.Valid(frame) {
		return view.Action{}, fmt.Errorf("%w: too long or not UTF-8", errAction)
	}
	d := json.NewDecoder(bytes.NewReader(frame))
	if tok, err := d.Token(); err != nil || tok != json.Delim('{') {
		return view.Action{}, fmt.Errorf("%w: not an object", errAction)
	}
	fields := map[string]string{}
	for d.More() {
		name, value, err := member(d)
		if err != nil {
			return view.Action{}, err
		}
		if _, twice := fields[name]; twice || len(fields) == maxFields {
			return view.Action{}, fmt.Errorf("%w: repeated or too many members", errAction)
		}
		fields[name] = value
	}
	if _, err := d.Token(); err != nil {
		return view.Action{}, fmt.Errorf("%w: not closed", errAction)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return view.Action{}, fmt.Errorf("%w: text after the object", errAction)
	}
	do := fields["do"]
	if !plainWord(do) {
		return view.Action{}, fmt.Errorf("%w: no member do", errAction)
	}
	delete(fields, "do")
	return view.Action{Do: do, Args: fields}, nil
}

func member(d *json.Decoder) (name, value string, err error) {
	n, err := d.Token()
	if err != nil {
		return "", "", fmt.Errorf("%w: broken member", errAction)
	}
	v, err := d.Token()
	if err != nil {
		return "", "", fmt.Errorf("%w: broken value", errAction)
	}
	name, _ = n.(string) // the decoder lets no other kind of name through
	value, isText := v.(string)
	if !isText || !plainWord(name) {
		return "", "", fmt.Errorf("%w: members are named by plain words and hold strings", errAction)
	}
	return name, value, nil
}

// plainWord tells whether s is a short word of lower-case letters, as all names of actions and arguments are.
func plainWord(s string) bool {
	if s == "" || len(s) > maxName {
		return false
	}
	for _, c := range []byte(s) {
		if c < 'a' || c > 'z' {
			return false
		}
	}
	return true
}

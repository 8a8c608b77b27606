package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxBody bounds a request; the largest real one, a printer's whole state with its receipts, has some ten thousand bytes.
const maxBody = 4 << 20

// refusal is an error that the caller made or can mend, with its HTTP status.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return r.text }

// refuse words a refusal.
func refuse(status int, format string, args ...any) *refusal {
	return &refusal{status, fmt.Sprintf(format, args...)}
}

// reply answers with a JSON value.
func reply(w http.ResponseWriter, status int, v any) error {
	data, err := encode(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(data, '\n')) // a caller that has gone away needs no answer
	return nil
}

// encode writes JSON on one line, Chinese and < > & as themselves.
func encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("cannot encode an answer: %w", err)
	}
	return bytes.TrimRight(buf.Bytes(), "\n"), nil
}

// fail answers {"error":"…"}.
func fail(w http.ResponseWriter, status int, text string) {
	_ = reply(w, status, struct { // a struct of one string always encodes
		Error string `json:"error"`
	}{text})
}

// body reads the one JSON object of a request strictly.
func body[T any](w http.ResponseWriter, r *http.Request) (T, error) {
	var v T
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooLong := new(http.MaxBytesError); errors.As(err, &tooLong) {
		return v, refuse(http.StatusRequestEntityTooLarge, "cannot take the request: more than %d bytes", maxBody)
	}
	if err != nil {
		return v, refuse(http.StatusBadRequest, "cannot read the request: %v", err)
	}
	if err := strict(data, &v); err != nil {
		return v, refuse(http.StatusBadRequest, "cannot take the request: %v", err)
	}
	return v, nil
}

// strict decodes one JSON object into a struct. Names must be spelled exactly, stand once and be known; nothing may follow.
func strict(data []byte, into any) error {
	if !utf8.Valid(data) {
		return errors.New("it is not UTF-8")
	}
	if err := checkNames(json.NewDecoder(bytes.NewReader(data)), reflect.TypeOf(into).Elem(), ""); err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return worded(err)
	}
	return nil
}

// checkNames walks through the next JSON value beside the type it is meant for. encoding/json alone would take KIND for kind and the
// last of two equal names.
func checkNames(d *json.Decoder, t reflect.Type, at string) error {
	if err := checkValue(d, t, at); err != nil {
		return err
	}
	if _, err := d.Token(); at == "" && !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON object")
	}
	return nil
}

func checkValue(d *json.Decoder, t reflect.Type, at string) error {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	token, err := d.Token()
	if err != nil {
		return worded(err)
	}
	switch {
	case token == json.Delim('{'):
		return checkObject(d, t, at)
	case at == "":
		return errors.New("a JSON object {…} is needed")
	case token == json.Delim('['):
		if t != nil && t.Kind() == reflect.Slice {
			t = t.Elem()
		} else {
			t = nil
		}
		for i := 0; d.More(); i++ {
			if err := checkValue(d, t, fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
		_, err = d.Token()
		return worded(err)
	}
	return nil
}

// checkObject walks through an object whose brace has been read. t is nil where any object will be refused by its type later on.
func checkObject(d *json.Decoder, t reflect.Type, at string) error {
	known := fields(t)
	var seen []string
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return worded(err)
		}
		name, _ := token.(string)
		path := strings.TrimPrefix(at+"."+name, ".")
		field, ok := known[name]
		switch {
		case t != nil && !ok:
			return fmt.Errorf("unknown field %q; known are %s", path, strings.Join(names(t), ", "))
		case slices.Contains(seen, name):
			return fmt.Errorf("field %q stands twice", path)
		}
		seen = append(seen, name)
		if err := checkValue(d, field, path); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return worded(err)
}

// fields are the JSON names of a struct with their types; nil for anything else.
func fields(t reflect.Type) map[string]reflect.Type {
	if t == nil || t.Kind() != reflect.Struct {
		return nil
	}
	m := map[string]reflect.Type{}
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		m[name] = f.Type
	}
	return m
}

// names are the JSON names of a struct in their written order.
func names(t reflect.Type) []string {
	var all []string
	if t.Kind() != reflect.Struct {
		return all
	}
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		all = append(all, name)
	}
	return all
}

// worded says in plain words what encoding/json found.
func worded(err error) error {
	if wrong := new(json.UnmarshalTypeError); errors.As(err, &wrong) {
		kinds := map[reflect.Kind]string{reflect.String: "a string", reflect.Int: "a whole number", reflect.Bool: "true or false",
			reflect.Slice: "a list", reflect.Struct: "an object"}
		return fmt.Errorf("field %q needs %s, not this %s", wrong.Field, kinds[wrong.Type.Kind()], wrong.Value)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the JSON ends too early; a JSON object {…} is needed")
	}
	return err
}

// oneOf refuses a value that is not one of those allowed, and lists these.
func oneOf[S ~string](field string, value S, allowed []S) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	list := make([]string, len(allowed))
	for i, a := range allowed {
		list[i] = string(a)
	}
	return refuse(http.StatusBadRequest, "cannot take the request: %s %q is none of %s", field, value, strings.Join(list, ", "))
}

package strictyaml

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// MaxSize is the largest file that is read, in bytes: far above any sensible one, far below what could exhaust a machine.
const MaxSize = 16 << 20

// Doc remembers where the values of a decoded file stand.
type Doc struct {
	file  string
	lines map[string]int
}

// File returns the name the document was decoded under.
func (d *Doc) File() string { return d.file }

// Line returns the line of the value at path, or of the closest value around it; 0 for an unknown file.
func (d *Doc) Line(path string) int {
	for {
		if line, ok := d.lines[path]; ok {
			return line
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			return d.lines[""]
		}
		path = path[:cut]
	}
}

// Problem makes a problem of the value at path.
func (d *Doc) Problem(path, format string, args ...any) Problem {
	return Problem{File: d.file, Line: d.Line(path), Path: path, Text: fmt.Sprintf(format, args...)}
}

// Decode reads data into the struct that into points to and returns every problem, in the order of the file.
//
// Values without a problem are set even when others have one; a field whose key is absent keeps the value it had, which
// is how defaults are given. The returned Doc is never nil. Decode panics when into is not a pointer to a struct.
func Decode(file string, data []byte, into any) (*Doc, Problems) {
	target := reflect.ValueOf(into)
	if target.Kind() != reflect.Pointer || target.Elem().Kind() != reflect.Struct {
		panic(fmt.Sprintf("strictyaml: cannot decode into %T: want a pointer to a struct", into))
	}
	d := &decoder{doc: &Doc{file: file, lines: map[string]int{"": 1}}, shapes: map[reflect.Type]*shape{}}
	if root := d.parse(data); root != nil {
		d.value(root, target.Elem(), "")
	}
	d.problems.Sort()
	return d.doc, d.problems
}

type decoder struct {
	doc      *Doc
	problems Problems
	shapes   map[reflect.Type]*shape
}

func (d *decoder) problem(line int, path, format string, args ...any) {
	d.problems = append(d.problems, Problem{d.doc.file, line, path, fmt.Sprintf(format, args...)})
}

// yamlLine finds the line in a message of the parser: "yaml: line 3: …".
var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:unmarshal errors:\s*)?(?:line (\d+): )?`)

// parse returns the root node of the only document, nil after a problem.
func (d *decoder) parse(data []byte) *yaml.Node {
	if len(data) > MaxSize {
		d.problem(0, "", "the file has %d bytes; at most %d are read", len(data), MaxSize)
		return nil
	}
	if line, ok := invalidUTF8(data); ok {
		d.problem(line, "", "the file is not UTF-8; save it as UTF-8 (in Windows: 另存为, 编码 UTF-8)")
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var root yaml.Node
	switch err := dec.Decode(&root); {
	case errors.Is(err, io.EOF):
		d.problem(0, "", "the file is empty")
		return nil
	case err != nil:
		d.syntax(err)
		return nil
	}
	var second yaml.Node
	switch err := dec.Decode(&second); {
	case err == nil:
		d.problem(second.Line, "", "a second document begins here; keep one document in a file and remove the line ---")
	case !errors.Is(err, io.EOF):
		d.syntax(err)
	}
	if len(root.Content) != 1 || isNull(root.Content[0]) {
		d.problem(1, "", "the file is empty")
		return nil
	}
	return root.Content[0]
}

func (d *decoder) syntax(err error) {
	text := err.Error()
	m := yamlLine.FindStringSubmatch(text)
	line, _ := strconv.Atoi(m[1])
	d.problem(line, "", "cannot read this as YAML: %s", strings.TrimSpace(text[len(m[0]):]))
}

func invalidUTF8(data []byte) (line int, invalid bool) {
	if utf8.Valid(data) {
		return 0, false
	}
	line = 1
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if r == utf8.RuneError && size == 1 {
			return line, true
		}
		if r == '\n' {
			line++
		}
		data = data[size:]
	}
	return line, true
}

var (
	durationType    = reflect.TypeFor[time.Duration]()
	unmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// value decodes one node. The line of a value is that of its key, where there is one.
func (d *decoder) value(n *yaml.Node, v reflect.Value, path string) {
	if _, ok := d.doc.lines[path]; !ok || path == "" {
		d.doc.lines[path] = n.Line
	}
	if !d.plain(n, path) || isNull(n) {
		return
	}
	switch {
	case v.Kind() == reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		d.value(n, v.Elem(), path)
	case v.Type() == durationType:
		d.duration(n, v, path)
	case v.Addr().Type().Implements(unmarshalerType):
		if s, ok := d.scalar(n, path, "a text"); ok && s != "" { // an empty value is no value; required says so
			if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(s)); err != nil {
				d.problem(n.Line, path, "%v", err)
			}
		}
	default:
		d.byKind(n, v, path)
	}
}

// plain reports what makes a node say something else than what is written.
func (d *decoder) plain(n *yaml.Node, path string) bool {
	switch {
	case n.Kind == yaml.AliasNode:
		d.problem(n.Line, path, "*%s refers to another place; write the value out", n.Value)
	case n.Anchor != "":
		d.problem(n.Line, path, "&%s is a name for other places to refer to; remove it", n.Anchor)
	case n.Style&yaml.TaggedStyle != 0:
		d.problem(n.Line, path, "the tag %s is not allowed; write the plain value", n.Tag)
	default:
		return true
	}
	return false
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

func (d *decoder) byKind(n *yaml.Node, v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.Struct:
		d.structure(n, v, path)
	case reflect.Slice:
		d.slice(n, v, path)
	case reflect.Map:
		d.mapping(n, v, path)
	case reflect.String:
		d.text(n, v, path)
	case reflect.Bool:
		if s, ok := d.scalar(n, path, "true or false"); ok {
			if n.ShortTag() != "!!bool" {
				d.wrong(n, path, "true or false without quotes", s)
				return
			}
			v.SetBool(strings.EqualFold(s, "true"))
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		d.number(n, v, path)
	case reflect.Float32, reflect.Float64:
		d.decimal(n, v, path)
	default:
		panic(fmt.Sprintf("strictyaml: cannot decode %s into a %s", path, v.Type()))
	}
}

// scalar returns the text of a single value.
func (d *decoder) scalar(n *yaml.Node, path, want string) (string, bool) {
	if n.Kind != yaml.ScalarNode {
		d.problem(n.Line, path, "want %s, got %s", want, kindName(n))
		return "", false
	}
	return n.Value, true
}

func (d *decoder) wrong(n *yaml.Node, path, want, got string) {
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		got = strconv.Quote(got)
	}
	d.problem(n.Line, path, "want %s, got %s", want, short(got))
}

func short(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}

func kindName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys with values"
	case yaml.SequenceNode:
		return "a list"
	default:
		return "a single value"
	}
}

// text takes numbers and dates as they are written, so that 1.10 and 0730 stay what they are; true and false are asked to be quoted.
func (d *decoder) text(n *yaml.Node, v reflect.Value, path string) {
	s, ok := d.scalar(n, path, "a text")
	if !ok {
		return
	}
	if n.ShortTag() == "!!bool" {
		d.problem(n.Line, path, "want a text, got %s; put it in quotes if it is meant as text", s)
		return
	}
	if c, ok := v.Interface().(interface{ Choices() []string }); ok && !slices.Contains(c.Choices(), s) {
		d.problem(n.Line, path, "%q is none of %s%s", short(s), strings.Join(c.Choices(), ", "), meant(s, c.Choices()))
		return
	}
	v.SetString(s)
}

var (
	wholeNumber   = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	decimalNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)
)

func (d *decoder) number(n *yaml.Node, v reflect.Value, path string) {
	s, ok := d.scalar(n, path, "a whole number")
	if !ok {
		return
	}
	if n.ShortTag() != "!!int" || !wholeNumber.MatchString(s) {
		d.wrong(n, path, "a whole number like 12, without quotes or leading zeros", s)
		return
	}
	i, err := strconv.ParseInt(s, 10, v.Type().Bits())
	if err != nil {
		d.wrong(n, path, fmt.Sprintf("a whole number of %d bits", v.Type().Bits()), s)
		return
	}
	v.SetInt(i)
}

func (d *decoder) decimal(n *yaml.Node, v reflect.Value, path string) {
	s, ok := d.scalar(n, path, "a number")
	if !ok {
		return
	}
	f, err := strconv.ParseFloat(s, v.Type().Bits())
	if tag := n.ShortTag(); tag != "!!int" && tag != "!!float" || !decimalNumber.MatchString(s) || err != nil {
		d.wrong(n, path, "a number like 21.5, without quotes", s)
		return
	}
	v.SetFloat(f)
}

func (d *decoder) duration(n *yaml.Node, v reflect.Value, path string) {
	s, ok := d.scalar(n, path, "a duration like 45s or 1m30s")
	if !ok {
		return
	}
	dur, err := time.ParseDuration(s)
	if err != nil {
		want := "a duration like 45s or 1m30s"
		if wholeNumber.MatchString(s) {
			want += ": add the unit"
		}
		d.wrong(n, path, want, s)
		return
	}
	v.SetInt(int64(dur))
}

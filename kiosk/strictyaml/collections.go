package strictyaml

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// shape is what a struct type expects of a mapping.
type shape struct {
	names  []string // in the order of the struct
	fields map[string]member
}

type member struct {
	index    int
	required bool
}

func (d *decoder) shape(t reflect.Type) *shape {
	if s, ok := d.shapes[t]; ok {
		return s
	}
	s := &shape{fields: map[string]member{}}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if !f.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = strings.ToLower(f.Name)
		}
		s.names = append(s.names, name)
		s.fields[name] = member{i, options == "required"}
	}
	d.shapes[t] = s
	return s
}

func (d *decoder) structure(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.MappingNode {
		d.problem(n.Line, path, "want keys with values, got %s", kindName(n))
		return
	}
	s := d.shape(v.Type())
	given := map[string]*yaml.Node{}
	d.pairs(n, path, func(key, value *yaml.Node) {
		m, known := s.fields[key.Value]
		if !known {
			hint := meant(key.Value, s.names)
			if hint == "" {
				hint = "; known here: " + strings.Join(s.names, ", ")
			}
			d.problem(key.Line, join(path, short(key.Value)), "unknown key%s", hint)
			return
		}
		given[key.Value] = value
		at := join(path, key.Value)
		d.doc.lines[at] = key.Line
		d.value(value, v.Field(m.index), at)
	})
	for _, name := range s.names {
		if !s.fields[name].required {
			continue
		}
		switch value := given[name]; {
		case value == nil:
			d.problem(n.Line, join(path, name), "missing; add the key %s", name)
		case isEmpty(value):
			d.problem(value.Line, join(path, name), "must not be empty")
		}
	}
}

func isEmpty(n *yaml.Node) bool {
	if n.Kind == yaml.ScalarNode {
		return isNull(n) || n.Value == ""
	}
	return n.Kind != yaml.AliasNode && len(n.Content) == 0
}

// pairs yields the keys of a mapping once each and reports those written twice.
func (d *decoder) pairs(n *yaml.Node, path string, yield func(key, value *yaml.Node)) {
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if !d.plain(key, path) {
			continue
		}
		if key.ShortTag() == "!!merge" {
			d.problem(key.Line, path, "<< merges another place into this one; write the keys out")
			continue
		}
		if key.Kind != yaml.ScalarNode {
			d.problem(key.Line, path, "want a plain word as key, got %s", kindName(key))
			continue
		}
		if line, twice := first[key.Value]; twice {
			d.problem(key.Line, join(path, key.Value), "written twice; line %d has it already", line)
			continue
		}
		first[key.Value] = key.Line
		yield(key, value)
	}
}

func (d *decoder) slice(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.SequenceNode {
		d.problem(n.Line, path, "want a list (lines that begin with -), got %s", kindName(n))
		return
	}
	list := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		if isNull(item) {
			d.problem(item.Line, at, "empty line in a list; remove the -")
			continue
		}
		d.value(item, list.Index(i), at)
	}
	v.Set(list)
}

func (d *decoder) mapping(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.MappingNode {
		d.problem(n.Line, path, "want keys with values, got %s", kindName(n))
		return
	}
	t := v.Type()
	m := reflect.MakeMap(t)
	d.pairs(n, path, func(key, value *yaml.Node) {
		at := join(path, key.Value)
		d.doc.lines[at] = key.Line
		k := reflect.New(t.Key()).Elem()
		switch k.Kind() {
		case reflect.Int:
			i, err := strconv.Atoi(key.Value)
			if err != nil || !wholeNumber.MatchString(key.Value) {
				d.problem(key.Line, at, "want a whole number as key, got %s", short(key.Value))
				return
			}
			k.SetInt(int64(i))
		case reflect.String:
			k.SetString(key.Value)
		default:
			panic(fmt.Sprintf("strictyaml: cannot decode %s: keys of type %s", path, t.Key()))
		}
		e := reflect.New(t.Elem()).Elem()
		d.value(value, e, at)
		m.SetMapIndex(k, e)
	})
	v.Set(m)
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// meant returns ", did you mean x?" for the allowed word that is closest to what was written, "" when none is close.
func meant(got string, words []string) string {
	best, distance := "", 1+min(2, max(1, len([]rune(got))/3))
	fold := strings.NewReplacer("_", "", "-", "", " ", "")
	for _, w := range words {
		if strings.EqualFold(fold.Replace(got), fold.Replace(w)) {
			return fmt.Sprintf(", did you mean %s?", w)
		}
		if d := editDistance([]rune(strings.ToLower(got)), []rune(strings.ToLower(w)), distance); d < distance {
			best, distance = w, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %s?", best)
}

// editDistance is the optimal string alignment distance: insertions, deletions, replacements and swaps of neighbours.
// Words whose lengths differ by limit or more are not compared; limit is returned for them.
func editDistance(a, b []rune, limit int) int {
	if max(len(a), len(b))-min(len(a), len(b)) >= limit {
		return limit
	}
	var before []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next[j+1] = min(row[j]+cost, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}

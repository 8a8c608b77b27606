package printer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// decodeStrict reads JSON into v and reports every unknown field and every value of a wrong type, each with its path; the standard
// decoder stops at the first. What is broken is no JSON at all.
func decodeStrict(data []byte, v any) (wrong []string, broken bool) {
	var syntax *json.SyntaxError
	var raw json.RawMessage
	if err := json.Unmarshal(data, &raw); errors.As(err, &syntax) {
		return []string{fmt.Sprintf("line %d: %v", 1+bytes.Count(data[:syntax.Offset], []byte("\n")), err)}, true
	} else if err != nil {
		return []string{err.Error()}, true
	}
	decodeValue(raw, reflect.ValueOf(v).Elem(), "", &wrong)
	return wrong, false
}

func decodeValue(raw json.RawMessage, v reflect.Value, path string, wrong *[]string) {
	complain := func(want string) {
		*wrong = append(*wrong, fmt.Sprintf("%s must be %s", strings.TrimPrefix(path, "."), want))
	}
	switch v.Kind() {
	case reflect.Struct:
		var fields map[string]json.RawMessage
		if json.Unmarshal(raw, &fields) != nil || fields == nil {
			complain("an object")
			return
		}
		decodeStruct(fields, v, path, wrong)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		decodeValue(raw, v.Elem(), path, wrong)
	case reflect.Slice:
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil {
			complain("a list")
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), len(list), len(list)))
		for i, e := range list {
			decodeValue(e, v.Index(i), fmt.Sprintf("%s[%d]", path, i), wrong)
		}
	case reflect.Map:
		var fields map[string]json.RawMessage
		if json.Unmarshal(raw, &fields) != nil {
			complain("an object")
			return
		}
		v.Set(reflect.MakeMap(v.Type()))
		for _, k := range slices.Sorted(maps.Keys(fields)) {
			e := reflect.New(v.Type().Elem()).Elem()
			decodeValue(fields[k], e, path+"."+k, wrong)
			v.SetMapIndex(reflect.ValueOf(k).Convert(v.Type().Key()), e)
		}
	default:
		if bytes.Equal(raw, []byte("null")) || json.Unmarshal(raw, v.Addr().Interface()) != nil {
			complain(map[reflect.Kind]string{reflect.String: "a text", reflect.Int: "a whole number", reflect.Bool: "true or false"}[v.Kind()])
		}
	}
}

func decodeStruct(fields map[string]json.RawMessage, v reflect.Value, path string, wrong *[]string) {
	known := map[string]reflect.Value{}
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		known[name] = v.Field(i)
	}
	for _, k := range slices.Sorted(maps.Keys(fields)) {
		f, ok := known[k]
		if !ok {
			*wrong = append(*wrong, fmt.Sprintf("%s is unknown", strings.TrimPrefix(path+"."+k, ".")))
			continue
		}
		decodeValue(fields[k], f, path+"."+k, wrong)
	}
}

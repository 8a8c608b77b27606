package journal

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
)

func TestCanonical(t *testing.T) {
	for in, want := range map[string]string{
		`{"b":1,"a":[true,false,null]}`:        `{"a":[true,false,null],"b":1}`,
		` { } `:                                `{}`,
		`"\u003c\u529e\/\u0007\b\t\n\f\r\"\\"`: `"<办/\u0007\b\t\n\f\r\"\\"`,
		"\"\u2028\U0001F600\"":                 "\"\u2028\U0001F600\"",
		// RFC 8785 3.2.3: by UTF-16 units a surrogate pair (here 😀, D83D) comes before U+FB33.
		`{"\ufb33":1,"\ud83d\ude00":2,"\u0080":3,"1":4,"\r":5}`: "{\"\\r\":5,\"1\":4,\"\u0080\":3,\"\U0001F600\":2,\"\ufb33\":1}",
		`9007199254740991`: `9007199254740991`,
		`-0`:               `0`,
		`1.5`:              "",
		`1e3`:              "",
		`9007199254740992`: "",
		`{} {}`:            "",
		`{"a":1`:           "",
		"\"\xff\"":         "",
		``:                 "",
	} {
		got, err := Canonical([]byte(in))
		if string(got) != want || (err == nil) != (want != "") {
			t.Errorf("%s gives %s, %v; want %s", in, got, err, want)
		}
	}
}

func FuzzCanonical(f *testing.F) {
	for _, seed := range []string{`{"b":1,"a":["x",null,true,-5]}`, `"\ud83d\ude00"`, `{"":{"":{"":[]}}}`, `1.5`, `"\ud800"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		once, err := Canonical(data)
		if err != nil {
			return
		}
		twice, err := Canonical(once)
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%q becomes %q, %v", once, twice, err)
		}
		var a, b any
		if err := json.Unmarshal(data, &a); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(once, &b); err != nil {
			t.Fatalf("%q is not JSON: %v", once, err)
		}
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("%q means something else than %q", once, data)
		}
	})
}

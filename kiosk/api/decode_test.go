package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"unicode/utf8"

	"yuanban/kiosk/window"
)

// FuzzDecode: whatever a caller sends, the answer is a request or a problem with a status of the caller's own; and what is taken
// is one JSON object whose fields survive being written again.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"case":"A1","stage":"acceptance","service":1,"staff":"chen"}`, `{}`, `null`, `{}{}`, `[{}]`, ` {"case":"\ud800"}`,
		`{"service":1e2}`, `{"case":"A1","case":"A2"}`, `{"level":5}`, "{\"case\":\"\xff\"}", "\xef\xbb\xbf{}", `{"case":"\u0000"}`} {
		f.Add("application/json", []byte(seed))
	}
	f.Add("text/plain", []byte(`{}`))
	f.Add("application/json; charset=gbk; charset=x", []byte(`{}`))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		r := httptest.NewRequest("POST", "/kiosk/v1/invitations", bytes.NewReader(body))
		r.Header["Content-Type"] = []string{kind}
		var in window.Invitation
		err := decode(httptest.NewRecorder(), r, &in)
		if err != nil {
			p, is := err.(*problem)
			if !is || p.status < 400 || p.status > 499 || p.code == "" || p.Error() == "" {
				t.Fatalf("%q is refused with %#v", body, err)
			}
			if p.status == http.StatusRequestEntityTooLarge && len(body) <= maxBody {
				t.Fatalf("%d bytes are too many", len(body))
			}
			return
		}
		if len(body) > maxBody || !json.Valid(body) || bytes.TrimSpace(body)[0] != '{' {
			t.Fatalf("taken: %q", body)
		}
		if valid(in) == nil && (!utf8.ValidString(in.Case) || utf8.RuneCountInString(in.Case) > 50) {
			t.Fatalf("found valid: %+v", in)
		}
		again, err := json.Marshal(in)
		ok(t, err)
		var back window.Invitation
		if err := json.Unmarshal(again, &back); err != nil || back != in {
			t.Fatalf("%+v became %+v: %v", in, back, err)
		}
	})
}

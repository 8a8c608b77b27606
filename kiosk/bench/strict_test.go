package bench

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

func newGzip(w io.Writer) *gzip.Writer { return gzip.NewWriter(w) }

func TestErrorsAreJSONAndSayWhy(t *testing.T) {
	p := play(t)
	for _, c := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"PUT", "/bench/api/reader/card", `{"kind":"resident","nome":"x"}`, 400, `unknown field "nome"; known are kind, name,`},
		{"PUT", "/bench/api/reader/card", `{"Kind":"resident"}`, 400, `unknown field "Kind"`},
		{"PUT", "/bench/api/reader/card", `{"name":"a","name":"b"}`, 400, `field "name" stands twice`},
		{"PUT", "/bench/api/reader/card", `{"name":7}`, 400, `field "name" needs a string, not this number`},
		{"PUT", "/bench/api/reader/card", `{"kind":"passport"}`, 400, `kind "passport" is none of resident, hmt, foreign2017, foreign2023`},
		{"PUT", "/bench/api/reader/card", `{"birth":"1990-01-01"}`, 400, "birth must be a day written YYYYMMDD"},
		{"PUT", "/bench/api/reader/card", `{"birth":"19900231"}`, 400, "birth must be a day"},
		{"PUT", "/bench/api/reader/card", `{"validTo":"长期","permanent":false}`, 400, "contradict each other"},
		{"PUT", "/bench/api/reader/card", `{"name":"` + strings.Repeat("长", 16) + `"}`, 400, "name has 16 characters, the card holds 15"},
		{"PUT", "/bench/api/reader/card", `{"name":"a\u0007"}`, 400, "name contains a character that cannot be printed"},
		{"PUT", "/bench/api/reader/card", "{\"name\":\"\xff\"}", 400, "not UTF-8"},
		{"PUT", "/bench/api/reader/card", `[]`, 400, "a JSON object {…} is needed"},
		{"PUT", "/bench/api/reader/card", `null`, 400, "a JSON object {…} is needed"},
		{"PUT", "/bench/api/reader/card", ``, 400, "a JSON object {…} is needed"},
		{"PUT", "/bench/api/reader/card", `{"name":`, 400, "cannot take the request"},
		{"PUT", "/bench/api/reader/card", `{} {}`, 400, "something follows"},
		{"POST", "/bench/api/reader/card", `{}`, 405, "it takes DELETE, GET, PUT"},
		{"PUT", "/bench/api/reader/fault", `{"fault":"broken"}`, 400, `fault "broken" is none of none, silent, halfFrame, noise, badChecksum, slow, unplugged`},
		{"PUT", "/bench/api/reader/fault", `{}`, 400, `{"fault":"…"} is missing`},
		{"PUT", "/bench/api/printer", `{"paper":"wet"}`, 400, `paper "wet" is none of full, low, out`},
		{"PUT", "/bench/api/printer", `{"cover":"ajar"}`, 400, `cover "ajar" is none of closed, open`},
		{"PUT", "/bench/api/printer", `{"cutter":"blunt"}`, 400, `cutter "blunt" is none of ok, jammed`},
		{"PUT", "/bench/api/printer", `{"fault":"slow"}`, 400, `fault "slow" is none of none, silent, unplugged`},
		{"PUT", "/bench/api/printer", `{"paperLines":-1}`, 400, "paperLines is from 0 to 100000"},
		{"PUT", "/bench/api/printer", `{"paperLines":1.5}`, 400, `field "paperLines" needs a whole number`},
		{"PUT", "/bench/api/printer", `{"paper":"out","paperLines":3}`, 409, "give one of both"},
		{"PUT", "/bench/api/printer", `{"receipts":[{"id":"none","taken":true}]}`, 404, `cannot find receipt "none"`},
		{"PUT", "/bench/api/printer", `{"receipts":[{"id":"none","token":true}]}`, 400, `unknown field "receipts[0].token"`},
		{"PUT", "/bench/api/printer/receipts/none", `{"taken":true}`, 404, `cannot find receipt "none"`},
		{"PUT", "/bench/api/printer/receipts/none", `{}`, 400, `{"taken":true} is missing`},
		{"GET", "/bench/api/printer/receipts/none.png", ``, 404, `cannot find receipt "none"`},
		{"POST", "/bench/api/buttons/6/press", `{}`, 404, `cannot press button "6"`},
		{"POST", "/bench/api/buttons/05/press", `{}`, 404, `cannot press button "05"`},
		{"POST", "/bench/api/buttons/5/press", `{"ms":0}`, 400, "ms is from 1 to 60000"},
		{"POST", "/bench/api/buttons/5/press", `{"ms":10,"bounces":101}`, 400, "bounces is from 0 to 100"},
		{"GET", "/bench/api/buttons/5/press", ``, 405, "it takes POST"},
		{"DELETE", "/bench/api/lamps", ``, 405, "it takes GET"},
		{"PUT", "/bench/api/platform/fault", `{"fault":"gone"}`, 400, `fault "gone" is none of none, down, http500, slow, acceptThenDrop`},
		{"PUT", "/bench/api/platform/records", `{}`, 405, "it takes GET"},
		{"GET", "/bench/api/nothing", ``, 404, "there is no such route"},
		{"GET", "/bench/static/nothing.js", ``, 404, "cannot find"},
	} {
		status, text := p.do(c.method, c.path, c.body)
		var got map[string]string
		if err := json.Unmarshal([]byte(text), &got); err != nil || len(got) != 1 {
			t.Errorf("%s %s %s: not an error in JSON: %s", c.method, c.path, c.body, text)
			continue
		}
		if status != c.status || !strings.Contains(got["error"], c.says) || !strings.HasPrefix(got["error"], "cannot ") {
			t.Errorf("%s %s %s: %d %s\nwant %d …%s…", c.method, c.path, c.body, status, got["error"], c.status, c.says)
		}
	}
}

func TestOtherSitesCannotPlayTheHardware(t *testing.T) {
	p := play(t)
	u, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	own := u.Host
	for _, c := range []struct {
		name, method, path, host string
		headers                  map[string]string
		status                   int
	}{
		{"a program", "DELETE", "/bench/api/reader/card", own, nil, 200},
		{"a program, by name", "DELETE", "/bench/api/reader/card", "localhost:" + u.Port(), nil, 200},
		{"a program, by IPv6", "DELETE", "/bench/api/reader/card", "[::1]:" + u.Port(), nil, 200},
		{"a program, no port", "DELETE", "/bench/api/reader/card", "127.0.0.1", nil, 200},
		{"the page", "DELETE", "/bench/api/reader/card", own, map[string]string{"Origin": "http://" + own, "Sec-Fetch-Site": "same-origin"}, 200},
		{"typed by hand", "GET", "/bench/api/state", own, map[string]string{"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, 200},
		{"a foreign name that resolves to us", "GET", "/bench/api/state", "evil.example:" + u.Port(), nil, 421},
		{"a foreign name, the page", "GET", "/bench", "evil.example", nil, 421},
		{"a name that only begins like ours", "GET", "/bench/api/state", "localhost.evil.example", nil, 421},
		{"a foreign page", "DELETE", "/bench/api/reader/card", own, map[string]string{"Origin": "https://evil.example"}, 403},
		{"a page of another port", "DELETE", "/bench/api/reader/card", own, map[string]string{"Origin": "http://127.0.0.1:1"}, 403},
		{"a page without an origin", "PUT", "/bench/api/reader/fault", own, map[string]string{"Origin": "null"}, 403},
		{"a foreign picture", "GET", "/bench/api/printer/receipts/1.png", own, map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"a sister site", "GET", "/bench/api/state", own, map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		{"a foreign script of ours", "GET", "/bench/static/app.js", own, map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403},
		{"a link of another site", "GET", "/bench", own, map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 200},
		{"a link to the JSON", "GET", "/bench/api/state", own, map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 403},
	} {
		r := httptest.NewRequestWithContext(t.Context(), c.method, c.path, nil)
		r.Host = c.host
		for k, v := range c.headers {
			r.Header.Set(k, v)
		}
		w := httptest.NewRecorder()
		p.bench.Handler().ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s: %d, want %d: %s", c.name, w.Code, c.status, w.Body)
		}
	}
}

func TestPageHasNothingInline(t *testing.T) {
	inline := regexp.MustCompile(`<script>|<style|\sstyle=|\son[a-z]+=|javascript:`)
	linked := regexp.MustCompile(`(?:src|href)="(/bench/static/[^"]+)"|from "\./([^"]+)"`)
	for _, role := range []string{"kiosk", "pad"} {
		b, err := New(Options{Dir: t.TempDir(), Role: role})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { b.close() })
		get := func(path string) *httptest.ResponseRecorder {
			r := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
			r.Host = "127.0.0.1"
			w := httptest.NewRecorder()
			b.Handler().ServeHTTP(w, r)
			if w.Code != http.StatusOK {
				t.Errorf("%s: %s: %d %s", role, path, w.Code, w.Body)
			}
			return w
		}
		first := get("/bench")
		if policy := first.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "script-src 'self';") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", role, policy)
		}
		if found := inline.FindString(first.Body.String()); found != "" {
			t.Errorf("%s: the page has %q inline", role, found)
		}
		seen := map[string]bool{}
		for queue := []string{first.Body.String()}; len(queue) > 0; queue = queue[1:] {
			for _, m := range linked.FindAllStringSubmatch(queue[0], -1) {
				path := m[1] + map[bool]string{true: "/bench/static/" + m[2]}[m[2] != ""]
				if !seen[path] {
					seen[path] = true
					queue = append(queue, get(path).Body.String())
				}
			}
		}
		if len(seen) < 14 {
			t.Errorf("%s: only %d files are linked: %v", role, len(seen), seen)
		}
	}
}

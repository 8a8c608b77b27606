package api

import (
	"net/http"
	"strings"
	"testing"
)

// calls are all routes, called rightly, with what a caller that may gets.
var calls = []struct {
	request
	desk bool
	want int
}{
	{request{method: "POST", path: "/kiosk/v1/invitations", body: `{"case":"A1","stage":"acceptance","service":1}`}, true, 201},
	{request{method: "GET", path: "/kiosk/v1/invitations/none"}, true, 404},
	{request{method: "DELETE", path: "/kiosk/v1/invitations/none"}, true, 404},
	{request{method: "GET", path: "/kiosk/v1/window"}, true, 200},
	{request{method: "PUT", path: "/kiosk/v1/window", body: `{"paused":false}`}, true, 200},
	{request{method: "GET", path: "/kiosk/v1/counts"}, true, 200},
	{request{method: "GET", path: "/kiosk/v1/events"}, true, 400}, // it is a websocket
	{request{method: "GET", path: "/kiosk/v1/status"}, false, 200},
	{request{method: "GET", path: "/technician"}, false, 200},
	{request{method: "GET", path: "/technician.css"}, false, 200},
	{request{method: "GET", path: "/healthz"}, false, 200},
	{request{method: "GET", path: "/metrics"}, false, 200},
	{request{method: "GET", path: "/kiosk/v1/nothing"}, false, 404},
}

// TestWhoMayCall: every caller that may not is turned away on every route, before anything happens.
func TestWhoMayCall(t *testing.T) {
	s := stand(t, setup{})
	_, port, _ := strings.Cut(s.host, ":")
	callers := []struct {
		who    string
		change func(r *request)
		status int    // 0 when let in
		code   string // of the error
		desk   bool   // turned away only where the window PC alone may call
	}{
		{who: "the window PC", change: func(*request) {}},
		{who: "our own page", change: func(r *request) { r.set("Origin", "http://"+s.host) }},
		{who: "a scheme in small letters", change: func(r *request) { r.set("Authorization", "bearer "+token) }},
		{who: "a page of another site", change: func(r *request) { r.set("Origin", "http://evil.example") }, status: 403, code: "origin"},
		{who: "a page of another program here", change: func(r *request) { r.set("Origin", "http://127.0.0.1:1") }, status: 403, code: "origin"},
		{who: "a page under our name with TLS", change: func(r *request) { r.set("Origin", "https://"+s.host) }, status: 403, code: "origin"},
		{who: "a page in a sandbox or a file", change: func(r *request) { r.set("Origin", "null") }, status: 403, code: "origin"},
		{who: "a page whose name begins with ours", change: func(r *request) { r.set("Origin", "http://"+s.host+".evil.example") }, status: 403, code: "origin"},
		{who: "a name that resolves to us", change: func(r *request) { r.host = "evil.example:" + port }, status: 421, code: "host"},
		{who: "a rebound page as its own origin", change: func(r *request) { r.host = "evil.example:" + port; r.set("Origin", "http://evil.example:"+port) }, status: 421, code: "host"},
		{who: "a name of the LAN", change: func(r *request) { r.host = "kiosk.lan:" + port }, status: 421, code: "host"},
		{who: "an address of the LAN", change: func(r *request) { r.host = "192.168.1.20:" + port }, status: 421, code: "host"},
		{who: "another port", change: func(r *request) { r.host = "127.0.0.1:1" }, status: 421, code: "host"},
		{who: "no token", change: func(r *request) { r.noToken = true }, status: 401, code: "token", desk: true},
		{who: "a wrong token", change: func(r *request) { r.set("Authorization", "Bearer "+token+"x") }, status: 401, code: "token", desk: true},
		{who: "an empty token", change: func(r *request) { r.set("Authorization", "Bearer ") }, status: 401, code: "token", desk: true},
		{who: "a token without its scheme", change: func(r *request) { r.set("Authorization", token) }, status: 401, code: "token", desk: true},
		{who: "another scheme", change: func(r *request) { r.set("Authorization", "Basic "+token) }, status: 401, code: "token", desk: true},
	}
	for _, c := range callers {
		t.Run(c.who, func(t *testing.T) {
			for _, route := range calls {
				before := s.sequence()
				r := route.request
				c.change(&r)
				want := route.want
				if c.status != 0 && (!c.desk || route.desk) {
					want = c.status
				}
				a := s.call(r)
				switch {
				case a.status != want && !(want == 201 && a.code() == "busy"): // the first one invited
					t.Errorf("%s %s answered %d, want %d\n%s", r.method, r.path, a.status, want, a.body)
				case want == c.status && a.code() != c.code:
					t.Errorf("%s %s answered %s, want the code %s", r.method, r.path, a.body, c.code)
				case want == 401 && a.header.Get("WWW-Authenticate") == "":
					t.Errorf("%s %s does not say how to authenticate", r.method, r.path)
				case want == c.status && s.sequence() != before:
					t.Errorf("%s %s was refused and still recorded something", r.method, r.path)
				}
				if a.header.Get("Access-Control-Allow-Origin") != "" {
					t.Errorf("%s %s lets pages of other sites read the answer", r.method, r.path)
				}
			}
		})
	}
}

func (r *request) set(name, value string) {
	r.header = map[string]string{name: value}
}

func (s *stage) sequence() int64 {
	s.t.Helper()
	pos, err := s.journal.Position(s.t.Context())
	ok(s.t, err)
	return pos.Last
}

func TestWrongMethod(t *testing.T) {
	s := stand(t, setup{})
	for path, allow := range map[string]string{
		"/kiosk/v1/invitations": "POST", "/kiosk/v1/invitations/x": "GET, DELETE", "/kiosk/v1/window": "GET, PUT", "/kiosk/v1/events": "GET",
		"/kiosk/v1/counts": "GET", "/kiosk/v1/status": "GET", "/healthz": "GET", "/metrics": "GET", "/technician": "GET",
	} {
		for _, method := range []string{"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"} {
			if strings.Contains(allow, method) {
				continue
			}
			a := s.call(request{method: method, path: path, body: "{}"})
			if a.status != http.StatusMethodNotAllowed || a.header.Get("Allow") != allow || a.code() != "method" {
				t.Errorf("%s %s answered %d, Allow %q, %s", method, path, a.status, a.header.Get("Allow"), a.body)
			}
		}
	}
}

// TestBodies: what is not one small strict JSON object is refused with a reason, and changes nothing.
func TestBodies(t *testing.T) {
	const good = `{"case":"A1","stage":"acceptance","service":1}`
	s := stand(t, setup{})
	asForm := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	for _, tt := range []struct {
		name   string
		body   string
		header map[string]string
		status int
		code   string
		says   string
	}{
		{"a form, as any page may send", good, asForm, 415, "content_type", "application/json"},
		{"text, as any page may send", good, map[string]string{"Content-Type": "text/plain"}, 415, "content_type", ""},
		{"no type", good, map[string]string{"Content-Type": ""}, 415, "content_type", ""},
		{"nothing", "", map[string]string{"Content-Type": "application/json"}, 400, "bad_request", "not a JSON object"},
		{"null", "null", nil, 400, "bad_request", "not a JSON object"},
		{"a list", "[" + good + "]", nil, 400, "bad_request", "not a JSON object"},
		{"half an object", good[:len(good)-1], nil, 400, "bad_request", ""},
		{"two objects", good + good, nil, 400, "bad_request", "after the JSON object"},
		{"an object and rubbish", good + "x", nil, 400, "bad_request", "after the JSON object"},
		{"an unknown field", `{"case":"A1","stage":"acceptance","service":1,"colour":"red"}`, nil, 400, "bad_request", "colour"},
		{"a grade", `{"case":"A1","stage":"acceptance","service":1,"level":5}`, nil, 400, "bad_request", "level"},
		{"a number for a text", `{"case":7,"stage":"acceptance","service":1}`, nil, 400, "bad_request", "case"},
		{"a half service", `{"case":"A1","stage":"acceptance","service":1.5}`, nil, 400, "bad_request", "service"},
		{"GBK", "{\"case\":\"\xb0\xec\xbc\xfe1\",\"stage\":\"acceptance\",\"service\":1}", nil, 400, "bad_request", "UTF-8"},
		{"17 KiB", `{"case":"` + strings.Repeat("9", 17<<10) + `","stage":"acceptance","service":1}`, nil, 413, "too_large", "16384"},
		{"17 KiB of blanks after it", good + strings.Repeat(" ", 17<<10), nil, 413, "too_large", ""},
		{"deep nesting", strings.Repeat(`{"case":`, 3000), nil, 413, "too_large", ""},
		{"no case", `{"stage":"acceptance","service":1}`, nil, 422, "invalid", "case"},
		{"51 characters", `{"case":"` + strings.Repeat("号", 51) + `","stage":"acceptance","service":1}`, nil, 422, "invalid", "50"},
		{"blanks around the case", `{"case":"A1 ","stage":"acceptance","service":1}`, nil, 422, "invalid", "spaces"},
		{"a control character", `{"case":"A\u0007","stage":"acceptance","service":1}`, nil, 422, "invalid", "control"},
		{"no stage", `{"case":"A1","service":1}`, nil, 422, "invalid", "acceptance completion special"},
		{"an unknown stage", `{"case":"A1","stage":"rework","service":1}`, nil, 422, "invalid", "rework"},
		{"service 0", `{"case":"A1","stage":"acceptance","service":0}`, nil, 422, "invalid", "1 and 99"},
		{"service 100", `{"case":"A1","stage":"acceptance","service":100}`, nil, 422, "invalid", "1 and 99"},
		{"a long id of staff", `{"case":"A1","stage":"acceptance","service":1,"staff":"` + strings.Repeat("c", 51) + `"}`, nil, 422, "invalid", "staff"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := s.call(request{method: "POST", path: "/kiosk/v1/invitations", body: tt.body, header: tt.header})
			if a.status != tt.status || a.code() != tt.code || !strings.Contains(a.body, tt.says) {
				t.Errorf("answered %d %s, want %d %s saying %q", a.status, a.body, tt.status, tt.code, tt.says)
			}
		})
	}
	if n := s.sequence(); n != 0 {
		t.Errorf("refused requests left %d facts", n)
	}
	// Fifty characters are fifty, however many bytes they take.
	a := s.call(request{method: "POST", path: "/kiosk/v1/invitations", header: map[string]string{"Content-Type": "application/json; charset=utf-8"},
		body: `{"case":"` + strings.Repeat("号", 50) + `","stage":"completion","service":99}`})
	if a.status != http.StatusCreated {
		t.Errorf("a case number of 50 characters: %d %s", a.status, a.body)
	}
}

// TestDemoLetsProgramsIn: without a token every program on this machine may call, and still no page of another site.
func TestDemoLetsProgramsIn(t *testing.T) {
	s := stand(t, setup{open: true})
	if a := s.call(request{path: "/kiosk/v1/window", noToken: true}); a.status != 200 {
		t.Errorf("a program got %d %s", a.status, a.body)
	}
	if a := s.call(request{path: "/kiosk/v1/window", header: map[string]string{"Origin": "http://evil.example"}}); a.status != 403 {
		t.Errorf("a foreign page got %d", a.status)
	}
}

// TestKioskHasNoWindow: what belongs to a window is not there on a kiosk, whoever asks.
func TestKioskHasNoWindow(t *testing.T) {
	s := stand(t, setup{kiosk: true})
	for _, route := range calls {
		a := s.call(route.request)
		if route.desk && (a.status != http.StatusNotFound || a.code() != "no_window") {
			t.Errorf("%s %s answered %d %s", route.method, route.path, a.status, a.body)
		}
		if !route.desk && a.status != route.want {
			t.Errorf("%s %s answered %d, want %d", route.method, route.path, a.status, route.want)
		}
	}
}

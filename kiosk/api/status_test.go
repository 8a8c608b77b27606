package api

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"yuanban/kiosk/station"
)

func TestHealth(t *testing.T) {
	s := stand(t, setup{})
	if a := s.call(request{path: "/healthz", noToken: true}); a.status != 200 || strings.TrimSpace(a.body) != `{"status":"ok"}` {
		t.Errorf("a healthy machine answers %d %s", a.status, a.body)
	}
	// A device that is away is no reason to restart the program; a journal that does not answer is.
	s = stand(t, setup{devices: []station.Health{{Device: "reader", State: station.Offline}}})
	if a := s.call(request{path: "/healthz"}); a.status != 200 {
		t.Errorf("without its reader it answers %d %s", a.status, a.body)
	}
	s = stand(t, setup{journal: "the disk is full"})
	if a := s.call(request{path: "/healthz"}); a.status != http.StatusServiceUnavailable || a.code() != "journal" || !strings.Contains(a.body, "the disk is full") {
		t.Errorf("with a full disk it answers %d %s", a.status, a.body)
	}
}

// The text format of Prometheus, version 0.0.4: prometheus.io/docs/instrumenting/exposition_formats.
var (
	metricHelp   = regexp.MustCompile(`^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) [^\n]+$`)
	metricType   = regexp.MustCompile(`^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram|summary|untyped)$`)
	metricSample = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"(?:,[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*")*\})? (\S+)$`)
)

// scrape parses metrics as strictly as the format is written: HELP and TYPE before the samples, each once, no sample twice.
func scrape(t *testing.T, text string) map[string]float64 {
	t.Helper()
	samples, helped, typed := map[string]float64{}, map[string]bool{}, map[string]bool{}
	if !strings.HasSuffix(text, "\n") {
		t.Error("the last line has no end")
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if m := metricHelp.FindStringSubmatch(line); m != nil {
			if helped[m[1]] {
				t.Errorf("a second HELP of %s", m[1])
			}
			helped[m[1]] = true
			continue
		}
		if m := metricType.FindStringSubmatch(line); m != nil {
			if typed[m[1]] {
				t.Errorf("a second TYPE of %s", m[1])
			}
			typed[m[1]] = true
			continue
		}
		m := metricSample.FindStringSubmatch(line)
		if m == nil {
			t.Errorf("not of the format: %q", line)
			continue
		}
		v, err := strconv.ParseFloat(m[3], 64)
		if _, twice := samples[m[1]+m[2]]; err != nil || twice || !helped[m[1]] || !typed[m[1]] {
			t.Errorf("a wrong, repeated or undescribed sample: %q %v", line, err)
		}
		samples[m[1]+m[2]] = v
	}
	return samples
}

func TestMetrics(t *testing.T) {
	s := stand(t, setup{devices: []station.Health{
		{Device: "reader", State: station.Online, Since: time.Now()}, {Device: "printer", State: station.HardwareError, Detail: `"odd\" {text}`},
	}})
	s.invite("A1")
	a := s.call(request{path: "/metrics", noToken: true})
	if got := a.header.Get("Content-Type"); got != "text/plain; version=0.0.4; charset=utf-8" {
		t.Errorf("the type is %s", got)
	}
	got := scrape(t, a.body)
	for name, want := range map[string]float64{
		"kiosk_display_connected": 1, "kiosk_journal_ok": 1, "kiosk_chain_ok": 1, "kiosk_fact_sequence": 1, "kiosk_platform_online": 0, "kiosk_outbox_facts": 2,
		`kiosk_device_online{device="reader"}`: 1, `kiosk_device_online{device="printer"}`: 0,
	} {
		if v, there := got[name]; !there || v != want {
			t.Errorf("%s is %v (there: %v), want %v", name, v, there, want)
		}
	}
	if up, age := got["kiosk_up_seconds"], got["kiosk_outbox_age_seconds"]; up < 90 || up > 100 || age < 3600 || age > 3610 {
		t.Errorf("up %v s, outbox %v s old", up, age)
	}
	// While the journal is away one learns that, not a wrong number of other things.
	s = stand(t, setup{journal: "the disk is full"})
	if got := scrape(t, s.call(request{path: "/metrics"}).body); got["kiosk_journal_ok"] != 0 {
		t.Errorf("with a full disk kiosk_journal_ok is %v", got["kiosk_journal_ok"])
	}
}

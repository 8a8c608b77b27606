package api

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"yuanban/kiosk/station"
)

func (a *API) getStatus(w http.ResponseWriter, r *http.Request) error {
	s := a.opt.Status(r.Context())
	if s.Devices == nil {
		s.Devices = []station.Health{} // none is [] for a program that reads this, not null
	}
	return reply(w, http.StatusOK, s)
}

// getHealth answers 200 while the machine can record facts, 503 with the reason when it cannot. A missing device is no reason.
func (a *API) getHealth(w http.ResponseWriter, r *http.Request) error {
	s := a.opt.Status(r.Context())
	if s.Journal != "ok" {
		return &problem{http.StatusServiceUnavailable, "journal", fmt.Errorf("the journal does not answer: %s", s.Journal)}
	}
	return reply(w, http.StatusOK, map[string]string{"status": "ok"})
}

// getMetrics writes the Prometheus text format, version 0.0.4.
func (a *API) getMetrics(w http.ResponseWriter, r *http.Request) error {
	s := a.opt.Status(r.Context())
	var b strings.Builder
	gauge := func(name, help string, value float64, labels string) {
		if help != "" {
			fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name)
		}
		fmt.Fprintf(&b, "%s%s %g\n", name, labels, value)
	}
	gauge("kiosk_up_seconds", "Seconds since the program started.", time.Since(s.Started).Seconds(), "")
	gauge("kiosk_display_connected", "1 while a display is connected.", one(s.Display), "")
	gauge("kiosk_journal_ok", "1 while facts can be recorded.", one(s.Journal == "ok"), "")
	gauge("kiosk_chain_ok", "1 while the chain of facts holds.", one(!s.ChainBroken()), "")
	gauge("kiosk_clock_ok", "1 while the clock can be believed.", one(s.Clock == "ok"), "")
	gauge("kiosk_fact_sequence", "Sequence of the last fact.", float64(s.Sequence), "")
	gauge("kiosk_platform_online", "1 while the platform acknowledges.", one(s.Platform.Online), "")
	gauge("kiosk_outbox_facts", "Facts that the platform has not acknowledged.", float64(s.Platform.Backlog), "")
	age := 0.0
	if !s.Platform.Oldest.IsZero() {
		age = time.Since(s.Platform.Oldest).Seconds()
	}
	gauge("kiosk_outbox_age_seconds", "Age of the oldest such fact.", age, "")
	help := "1 while the device is online."
	for _, d := range s.Devices {
		gauge("kiosk_device_online", help, one(d.State == station.Online), fmt.Sprintf("{device=%q}", d.Device))
		help = ""
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = io.WriteString(w, b.String()) // a caller that has gone away needs no answer
	return nil
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

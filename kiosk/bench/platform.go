package bench

import (
	"net/http"

	"yuanban/kiosk/upstream"
)

// recentRecords is how many records the page begins with; the route for records has them all.
const recentRecords = 100

// platformView is the platform as the page shows it.
type platformView struct {
	Fault      string            `json:"fault"`
	Count      int               `json:"count"`
	Duplicates int               `json:"duplicates"`
	Problems   []string          `json:"problems"` // what was refused, and why
	Records    []upstream.Record `json:"records"`  // the last ones, oldest first
}

func (b *Bench) platformView(most int) platformView {
	all := b.platform.Records()
	v := platformView{Fault: string(b.platform.Fault()), Count: len(all), Duplicates: b.platform.Duplicates(), Problems: b.platform.Problems()}
	if most > 0 && len(all) > most {
		all = all[len(all)-most:]
	}
	v.Records = append([]upstream.Record{}, all...) // [] rather than null
	v.Problems = append([]string{}, v.Problems...)
	return v
}

// getRecords tells everything that the platform took, each fact once, in the order in which it came.
func (b *Bench) getRecords(w http.ResponseWriter, _ *http.Request) error {
	return reply(w, http.StatusOK, b.platformView(0))
}

func platformFaults() []string {
	return []string{string(upstream.FaultNone), string(upstream.FaultDown), string(upstream.FaultHTTP500), string(upstream.FaultSlow),
		string(upstream.FaultAcceptThenDrop)}
}

func (b *Bench) getPlatformFault(w http.ResponseWriter, _ *http.Request) error {
	f := string(b.platform.Fault())
	return reply(w, http.StatusOK, faultBody{&f})
}

func (b *Bench) putPlatformFault(w http.ResponseWriter, r *http.Request) error {
	f, err := fault(w, r, platformFaults())
	if err != nil {
		return err
	}
	if err := b.platform.SetFault(upstream.SimFault(f)); err != nil {
		return err
	}
	b.hub.changed(partPlatform)
	return b.getPlatformFault(w, r)
}

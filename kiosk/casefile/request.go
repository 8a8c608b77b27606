package casefile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"yuanban/kiosk/journal"
)

// maxRequestText bounds what a visitor may write, in characters.
const maxRequestText = 2000

// RequestKind is what a visitor asks of people.
type RequestKind string

// The kinds of requests.
const (
	Assistance RequestKind = "assistance" // 帮办代办
	Demand     RequestKind = "demand"     // 诉求, 办不成事反映
)

// Request asks a person of the park to do something. Phone and Text are personal.
type Request struct {
	Kind  RequestKind
	Item  string // code of the item it is about, or ""
	Phone string
	Text  string
}

// RecordRequest keeps a request and returns its number, in the form of a provisional case number with B (assistance) or S (demand)
// in front.
func (f *Files) RecordRequest(ctx context.Context, r Request) (string, error) {
	var prefix byte
	switch r.Kind {
	case Assistance:
		prefix = prefixAssistance
	case Demand:
		prefix = prefixDemand
	default:
		return "", fmt.Errorf("cannot record request: kind %q is not one of assistance, demand", r.Kind)
	}
	switch {
	case f.opts.Sealer == nil:
		return "", errors.New("cannot record request: the platform's public key is not configured, so personal data cannot be kept safely")
	case utf8.RuneCountInString(r.Text) > maxRequestText:
		return "", fmt.Errorf("cannot record request: the text has more than %d characters", maxRequestText)
	}
	var number string
	err := f.j.Write(ctx, func(tx *journal.Tx) (err error) {
		now := f.opts.Now().In(f.opts.Location).Truncate(time.Millisecond)
		if number, err = f.nextNumber(tx, prefix, now); err != nil {
			return err
		}
		plain, err := json.Marshal(map[string]string{"request": number, "phone": r.Phone, "text": r.Text})
		if err != nil {
			return err
		}
		defer clear(plain)
		sealed, err := f.opts.Sealer.Seal(plain)
		if err != nil {
			return err
		}
		if _, err := tx.Fact("request.recorded", number, map[string]string{"request": number, "kind": string(r.Kind), "item": r.Item,
			"recorded_at": stamp(now)}, sealed); err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO request (number, kind, item, at) VALUES (?, ?, ?, ?)`, number, string(r.Kind), r.Item, now.UnixMilli())
		return err
	})
	if err != nil {
		return "", fmt.Errorf("cannot record request: %w", err)
	}
	return number, nil
}

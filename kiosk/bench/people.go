package bench

import (
	"slices"
	"time"

	"yuanban/devices/idcard"
)

// trayCard is a card of the tray as the page draws it and lays it.
type trayCard struct {
	Note    string      `json:"note"` // what the card is good for
	English string      `json:"english"`
	Card    idcard.Card `json:"card"`
}

// tray is the cards that lie ready: all kinds, and what screens must bear with: a long name, an expired card. Nobody of these people
// exists. Their validity is made anew for the day, so that only the card that shall have expired has.
func tray(now time.Time) []trayCard {
	notes := []trayCard{
		{Note: "居民，长期有效", English: "valid for life", Card: usual(idcard.Resident)},
		{Note: "居民，名字很长", English: "a long name", Card: known(func(c idcard.Card) bool { return len([]rune(c.Name)) > 8 })},
		{Note: "居民，证件已过期", English: "expired", Card: known(func(c idcard.Card) bool { return c.Kind == idcard.Resident && c.Expired(now) })},
		{Note: "港澳台居民", English: "HMT resident", Card: usual(idcard.HMT)},
		{Note: "外国人，2017 版", English: "card of 2017", Card: usual(idcard.Foreign2017)},
		{Note: "外国人，2023 版", English: "card of 2023", Card: usual(idcard.Foreign2023)},
	}
	for i := range notes {
		if c := &notes[i].Card; i != 2 && c.Expired(now) {
			c.ValidFrom, c.ValidTo = "", ""
			fillDays(c, now)
		}
	}
	return notes
}

// usual is the card of a kind when nothing but the kind is asked for.
func usual(kind idcard.Kind) idcard.Card {
	return known(func(c idcard.Card) bool { return c.Kind == kind })
}

// known is the first of the example people of whom is says yes.
func known(is func(idcard.Card) bool) idcard.Card {
	all := idcard.Examples()
	if i := slices.IndexFunc(all, is); i >= 0 {
		return all[i]
	}
	return all[0]
}

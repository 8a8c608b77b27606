package printer

// ruler measures the paper that commands move, as the printer's own modes make it.
type ruler struct {
	profile  *Profile
	lineDots int
	high     int // of characters now, in times
	lineHigh int // highest character of the line under way
}

func newRuler(p *Profile) ruler { return ruler{profile: p, lineDots: 30, high: 1} }

// measure takes a command and gives the dots of paper it moves, at most, and whether it ends a line of print.
func (r *ruler) measure(c Command) (dots int, line bool) {
	switch {
	case c[0] == lf:
		dots = max(r.lineDots, 24*max(r.lineHigh, 1))
		r.lineHigh = 0
		return dots, true
	case c[0] == esc && len(c) == 2 && c[1] == '@':
		*r = newRuler(r.profile)
	case c[0] == esc && len(c) == 2 && c[1] == '2':
		r.lineDots = 30
	case c[0] == esc && len(c) == 3:
		return r.measureESC(c)
	case c[0] == gs && c[1] == '!' && len(c) == 3:
		r.high = 1 + int(c[2]&7)
	case c[0] == gs && c[1] == 'V' && len(c) == 4:
		return 12*r.profile.DPI/25 + int(c[3]), false // a cutter is at most 12 mm behind the head
	case c[0] == gs && c[1] == 'v' && len(c) >= 8:
		return int(c[6]) + int(c[7])<<8, true
	case isQRPrint(c):
		return r.profile.Dots, true // it cannot be higher than the paper is wide
	case c[0] == esc || c[0] == fs || c[0] == gs || c[0] == dle:
	case len(c) > 4: // a vendor's own command, such as a QR code
		return r.profile.Dots, true
	default:
		r.lineHigh = max(r.lineHigh, r.high)
	}
	return 0, false
}

func (r *ruler) measureESC(c Command) (dots int, line bool) {
	switch c[1] {
	case '3':
		r.lineDots = int(c[2])
	case '!':
		r.high = 1 + int(c[2]>>4&1)
	case 'd':
		return int(c[2]) * r.lineDots, c[2] > 0
	case 'J':
		return int(c[2]), false
	}
	return 0, false
}

// inks says whether a command puts something on the paper that can be read, when the line it stands in is printed.
func inks(c Command) bool {
	switch c[0] {
	case lf, esc, fs, nul, dle:
		return false
	case gs:
		return isQRPrint(c) || c[1] == 'v' || c[1] == 'k'
	}
	return true // a character, or a vendor's own command
}

package visit

import "encoding/json"

const (
	maxInk    = 48 << 10 // bytes of one signature on the wire
	minPoints = 6        // a signature has at least these; a slip of the finger has fewer
)

// ink is a signature: strokes of points x, y (thousandths of the field's width) and milliseconds since the first point.
type ink [][][3]float64

func parseInk(strokes string) (ink, bool) {
	if len(strokes) > maxInk {
		return nil, false
	}
	var k ink
	if err := json.Unmarshal([]byte(strokes), &k); err != nil {
		return nil, false
	}
	return k, true
}

func validInk(strokes string) bool {
	_, ok := parseInk(strokes)
	return ok
}

// inked says whether somebody really wrote.
func inked(strokes string) bool {
	k, ok := parseInk(strokes)
	if !ok {
		return false
	}
	n := 0
	for _, s := range k {
		n += len(s)
	}
	return n >= minPoints
}

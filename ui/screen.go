package ui

import (
	"fmt"
	"math"
)

// Screen is the real display, as the configuration knows it. CSS millimetres lie on appliances, so real ones are
// computed from here.
type Screen struct {
	Width, Height int     // CSS pixels of the page
	Diagonal      float64 // inches of the visible area
}

// PerMM returns CSS pixels per real millimetre.
func (s Screen) PerMM() float64 {
	return math.Hypot(float64(s.Width), float64(s.Height)) / (s.Diagonal * 25.4)
}

// check refuses what no display of this kind can be.
func (s Screen) check() error {
	if s.Width < 800 || s.Height < 600 || s.Width > 7680 || s.Height > 7680 || s.Diagonal < 7 || s.Diagonal > 100 {
		return fmt.Errorf("cannot prepare screens for a display of %dx%d pixels and %g inches: give its real size", s.Width, s.Height, s.Diagonal)
	}
	return nil
}

// stylesheet gives the page its real millimetre.
func (s Screen) stylesheet() []byte {
	return fmt.Appendf(nil, ":root { --mm: %.4fpx; }\n", s.PerMM())
}

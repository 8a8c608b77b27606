// Package buttons reads the five rating buttons of a pad or kiosk and drives their lamps.
//
// A button is one input line of a GPIO chip, a lamp one output line. Contacts bounce, cables pick up noise, buttons get
// stuck, and a USB expander can be pulled out; none of that may ever become a rating. So a press is told only when
//
//   - the level itself (not an edge) was pressed, without a change, for the whole debounce time (20 ms),
//   - no other button was touched meanwhile: two at once are nobody's rating,
//   - every button had been released, for as long, before,
//   - and the line has not used up its error budget: a chattering or stuck line is set aside and reported, the others go on.
//
// A chip that goes away is an error and Health "offline". It is never a press.
//
// Proven on: the simulator of this package. Not yet on kernel GPIO: the part that talks to it (periph.go) is written from
// the measured behaviour of periph.io/x/host/v3 v3.8.5 and has run only on machines without a GPIO chip.
package buttons

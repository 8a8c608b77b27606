// Package buttons reads the contacts of a pad or kiosk that hang on GPIO lines (the five rating buttons, a help button, a
// key switch, door and presence sensors) and drives its lamps and the relay in the supply of another device.
//
// A contact is one input line of a GPIO chip, a lamp or relay one output line. Contacts bounce, cables pick up noise, buttons
// get stuck, and a USB expander can be pulled out; none of that may ever become a rating. So a press of a rating button is told
// only when
//
//   - the level itself (not an edge) was pressed, without a change, for the whole debounce time (20 ms),
//   - no other rating button was touched meanwhile: two at once are nobody's rating,
//   - every rating button had been released, for as long, before,
//   - and the line has not used up its error budget: a chattering or stuck line is set aside and reported, the others go on.
//
// A press of another contact (help button, key switch) is told by the same rules but the second: what the others do is nothing
// to it. A sensor has no presses: its level is told once it has stood for its hold time. A chip that goes away is an error and
// Health "offline". It is never a press, and never a reading.
//
// Without a change means that no look at the level and no edge told by the kernel showed one. Only while another line of the
// same request chatters by the thousand edges a second do the looks alone decide, which are at most 6 ms apart then.
//
// On a chip that tells of no edges (see GPIOConfig.Poll), the looks alone decide as well, every 5 ms.
//
// Proven on: the simulator of this package, in virtual and in real time, and the kernel's own simulated chip (gpio-sim, in a
// virtual machine with Debian's kernels 6.1 and 6.12): the whole contract, unplugging included, and lines without names. Not yet
// on real contacts. The part that talks to the kernel (periph.go) is walled off by the list in periph.md.
package buttons

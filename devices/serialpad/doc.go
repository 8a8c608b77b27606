// Package serialpad drives rating pads (评价器) on a serial line, one alone on an RS-232 cable or several on an RS-485 bus, and plays
// them for tests and demonstrations.
//
// Makers of such pads publish no protocol, so what must be known of a model is a data file, a [Profile]: the speed of the line, and each
// message as a line of hexadecimal with names in braces where the address, the key, a running number or a checksum stand. The driver
// and the simulator interpret the same file, and [Learn] proposes one by watching the line while a technician presses each button.
// PROTOCOL.md beside this file describes how to write one, and the reference protocol, which is ours.
//
// What comes from a pad becomes a press only when
//
//   - it is a whole message of the profile, with its checksum; where a profile has none, alone on a line that was silent before and
//     after,
//   - it bears the address of this pad,
//   - it is not a repetition of the press before,
//   - and the pad was there, answering where the profile can ask it, before the button was pressed.
//
// So a cable that is pulled, noise, half messages, the traffic of the pad beside and bytes left over from earlier are never a rating.
package serialpad

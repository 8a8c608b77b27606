// Package printer drives receipt printers that speak ESC/POS over a serial line, in Chinese, and plays one for tests and demonstrations.
//
// A [Document] says what is on the paper; package receiptline makes one of a template. [Encode] lays it out for the width and the
// character set of a [Profile] and turns it into atomic commands. A [Printer] sends these under flow control and calls a job printed only
// when the printer itself has said so for that very job. What cannot be known is reported as [Indeterminate] and is never sent again by
// this package.
//
// The driver keeps the printer on a short lead: between the lines it puts questions that are answered in order, and sends no more than a
// few lines beyond what was answered for. So the printer's buffer cannot run over whatever becomes of its flow control, a fault finds
// little in it, and a job that was given up before its last line was sent is known to have failed. A receipt in a presenter is followed
// until it was taken, or taken back.
//
// [Sim] is the other end of the line: an interpreter of the same commands with a receive buffer, paper, cover and cutter, which can
// show the paper as lines of text or as a picture.
package printer

// Package printer drives receipt printers that speak ESC/POS over a serial line, in Chinese, and plays one for tests and demonstrations.
//
// A [Document] says what is on the paper; package receiptline makes one of a template. [Encode] lays it out for the width and the
// character set of a [Profile] and turns it into atomic commands. A [Printer] sends these under flow control and calls a job printed only
// when the printer itself has said so for that very job. What cannot be known is reported as [Indeterminate] and is never sent again by
// this package.
//
// [Sim] is the other end of the line: an interpreter of the same commands with a receive buffer, paper, cover and cutter, which can
// show the paper as lines of text or as a picture.
package printer

// Package idcard drives the resident-ID reader that is built around the ministry's
// safety module (SAM) and speaks the line protocol of GA/T 467-2019 over a serial port,
// usually at 115200 baud, 8N1: it finds a card, reads its text and tells when it has
// been taken away. Sim plays the reader at the far end of the line.
//
// An answer carries neither the command it belongs to nor a number. The driver
// therefore keeps one command in flight, recognises answers by their shape, and after
// an answer that did not come listens until the line is silent and asks for the
// module's status before it sends anything else: a late answer is never taken for the
// next command's.
package idcard

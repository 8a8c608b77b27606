// Package idcard drives the resident-ID reader of a self-service machine over a serial
// port: it finds the reader's speed, reads a card's text and tells when the card has been
// taken away. Sim plays the reader at the far end of the line, faults by seed included.
//
// Most readers are built around the ministry's safety module (SAM) and speak its line
// protocol, GA/T 467-2019 (SDT here), usually at 115200 baud, 8N1. Multi-card modules
// sold to banks wrap the same cards in frames of their own (STX). How bytes become frames
// is a framer; what can be asked in one framing is a dialect; everything else is shared.
//
// In neither framing does an answer carry the command it belongs to or a number. The
// driver therefore keeps one command in flight, recognises answers by their shape, and
// after an answer that did not come puts the line in order before it asks for anything
// else, so that a late answer is never taken for the next command's: with SDT by asking
// for the status until that is answered, with STX by waiting.
//
// Nothing of a card stays in the driver after a call, and no error tells anything of it.
// The photo never leaves the buffer in which its frame arrives.
package idcard

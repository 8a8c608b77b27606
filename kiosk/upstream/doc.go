// Package upstream delivers the facts of the journal to the platform, in order, each counted once, for as long as it takes.
//
// PROTOCOL.md describes the messages. The platform's side is played by Simulator, in demonstrations and tests.
package upstream

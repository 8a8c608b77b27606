// Package maintenance is the screen for the technician who stands before the machine: what is wrong, and the few things to be done about it.
//
// It is a flow of its own beside that of the visitors, owned by one goroutine. While it has the screen, touches and presses go to it; the
// visitors' flow is ended and wiped first, and comes back afterwards. It is entered by the key switch, or where none is wired by a long
// touch and a PIN, and it is left by the key, a button, or silence, so that a machine is never forgotten in maintenance.
package maintenance

// Package devicetest says what each kind of device promises, as one contract suite a kind that every way to such a device
// must pass: the simulator over a net.Pipe in the virtual time of a testing/synctest bubble, the simulator over a
// pseudo-terminal, the simulator behind a real kernel driver in a virtual machine, and the hardware itself.
//
// A suite is a list of cases and not a test, because a bubble cannot hold subtests: whoever runs it makes one rig a case.
// What a driver cannot do to its own device, such as laying a card on it or tearing its receipt off, is asked of Hands:
// the simulator's methods, the far end of a virtual cable, or a technician who reads what to do and presses Enter.
//
// The runs on hardware are behind the build tag live, so that no ordinary run has to skip them:
//
//	go test -tags live ./devices/idcard -run Live -live.port /dev/kiosk/reader -live.baud 115200
package devicetest

import "testing"

// Case is one promise of a kind of device, shown on a rig that is used for nothing else. R says how a case reaches the
// device.
type Case[R any] struct {
	Name string
	Run  func(t *testing.T, rig R)
}

// Run runs every case as a subtest on a rig of its own. Callers that need a bubble loop over the cases themselves.
func Run[R any](t *testing.T, cases []Case[R], rig func(t *testing.T) R) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) { c.Run(t, rig(t)) })
	}
}

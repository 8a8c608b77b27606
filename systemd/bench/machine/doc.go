// Package machine runs one virtual machine in qemu: Debian's kernel on emulated hardware (TCG; KVM is never used, because
// where it is emulated itself it starts and then hangs), with a disk, a watchdog, serial lines and USB serial adapters whose
// far ends are Go values of this process, and the agent of package agent for everything else. The machine has no network.
//
// A serial line has no speed here, no parity and no modem lines: whatever is set, bytes cross at once. What a wrong baud
// rate does cannot be shown.
package machine

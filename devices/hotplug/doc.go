// Package hotplug keeps a device open for ever: it opens it again when it was unplugged and plugged in, when it froze, and when
// the machine's boot was faster than its USB hub.
//
// Two things tell that a device may be back: the kernel, which announces each device as it appears (Watch), and the clock, which
// needs no permission and sees what the kernel does not announce, such as a pseudo-terminal. A Supervisor heeds both. It tells a
// device that is lost, which somebody must plug in, from one that is frozen, which is there and mute and may be cured by
// switching its power off and on.
package hotplug

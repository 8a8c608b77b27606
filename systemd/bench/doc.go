// Package bench tests the appliance as a whole: in a virtual machine with Debian 12, systemd, a GPIO chip, serial lines, USB
// adapters that are pulled out, a watchdog, and power that is cut. Its tests are behind the build tag vm, and make vm-test
// runs them; each file of tests says at its head what it asserts. Package guest builds the machine, package machine runs
// it, package agent reaches into it, package panel is its GPIO panel, and package probe are tests that run inside of it.
package bench

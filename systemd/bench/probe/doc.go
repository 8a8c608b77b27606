// Package probe are tests that run inside the virtual machine of package bench, in front of real kernel drivers, beside the
// contract suites of each kind of device (package devicetest): they assert how soon things happen, which is promised of the
// machine and not of every board. Like those they are behind the build tag live, are told on the command line where the
// device is, and ask Hands for what a driver cannot do.
package probe

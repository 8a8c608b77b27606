// Package systemd holds the tests of the units, the rules, the policies and the package; there is no program here.
package systemd

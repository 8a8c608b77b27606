package main

import (
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// hideTyping makes a terminal not show what is typed, until show is called, which may be more than once. Only the ends of lines are shown,
// and Ctrl-Z is a character like others: stopped, the program would leave the shell a terminal that shows nothing (termios(3)). terminal is
// false, and nothing is changed, where f is something else, such as a pipe.
func hideTyping(f *os.File) (show func(), terminal bool, err error) {
	fd := int(f.Fd())
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return func() {}, false, nil
	}
	hidden := *before
	hidden.Lflag = hidden.Lflag&^unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG
	hidden.Cc[unix.VSUSP] = 0
	if err := unix.IoctlSetTermios(fd, unix.TCSETSW, &hidden); err != nil {
		return func() {}, true, fmt.Errorf("the terminal cannot be kept from showing what is typed: %w", err)
	}
	return sync.OnceFunc(func() { _ = unix.IoctlSetTermios(fd, unix.TCSETSW, before) }), true, nil
}

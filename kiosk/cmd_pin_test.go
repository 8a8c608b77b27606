package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"yuanban/devices/serialport"
	"yuanban/kiosk/maintenance"
)

// TestPINAtATerminal: at a terminal the digits are not shown, the line is made all the same, and the terminal shows again what is typed
// afterwards, however the program ends.
func TestPINAtATerminal(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		typed  string // after the first question
		again  string // after the second
		signal os.Signal
		want   int
	}{
		"typed twice":             {"482913\n", "482913\n", nil, exitOK},
		"not the same":            {"482913\n", "482914\n", nil, exitFailed},
		"too short":               {"4829\n", "", nil, exitFailed},
		"Ctrl-C":                  {"4829\x03", "", nil, exitFailed},
		"Ctrl-C in the second":    {"482913\n", "48\x03", nil, exitFailed},
		"Ctrl-\\":                 {"4829\x1c", "", nil, exitFailed},
		"Ctrl-Z stops nothing":    {"482913\x1a\n", "", nil, exitFailed},
		"Ctrl-D":                  {"\x04", "", nil, exitFailed},
		"asked to end":            {"4829", "", syscall.SIGTERM, exitFailed},
		"the window was closed":   {"4829", "", syscall.SIGHUP, exitFailed},
		"a digit was taken back":  {"4829\x7f913\n", "482913\n", nil, exitOK},
		"without an end of line?": {"482913\x04\x04", "482913\n", nil, exitOK},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pty, err := serialport.OpenPty()
			must(t, err)
			defer pty.Close()
			tty, err := os.OpenFile(pty.Path(), os.O_RDWR|syscall.O_NOCTTY, 0)
			must(t, err)
			defer tty.Close()
			before := asLoginHasIt(t, tty)
			cmd := exec.Command(kioskBinary(t), "pin")
			var line bytes.Buffer
			cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, &line, tty
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
			must(t, cmd.Start())
			seen := &lockedBuffer{}
			go func() {
				for b := make([]byte, 256); ; {
					n, err := pty.Master.Read(b)
					if err != nil {
						return
					}
					seen.Write(b[:n])
				}
			}()
			say := func(question, answer string) {
				eventually(t, "it asks for "+question, func() bool { return strings.Contains(seen.String(), question) })
				if settings(t, tty).Lflag&unix.ECHO != 0 {
					t.Error("what is typed is shown")
				}
				_, err := pty.Master.Write([]byte(answer))
				must(t, err)
			}
			say("PIN (6 to 12 digits): ", tc.typed)
			if tc.again != "" {
				say("the same again", tc.again)
			}
			if tc.signal != nil {
				must(t, cmd.Process.Signal(tc.signal))
			}
			err = cmd.Wait()
			exit := &exec.ExitError{}
			if err != nil && !errors.As(err, &exit) || cmd.ProcessState.ExitCode() != tc.want {
				t.Errorf("it ended with %v:\n%s", err, seen)
			}
			if after := settings(t, tty); after != before {
				t.Errorf("it left the terminal as %+v, it was %+v", after, before)
			}
			if text := seen.String(); strings.Contains(text, "482") {
				t.Errorf("the terminal shows the digits:\n%s", text)
			}
			pin, err := maintenance.ParsePIN(line.String())
			if good := err == nil && pin.Matches("482913"); good != (tc.want == exitOK) {
				t.Errorf("it made %q: %v", line.String(), err)
			}
		})
	}
}

// asLoginHasIt gives a terminal the settings of a shell's, as far as they matter here.
func asLoginHasIt(t *testing.T, tty *os.File) unix.Termios {
	t.Helper()
	s := settings(t, tty)
	s.Iflag |= unix.ICRNL
	s.Oflag |= unix.OPOST | unix.ONLCR
	s.Lflag |= unix.ECHO | unix.ECHOE | unix.ICANON | unix.ISIG
	s.Cc[unix.VINTR], s.Cc[unix.VQUIT], s.Cc[unix.VSUSP], s.Cc[unix.VEOF], s.Cc[unix.VERASE] = 3, 0x1c, 0x1a, 4, 0x7f
	must(t, unix.IoctlSetTermios(int(tty.Fd()), unix.TCSETS, &s))
	return settings(t, tty)
}

func settings(t *testing.T, tty *os.File) unix.Termios {
	t.Helper()
	s, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	must(t, err)
	return *s
}

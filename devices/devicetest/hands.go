package devicetest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Hands do with a device what its driver cannot. The actions are words that a technician understands too, such as
// "lay card" or "press 3"; each suite lists those it uses. An action is done when Do has returned.
type Hands interface {
	Do(action string) error
}

// HandsFunc is a function as Hands.
type HandsFunc func(action string) error

// Do calls f.
func (f HandsFunc) Do(action string) error { return f(action) }

// Prompt are the hands of the person at a terminal: each action is written to out, and done once a line comes from in.
// A line that begins with "no" says that it could not be done.
func Prompt(in io.Reader, out io.Writer) Hands {
	lines := bufio.NewReader(in)
	return HandsFunc(func(action string) error {
		if _, err := fmt.Fprintf(out, "please: %s, then press Enter (or type no) ", action); err != nil {
			return err
		}
		line, err := lines.ReadString('\n')
		if err != nil {
			return fmt.Errorf("cannot hear whether %q was done: %w", action, err)
		}
		if strings.HasPrefix(strings.ToLower(strings.TrimSpace(line)), "no") {
			return fmt.Errorf("cannot %s: the person at the terminal says no", action)
		}
		return nil
	})
}

// Remote are the hands at the far end of a line, such as the host of a virtual machine: an action is one line of text,
// its answer "ok" or "no" and the reason. ServeHands is the other end.
func Remote(line io.ReadWriter) Hands {
	answers := bufio.NewReader(line)
	return HandsFunc(func(action string) error {
		if strings.ContainsAny(action, "\r\n") {
			return fmt.Errorf("cannot ask for %q: an action is one line", action)
		}
		if _, err := io.WriteString(line, action+"\n"); err != nil {
			return fmt.Errorf("cannot ask for %q: %w", action, err)
		}
		answer, err := answers.ReadString('\n')
		if err != nil {
			return fmt.Errorf("cannot hear whether %q was done: %w", action, err)
		}
		answer = strings.TrimSpace(answer)
		if answer == "ok" {
			return nil
		}
		return fmt.Errorf("cannot %s: %s", action, strings.TrimSpace(strings.TrimPrefix(answer, "no")))
	})
}

// ServeHands lends hands to whoever asks over line, until it ends.
func ServeHands(line io.ReadWriter, hands Hands) error {
	actions := bufio.NewScanner(line)
	for actions.Scan() {
		answer := "ok"
		if err := hands.Do(actions.Text()); err != nil {
			answer = "no " + strings.ReplaceAll(err.Error(), "\n", "; ")
		}
		if _, err := io.WriteString(line, answer+"\n"); err != nil {
			return fmt.Errorf("cannot answer: %w", err)
		}
	}
	if err := actions.Err(); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("cannot hear what to do: %w", err)
	}
	return nil
}

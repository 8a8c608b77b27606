package devicetest

import (
	"errors"
	"net"
	"strings"
	"testing"
)

// TestRemoteHands: an action crosses the line as it is, and the reason of a refusal comes back.
func TestRemoteHands(t *testing.T) {
	here, there := net.Pipe()
	var done []string
	served := make(chan error, 1)
	go func() {
		served <- ServeHands(there, HandsFunc(func(action string) error {
			done = append(done, action)
			if action == "press 9" {
				return errors.New("there is no button 9")
			}
			return nil
		}))
	}()
	hands := Remote(here)
	if err := hands.Do("lay card"); err != nil {
		t.Error(err)
	}
	if err := hands.Do("press 9"); err == nil || !strings.Contains(err.Error(), "there is no button 9") {
		t.Errorf("a refused action: %v", err)
	}
	if err := hands.Do("two\nlines"); err == nil {
		t.Error("an action of two lines was taken")
	}
	here.Close()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if strings.Join(done, ",") != "lay card,press 9" {
		t.Errorf("done: %q", done)
	}
	if err := hands.Do("lay card"); err == nil {
		t.Error("an action was done over a line that is closed")
	}
}

// TestPrompt: the person is told what to do, and may say no.
func TestPrompt(t *testing.T) {
	var out strings.Builder
	hands := Prompt(strings.NewReader("\nno, it fell\n"), &out)
	if err := hands.Do("lay card"); err != nil || !strings.Contains(out.String(), "lay card") {
		t.Errorf("%v, %q", err, out.String())
	}
	if err := hands.Do("remove card"); err == nil {
		t.Error("no was taken for yes")
	}
	if err := hands.Do("lay card"); err == nil {
		t.Error("the end of the input was taken for yes")
	}
}

package main

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestManual: the manual that the package installs has every command, every flag and every exit code of the program, and no other.
func TestManual(t *testing.T) {
	data, err := os.ReadFile("../systemd/kiosk.1")
	if err != nil {
		t.Fatal(err)
	}
	manual := string(data)
	flags := map[string]bool{}
	for _, c := range commands() {
		if !strings.Contains(manual, "\n.Cm "+c.name) || !strings.Contains(manual, "\n.It Cm "+c.name) {
			t.Errorf("the manual does not explain kiosk %s", c.name)
		}
		var help strings.Builder
		if code := c.run(context.Background(), []string{"-h"}, &help, &help); code != exitOK {
			t.Errorf("kiosk %s -h ends with %d", c.name, code)
		}
		for _, m := range regexp.MustCompile(`(?m)^  -([a-z-]+)`).FindAllStringSubmatch(help.String(), -1) {
			flags[m[1]] = true
			if !strings.Contains(manual, "Fl "+m[1]) {
				t.Errorf("the manual does not explain kiosk %s -%s", c.name, m[1])
			}
		}
	}
	for _, m := range regexp.MustCompile(`\bFl ([a-z]+)`).FindAllStringSubmatch(manual, -1) {
		if !flags[m[1]] {
			t.Errorf("the manual has -%s, which no command knows", m[1])
		}
	}
	for _, code := range []string{"0", "1", "2", "3"} {
		if !strings.Contains(manual, "\n.It "+code+"\n") {
			t.Errorf("the manual does not explain exit code %s", code)
		}
	}
}

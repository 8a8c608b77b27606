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
	for name, help := range subcommands(t) {
		own := paragraph(manual, "\n.It Cm provision "+name)
		if own == "" {
			t.Errorf("the manual does not explain kiosk provision %s", name)
		}
		for _, m := range regexp.MustCompile(`(?m)^  -([a-z-]+)`).FindAllStringSubmatch(help, -1) {
			flags[m[1]] = true
			shared := paragraph(manual, "\n.It Fl "+m[1]) != "" || m[1] == "site" && strings.HasPrefix(name, "site ")
			if !shared && !strings.Contains(own, "Fl "+m[1]) {
				t.Errorf("the manual does not explain kiosk provision %s -%s", name, m[1])
			}
			if usage, _, _ := strings.Cut(help, "\n"); paragraph(manual, "\n.It Fl "+m[1]) == "" && m[1] != "site" && !strings.Contains(usage, "-"+m[1]) {
				t.Errorf("the usage of kiosk provision %s does not have -%s", name, m[1])
			}
		}
	}
	for _, m := range regexp.MustCompile(`\bFl ([a-z][a-z-]*)`).FindAllStringSubmatch(manual, -1) {
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

// subcommands are those of kiosk provision, as its help names them, each with its own help.
func subcommands(t *testing.T) map[string]string {
	t.Helper()
	help := func(args ...string) string {
		var out strings.Builder
		if code := runProvision(context.Background(), args, &out, &out); code != exitOK {
			t.Fatalf("kiosk provision %v ends with %d", args, code)
		}
		return out.String()
	}
	all := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^  kiosk provision ((?:site )?[a-z]+)`).FindAllStringSubmatch(help("help"), -1) {
		all[m[1]] = help(append(strings.Fields(m[1]), "-h")...)
	}
	if len(all) < 20 {
		t.Errorf("kiosk provision help has only %d subcommands", len(all))
	}
	return all
}

// paragraph is what the manual says below the first head that begins so, "" where there is none.
func paragraph(manual, head string) string {
	at := strings.Index(manual, head)
	if at < 0 {
		return ""
	}
	text := manual[at+1:]
	if end := regexp.MustCompile(`\n\.(It|El)\b`).FindStringIndex(text); end != nil {
		text = text[:end[0]]
	}
	return text
}

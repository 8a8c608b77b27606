package receiptline

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"yuanban/devices/printer"
)

// TestOracle: what reaches the paper through our printer driver reads, column by column, as what the reference implementation makes of
// the same template: see testdata/oracle/README.md.
func TestOracle(t *testing.T) {
	files, err := filepath.Glob("testdata/oracle/*.receipt")
	if err != nil || len(files) < 6 {
		t.Fatalf("%d templates, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, width := range []string{"32", "48"} {
			for _, jumps := range []bool{false, true} {
				model := map[string]string{"32": "kp628e", "48": "epson80"}[width]
				recorded, err := os.ReadFile(strings.TrimSuffix(file, "receipt") + width + ".txt")
				if err != nil {
					t.Fatal(err)
				}
				got, want := strings.Join(printed(t, string(text), model, jumps), "\n"), strings.Join(trimmed(string(recorded)), "\n")
				if got != want {
					t.Errorf("%s on %s columns, jumps %v:\n%s\nthe reference:\n%s", file, width, jumps, got, want)
				}
			}
		}
	}
}

func trimmed(s string) []string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return lines
}

// printed prints a template and reads the lines off the commands.
func printed(t *testing.T, text, model string, jumps bool) []string {
	t.Helper()
	tpl, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	p, err := printer.ByName(model)
	if err != nil {
		t.Fatal(err)
	}
	own := *p
	own.Position = jumps
	cmds, err := printer.Encode(tpl.Document(Data{}), &own)
	if err != nil {
		t.Fatal(err)
	}
	g := grid{t: t, p: &own, scale: 1}
	for _, c := range cmds {
		g.command(c)
	}
	for len(g.lines) > 0 && g.lines[len(g.lines)-1] == "" {
		g.lines = g.lines[:len(g.lines)-1]
	}
	return g.lines
}

// grid puts what is printed into columns, a wide character as itself and the columns it takes besides its own.
type grid struct {
	t     *testing.T
	p     *printer.Profile
	lines []string
	line  strings.Builder
	at    int // columns used
	align byte
	scale int
}

func (g *grid) command(c printer.Command) {
	switch {
	case c[0] >= 0x20:
		r := decode(g.t, c)
		w := 2
		if r < 0x80 {
			w = 1
		}
		if r == '─' { // ReceiptLine's text has -
			g.line.WriteString("--")
		} else {
			g.line.WriteString(string(r) + strings.Repeat(" ", w*(g.scale-1)))
		}
		g.at += w * g.scale
	case c[0] == '\n':
		left := map[byte]int{1: (g.p.Columns - g.at + 1) / 2, 2: g.p.Columns - g.at}[g.align]
		g.lines = append(g.lines, strings.TrimRight(strings.Repeat(" ", left)+g.line.String(), " "))
		g.line.Reset()
		g.at = 0
	case string(c[:2]) == "\x1bd":
		for range c[2] {
			g.command(printer.Command{'\n'})
		}
	case string(c[:2]) == "\x1ba":
		g.align = c[2]
	case string(c[:2]) == "\x1d!":
		g.scale = int(c[2]>>4) + 1
	case string(c[:2]) == "\x1b$":
		to := (int(c[2]) + int(c[3])<<8) / 12
		g.line.WriteString(strings.Repeat(" ", to-g.at))
		g.at = to
	}
}

func decode(t *testing.T, c printer.Command) rune {
	t.Helper()
	s, err := simplifiedchinese.GB18030.NewDecoder().Bytes(c)
	if err != nil {
		t.Fatal(err)
	}
	return []rune(string(s))[0]
}

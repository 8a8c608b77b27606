package provisioning

import (
	"bufio"
	"context"
	"fmt"
	"io"
)

// terminal is the person at a terminal.
type terminal struct {
	out   io.Writer
	lines chan string
}

// newTerminal reads lines until in ends. Nothing can end a read of a terminal, so its goroutine lives as long as the command.
func newTerminal(in io.Reader, out io.Writer) *terminal {
	t := &terminal{out, make(chan string)}
	go func() {
		defer close(t.lines)
		for s := bufio.NewScanner(in); s.Scan(); {
			t.lines <- s.Text()
		}
	}()
	return t
}

// Ask implements acceptance.Person.
func (t *terminal) Ask(ctx context.Context, question string) (string, error) {
	fmt.Fprint(t.out, question)
	select {
	case line, ok := <-t.lines:
		if !ok {
			return "", io.ErrUnexpectedEOF
		}
		return line, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// Say implements acceptance.Person.
func (t *terminal) Say(format string, args ...any) { fmt.Fprintf(t.out, format+"\n", args...) }

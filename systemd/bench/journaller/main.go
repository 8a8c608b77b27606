// Command bench-journal runs in the guest while its power is cut.
//
//	bench-journal write FILE    commits facts to the machine's journal for ever and tells of each after its commit
//	bench-journal careless FILE appends lines to a file, tells of each, and never asks the disk to keep them: what a power cut
//	                            must lose, if it is one
//	bench-journal check FILE    reads what was told of from standard input; every fact must be there, the chain of facts whole
//	bench-journal count FILE    counts the lines of a careless file
//
// What is told of a fact is a line: its sequence and its hash.
package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"yuanban/kiosk/journal"
)

// machine is the name of the journal's machine.
const machine = "BENCH1"

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench-journal:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if len(args) != 2 {
		return errors.New("usage: bench-journal write|careless|check|count FILE")
	}
	switch path := args[1]; args[0] {
	case "write":
		return write(ctx, path, out)
	case "careless":
		return careless(path, out)
	case "check":
		return check(ctx, path, in, out)
	case "count":
		return count(path, out)
	}
	return fmt.Errorf("cannot %q", args[0])
}

func open(ctx context.Context, path string) (*journal.Journal, error) {
	return journal.Open(ctx, path, journal.Options{Machine: machine})
}

func write(ctx context.Context, path string, out io.Writer) error {
	j, err := open(ctx, path)
	if err != nil {
		return err
	}
	defer j.Close()
	for {
		var f journal.Fact
		// Sizes as different as those of a press and of a signed letter.
		body := map[string]string{"pad": strings.Repeat("办", rand.IntN(2000))}
		err := j.Write(ctx, func(tx *journal.Tx) (err error) {
			f, err = tx.Fact("test.committed", "power", body, make([]byte, rand.IntN(9000)))
			return err
		})
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "%d %s\n", f.Sequence, hex.EncodeToString(f.Hash)); err != nil {
			return err
		}
	}
}

// The careless program must leave the processor to the other and not fill the disk.
const (
	pace = 100 // lines between two rests
	rest = 5 * time.Millisecond
)

func careless(path string, out io.Writer) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	for n := 1; ; n++ {
		if _, err := fmt.Fprintf(f, "line %d\n", n); err != nil {
			return err
		}
		if n%pace == 0 {
			if _, err := fmt.Fprintln(out, n); err != nil {
				return err
			}
			time.Sleep(rest)
		}
	}
}

func check(ctx context.Context, path string, in io.Reader, out io.Writer) error {
	j, err := open(ctx, path)
	if err != nil {
		return err
	}
	defer j.Close()
	if err := j.Verify(ctx); err != nil {
		return err
	}
	told, lost := 0, 0
	err = j.Read(ctx, func(q journal.Queryer) error {
		for lines := bufio.NewScanner(in); lines.Scan(); told++ {
			var sequence int64
			var want string
			if _, err := fmt.Sscan(lines.Text(), &sequence, &want); err != nil {
				return fmt.Errorf("cannot understand %q: %w", lines.Text(), err)
			}
			var hash []byte
			if err := q.QueryRow(`SELECT hash FROM fact WHERE sequence = ?`, sequence).Scan(&hash); err != nil || hex.EncodeToString(hash) != want {
				lost++
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if lost > 0 {
		return fmt.Errorf("%d of %d facts that were told of are not in the journal", lost, told)
	}
	_, err = fmt.Fprintln(out, told)
	return err
}

func count(path string, out io.Writer) error {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	_, err = fmt.Fprintln(out, strings.Count(string(text), "\n"))
	return err
}

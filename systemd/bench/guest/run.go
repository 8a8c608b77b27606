package guest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// run runs a program whose words go to the step's log.
func (s *work) run(ctx context.Context, dir, name string, args ...string) error {
	_, err := s.output(ctx, dir, name, args...)
	return err
}

// output is run with the program's standard output.
func (s *work) output(ctx context.Context, dir, name string, args ...string) (string, error) {
	fmt.Fprintf(s.log, "+ %s %s\n", name, strings.Join(args, " "))
	var out bytes.Buffer
	cmd := command(ctx, dir, name, args...)
	cmd.Stdout = io.MultiWriter(&out, s.log)
	cmd.Stderr = s.log
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%w; its words are in %s", failed(name, args, err, nil), s.log.Name())
	}
	return out.String(), nil
}

// ask runs a program outside of a step and returns what it says.
func ask(ctx context.Context, name string, args ...string) (string, error) {
	var stderr bytes.Buffer
	cmd := command(ctx, "", name, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", failed(name, args, err, stderr.Bytes())
	}
	return string(out), nil
}

func command(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive")
	return cmd
}

func failed(name string, args []string, err error, said []byte) error {
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("the program %s is not installed: make vm-test installs what is missing, or says what to install", name)
	}
	if len(args) > 4 {
		args = append(args[:4:4], "…")
	}
	err = fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	if text := strings.TrimSpace(string(said)); text != "" {
		err = fmt.Errorf("%w: %s", err, text)
	}
	return err
}

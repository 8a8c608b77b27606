// Command bench-agent runs in the guest of the virtual-machine bench.
//
//	bench-agent panel        makes the simulated GPIO panel (once, at boot)
//	bench-agent serve PORT   does what the bench asks for over the virtio serial port
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"yuanban/systemd/bench/agent"
	"yuanban/systemd/bench/panel"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench-agent:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 1 && args[0] == "panel":
		return panel.Setup()
	case len(args) == 2 && args[0] == "serve":
		return serve(args[1])
	}
	return errors.New("usage: bench-agent panel | bench-agent serve PORT")
}

// serve waits for the port, which udev names when its driver has found it.
func serve(path string) error {
	for {
		port, err := os.OpenFile(path, os.O_RDWR, 0)
		if errors.Is(err, fs.ErrNotExist) {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		if err != nil {
			return err
		}
		defer port.Close()
		return agent.Serve(context.Background(), port)
	}
}

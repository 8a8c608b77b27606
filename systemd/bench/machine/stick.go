package machine

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
)

// The one USB stick that a machine may have: its names in qemu, and its port.
const (
	stickDevice = "stick"
	stickBlocks = "stick-blocks"
	stickPort   = maxUSB + 1
)

// PlugStick plugs a USB stick in whose blocks are the file at path. The guest notices a little later.
func (m *Machine) PlugStick(ctx context.Context, path string) error {
	path, err := filepath.Abs(path)
	if err == nil {
		err = m.qmp.do(ctx, "blockdev-add", map[string]any{"node-name": stickBlocks, "driver": "raw",
			"file": map[string]any{"driver": "file", "filename": path}})
	}
	if err == nil {
		err = m.qmp.do(ctx, "device_add", map[string]any{"driver": "usb-storage", "id": stickDevice, "drive": stickBlocks,
			"bus": "usb.0", "port": strconv.Itoa(stickPort), "removable": true})
	}
	if err != nil {
		return fmt.Errorf("cannot plug the stick in: %w", err)
	}
	return nil
}

// PullStick pulls it out. What the guest has written is in the file then.
func (m *Machine) PullStick(ctx context.Context) error {
	before := m.qmp.seen()
	err := m.qmp.do(ctx, "device_del", map[string]any{"id": stickDevice})
	if err == nil {
		_, err = m.qmp.wait(ctx, before, func(e qmpEvent) bool { return e.name == "DEVICE_DELETED" && e.device == stickDevice })
	}
	if err == nil {
		err = m.qmp.do(ctx, "blockdev-del", map[string]any{"node-name": stickBlocks})
	}
	if err != nil {
		return fmt.Errorf("cannot pull the stick: %w", err)
	}
	return nil
}

package machine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"yuanban/systemd/bench/agent"
)

// Config is a machine.
type Config struct {
	Dir    string // for sockets and logs of this run; made if need be. Paths of sockets have 107 bytes: a relative one helps
	Kernel string
	Initrd string
	Disk   Disk
	Append string   // to the kernel's command line
	Serial []string // names of the serial lines, three at most; see SerialPath
	USB    []string // names of the USB serial adapters, three at most, not plugged in at first; see USBPath
	Screen Screen   // none if zero
	Unwell bool     // units may have failed when the machine is ready
	Say    func(format string, args ...any)
}

// Screen is the best mode of a display that is plugged in, in pixels. Nobody looks at it: it is there for the kernel's connector.
type Screen struct{ Width, Height int }

// Limits and sizes of the machine.
const (
	memory   = 512 // MiB
	cpus     = 2
	maxTTY   = 3 // serial lines beside the console: a PC has four
	maxUSB   = 3 // of the four ports of the USB controller; the last is for a stick
	usbSlot  = "0x8"
	startup  = 10 * time.Second // until qemu answers
	bootTime = 5 * time.Minute  // until the guest is ready, on a host that is busy with other things
)

// adapterSerial is the serial number that all USB adapters have: many makers give none of their own, so that names by
// identity collide and only names by place can be trusted.
const adapterSerial = "0001"

// Machine is a virtual machine that runs.
type Machine struct {
	cfg   Config
	qemu  process
	disk  *cachedDisk
	qmp   *qmp
	agent *agent.Client

	mu     sync.Mutex
	cables map[string]*Cable

	BootTime time.Duration // from the start of qemu until the guest was ready
	BootWork time.Duration // of processors for that, which tells a slow boot from a busy host
}

// Start starts a machine and returns when it is ready: systemd says that it is running, without a failed unit unless Unwell. A boot that
// fails is told and tried once more: an emulated machine on a busy host has troubles of its own.
func Start(ctx context.Context, cfg Config) (*Machine, error) {
	m, err := start(ctx, cfg)
	if err == nil || ctx.Err() != nil {
		return m, err
	}
	cfg.Say("the machine did not come up, trying once more: %v", err)
	m, again := start(ctx, cfg)
	if again != nil {
		return nil, errors.Join(err, again)
	}
	return m, nil
}

func start(ctx context.Context, cfg Config) (*Machine, error) {
	m := &Machine{cfg: cfg, cables: map[string]*Cable{}}
	began := time.Now()
	err := m.power(ctx)
	if err == nil {
		err = m.waitReady(ctx)
	}
	if err != nil {
		err = fmt.Errorf("cannot start the virtual machine: %w\nthe end of its console (%s):\n%s", err, m.path("console.log"), tailOf(m.path("console.log")))
		m.PowerCut()
		return nil, err
	}
	m.BootTime, m.BootWork = time.Since(began), m.qemu.work()
	return m, nil
}

func (m *Machine) path(name string) string { return filepath.Join(m.cfg.Dir, name) }

// power starts qemu and connects everything to it.
func (m *Machine) power(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startup)
	defer cancel()
	if err := os.MkdirAll(m.cfg.Dir, 0o755); err != nil {
		return err
	}
	if len(m.cfg.Serial) > maxTTY || len(m.cfg.USB) > maxUSB {
		return fmt.Errorf("a machine has %d serial lines and %d USB ports at most", maxTTY, maxUSB)
	}
	old, err := filepath.Glob(m.path("*.sock"))
	if err != nil {
		return err
	}
	for _, path := range old {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	if m.cfg.Disk.Cached {
		if m.disk, err = serveCached(ctx, m.cfg.Dir, m.cfg.Disk.Path); err != nil {
			return err
		}
	}
	args, err := m.arguments()
	if err != nil {
		return err
	}
	qemu := exec.Command("qemu-system-x86_64", args...)
	qemu.Dir = m.cfg.Dir
	if err := m.qemu.start(qemu, m.path("qemu.log")); err != nil {
		return fmt.Errorf("cannot start qemu: %w", err)
	}
	m.qemu.favour()
	conn, err := m.connect(ctx, "qmp")
	if err != nil {
		return err
	}
	if m.qmp, err = newQMP(ctx, conn); err != nil {
		return err
	}
	for _, name := range m.cfg.USB {
		m.cables[name] = newCable()
	}
	for _, name := range m.cfg.Serial {
		m.cables[name] = newCable()
		conn, err := m.connect(ctx, "tty-"+name)
		if err != nil {
			return err
		}
		if err := m.cables[name].plug(conn); err != nil {
			return err
		}
	}
	return nil
}

// connect connects to a socket of qemu's, which may not have made it yet.
func (m *Machine) connect(ctx context.Context, name string) (net.Conn, error) {
	path := m.path(name + ".sock")
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
		if err == nil {
			return conn, nil
		}
		select {
		case <-m.qemu.done:
			return nil, fmt.Errorf("qemu ended: %s", m.qemu.words())
		case <-ctx.Done():
			return nil, fmt.Errorf("qemu does not answer on %s: %w", path, err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// arguments are qemu's, which runs in the machine's folder.
func (m *Machine) arguments() ([]string, error) {
	paths := []string{m.cfg.Kernel, m.cfg.Initrd, m.cfg.Disk.Path}
	for i := range paths {
		var err error
		if paths[i], err = filepath.Abs(paths[i]); err != nil {
			return nil, err
		}
	}
	drive := "if=none,id=root,format=raw,cache=writeback,file=" + paths[2]
	if m.cfg.Disk.Cached {
		drive = "if=none,id=root,format=raw,file=nbd:unix:disk.sock"
	}
	// Mitigations and address randomisation cost time and guard nothing here. A guest that panics starts anew at once, which
	// waitReady sees. On a busy host the kernel's trial of the timer fails, and that is a panic: "IO-APIC + timer doesn't work!"
	kernel := "root=/dev/vda ro console=ttyS0 quiet panic=-1 no_timer_check mitigations=off nokaslr net.ifnames=0 " + m.cfg.Append
	args := []string{
		"-accel", "tcg,thread=multi,tb-size=256", "-machine", "q35", "-cpu", "Nehalem",
		"-m", strconv.Itoa(memory), "-smp", strconv.Itoa(cpus),
		"-nodefaults", "-no-user-config", "-display", "none",
		"-kernel", paths[0], "-initrd", paths[1], "-append", kernel,
		"-drive", drive, "-device", "virtio-blk-pci,drive=root",
		"-chardev", "file,id=console,path=console.log", "-device", "isa-serial,chardev=console,index=0",
		"-chardev", socket("agent"), "-device", "virtio-serial-pci", "-device", "virtserialport,chardev=agent,name=bench.agent",
		"-device", "virtio-rng-pci", "-device", "i6300esb", "-action", "watchdog=reset",
		"-device", "qemu-xhci,id=usb,addr=" + usbSlot,
		"-qmp", "unix:qmp.sock,server=on,wait=off",
	}
	if s := m.cfg.Screen; s != (Screen{}) {
		args = append(args, "-device", fmt.Sprintf("virtio-gpu-pci,xres=%d,yres=%d", s.Width, s.Height))
	}
	for i, name := range m.cfg.Serial {
		args = append(args, "-chardev", socket("tty-"+name), "-device", fmt.Sprintf("isa-serial,chardev=tty-%s,index=%d", name, i+1))
	}
	for _, name := range m.cfg.USB {
		args = append(args, "-chardev", socket("usb-"+name))
	}
	return args, nil
}

func socket(name string) string {
	return fmt.Sprintf("socket,id=%s,path=%s.sock,server=on,wait=off", name, name)
}

// waitReady waits until the guest's systemd has started everything.
func (m *Machine) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, bootTime, errors.New("the guest is not ready after "+bootTime.String()))
	defer cancel()
	ctx, fail := context.WithCancelCause(ctx)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer fail(nil)
	// A guest that resets itself while it starts has panicked.
	watching.Go(func() {
		_, err := m.qmp.wait(ctx, 0, func(e qmpEvent) bool { return e.name == "RESET" || e.name == "SHUTDOWN" })
		switch {
		case err == nil:
			fail(errors.New("the guest panicked"))
		case ctx.Err() == nil:
			fail(fmt.Errorf("%w: %s", err, m.qemu.words()))
		}
	})
	err := m.greet(ctx)
	if err == nil {
		err = m.running(ctx)
	}
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	return err
}

// running waits until systemd has started everything, and fails if a unit has.
func (m *Machine) running(ctx context.Context) error {
	state, err := m.agent.Output(ctx, "systemctl", "is-system-running", "--wait")
	switch {
	case state != "degraded":
		return err
	case m.cfg.Unwell:
		return nil
	}
	failed, err := m.agent.Output(ctx, "systemctl", "--failed", "--plain", "--no-legend")
	return errors.Join(fmt.Errorf("units have failed:\n%s", failed), err)
}

// greet reaches the guest's agent. A machine that does not answer keeps the session it had, which has ended.
func (m *Machine) greet(ctx context.Context) error {
	a, err := agent.Dial(ctx, m.path("agent.sock"))
	if err == nil {
		m.agent = a
	}
	return err
}

// Agent is the agent of the guest.
func (m *Machine) Agent() *agent.Client { return m.agent }

// Cable is the far end of a serial line or USB adapter, for one device: it is taken from whoever has asked for it before.
func (m *Machine) Cable(name string) (*Cable, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	old := m.cables[name]
	if old == nil {
		return nil, fmt.Errorf("the machine has no line %q", name)
	}
	next, err := old.handOver()
	if err != nil {
		return nil, fmt.Errorf("cannot take over the line %s: %w", name, err)
	}
	m.cables[name] = next
	return next, nil
}

// cable is the present far end.
func (m *Machine) cable(name string) *Cable {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cables[name]
}

// SerialPath is the guest's path of a serial line.
func (m *Machine) SerialPath(name string) string {
	return "/dev/ttyS" + strconv.Itoa(slices.Index(m.cfg.Serial, name)+1)
}

// usbPort is the port of the USB controller that an adapter is plugged into, from 1.
func (m *Machine) usbPort(name string) int { return slices.Index(m.cfg.USB, name) + 1 }

// USBPath is the guest's path of a USB adapter by its place, which stays when it is plugged in again.
func (m *Machine) USBPath(name string) string {
	return fmt.Sprintf("/dev/serial/by-path/pci-0000:00:08.0-usb-0:%d:1.0-port0", m.usbPort(name))
}

// Plug plugs a USB adapter in, with its cable. It returns when qemu has done so; the guest notices a little later.
func (m *Machine) Plug(ctx context.Context, name string) error {
	conn, err := m.connect(ctx, "usb-"+name)
	if err != nil {
		return fmt.Errorf("cannot plug in %s: %w", name, err)
	}
	if err := m.cable(name).plug(conn); err != nil {
		return fmt.Errorf("cannot plug in %s: %w", name, err)
	}
	err = m.qmp.do(ctx, "device_add", map[string]any{"driver": "usb-serial", "id": "usb-" + name, "chardev": "usb-" + name,
		"bus": "usb.0", "port": strconv.Itoa(m.usbPort(name)), "serial": adapterSerial, "always-plugged": true})
	if err != nil {
		return fmt.Errorf("cannot plug in %s: %w", name, err)
	}
	return nil
}

// Unplug pulls a USB adapter out. Bytes that were on their way are lost.
func (m *Machine) Unplug(ctx context.Context, name string) error {
	before := m.qmp.seen()
	if err := m.qmp.do(ctx, "device_del", map[string]any{"id": "usb-" + name}); err != nil {
		return fmt.Errorf("cannot unplug %s: %w", name, err)
	}
	_, err := m.qmp.wait(ctx, before, func(e qmpEvent) bool { return e.name == "DEVICE_DELETED" && e.device == "usb-"+name })
	m.cable(name).unplug()
	if err != nil {
		return fmt.Errorf("cannot unplug %s: %w", name, err)
	}
	return nil
}

// Restart does something that makes the guest start anew by itself, and returns when it is ready again: programs under way
// in it are gone. watchdog tells whether the hardware watchdog did it.
func (m *Machine) Restart(ctx context.Context, do func() error) (watchdog bool, err error) {
	before := m.qmp.seen()
	if err := do(); err != nil {
		return false, err
	}
	e, err := m.qmp.wait(ctx, before, func(e qmpEvent) bool { return e.name == "WATCHDOG" || e.name == "RESET" })
	if err != nil {
		return false, fmt.Errorf("the guest does not start anew: %w", err)
	}
	m.cfg.Say("the guest starts anew (%s)", strings.ToLower(e.name))
	_ = m.agent.Close()
	if err := m.greet(ctx); err != nil {
		return false, err
	}
	return e.name == "WATCHDOG", m.running(ctx)
}

// PowerCut takes the power away: qemu is killed, and with a cached disk what was not flushed is gone.
func (m *Machine) PowerCut() {
	if m.qemu.done != nil {
		m.qemu.kill()
	}
	if m.disk != nil {
		m.disk.kill()
	}
	m.release()
}

// Off shuts the guest down and returns when the machine is off.
func (m *Machine) Off(ctx context.Context) error {
	// Its answer may be lost when the agent is stopped.
	err := m.agent.Run(ctx, agent.Cmd{Args: []string{"systemctl", "poweroff"}})
	if _, refused := errors.AsType[*agent.ExitError](err); refused {
		return err
	}
	err = nil
	select {
	case <-m.qemu.done:
	case <-ctx.Done():
		err = fmt.Errorf("the guest does not shut down: %w", ctx.Err())
	}
	m.PowerCut()
	return err
}

// release gives back what belongs to a machine that is off.
func (m *Machine) release() {
	if m.agent != nil {
		_ = m.agent.Close()
	}
	if m.qmp != nil {
		m.qmp.close()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.cables {
		_ = c.Close()
	}
}

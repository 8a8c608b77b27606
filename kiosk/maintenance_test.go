package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"yuanban/ui/uitest"
)

// technician is a page of the built program in the hands of a technician: it knows the screen that is shown.
type technician struct {
	t      *testing.T
	conn   *websocket.Conn
	frames chan uitest.Frame
	last   uitest.Frame
}

func newTechnician(t *testing.T, p *program) *technician {
	t.Helper()
	conn := dialPage(t, p)
	v := &technician{t: t, conn: conn, frames: make(chan uitest.Frame, 256)}
	done := make(chan struct{})
	t.Cleanup(func() { conn.Close(); <-done })
	go func() {
		defer close(done)
		for {
			var f uitest.Frame
			if conn.ReadJSON(&f) != nil {
				return
			}
			select {
			case v.frames <- f:
			default: // nobody looks any more
			}
		}
	}()
	return v
}

func (v *technician) do(action string, args ...string) {
	v.t.Helper()
	must(v.t, v.conn.WriteJSON(uitest.Message(action, args...)))
}

// sees waits for a screen, and for texts on it.
func (v *technician) sees(screen string, texts ...string) {
	v.t.Helper()
	shown := func(f uitest.Frame) bool {
		var all strings.Builder
		for _, html := range f.Regions {
			all.WriteString(html)
		}
		for _, text := range texts {
			if !strings.Contains(all.String(), text) {
				return false
			}
		}
		return f.Screen == screen
	}
	for end := time.After(time.Minute); !shown(v.last); {
		select {
		case v.last = <-v.frames:
		case <-end:
			v.t.Fatalf("within a minute there was no %s with %q; the last is %s", screen, texts, v.last.Screen)
		}
	}
}

// TestMaintenanceAtTheMachine: the built program, a PIN made by kiosk pin, three seconds on the park's name, the wrong PIN, the plug pulled,
// another wrong PIN, which is the second, and the right one; what the machine says of itself, and a request for what is on the stick.
func TestMaintenanceAtTheMachine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	runtime := filepath.Join(dir, "run")
	must(t, os.Mkdir(runtime, 0o700))
	makePIN := exec.Command(kioskBinary(t), "pin")
	makePIN.Stdin = strings.NewReader("482913\n482913\n")
	line, err := makePIN.Output()
	must(t, err)
	pin, config := filepath.Join(dir, "maintenance.pin"), filepath.Join(dir, "kiosk.yaml")
	must(t, os.WriteFile(pin, line, 0o600))
	must(t, os.WriteFile(config, fmt.Appendf(nil, "machine: MAINT1\nrole: kiosk\nlisten: 127.0.0.1:%d\nstate: %q\nmaintenance: {pin-file: %q}\nreader: {port: %q, baud: 115200, side: right}\n",
		freePort(t), filepath.Join(dir, "state"), pin, filepath.Join(dir, "no-reader")), 0o600))
	power := func() (*program, *technician) {
		cmd := exec.Command(kioskBinary(t), "run", "-config", config)
		cmd.Env = append(os.Environ(), "RUNTIME_DIRECTORY="+runtime)
		p := startCommand(t, cmd)
		return p, newTechnician(t, p)
	}
	p, v := power()
	v.sees("attract")
	v.do("touch")
	v.sees("home")
	hold := func() {
		v.do("hold")
		v.sees("pin")
		v.do("release")
	}
	hold()
	enter := func(digits string) {
		for _, k := range digits {
			v.do("key", "key", string(k))
		}
		v.do("enter")
	}
	enter("482914")
	v.sees("pin", "M-701", "还可以试 4 次")
	p.kill()
	_, v = power()
	v.sees("attract")
	hold()
	enter("482915")
	v.sees("pin", "M-701", "还可以试 3 次")
	enter("482913")
	v.sees("maintenance", "MAINT1", "请检查读卡器的数据线和电源。")
	v.do("tasks")
	v.sees("tasks")
	v.do("stick")
	v.sees("trial")
	v.do("begin")
	eventually(t, "the program asks for what is on the stick", func() bool { _, err := os.Stat(filepath.Join(runtime, "stick")); return err == nil })
	v.do("tasks")
	v.sees("tasks")
	v.do("end")
	v.sees("attract")
}

// TestMaintenanceInTheDemo: the PIN that the demo prints opens its maintenance screen, on which all is well.
func TestMaintenanceInTheDemo(t *testing.T) {
	t.Parallel()
	p := start(t, "demo", "-fast", "-listen", fmt.Sprintf("127.0.0.1:%d", freePort(t)))
	printed := regexp.MustCompile(`PIN +(\d{6}) `)
	eventually(t, "it prints the PIN", func() bool { return printed.MatchString(p.out.String()) })
	v := newTechnician(t, p)
	v.sees("attract")
	v.do("touch")
	v.sees("home")
	v.do("hold")
	v.sees("pin")
	v.do("release")
	for _, k := range printed.FindStringSubmatch(p.out.String())[1] {
		v.do("key", "key", string(k))
	}
	v.do("enter")
	v.sees("maintenance", "DEMO01", "有纸，上盖已关，切刀正常", "安全模块")
}

package machine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// fakeQemu answers as qemu 7.2 was heard to; answers are by command.
func fakeQemu(t *testing.T, answers map[string]string) net.Conn {
	t.Helper()
	ours, its := net.Pipe()
	t.Cleanup(func() { its.Close() })
	go func() {
		defer its.Close()
		fmt.Fprintln(its, `{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": "Debian"}, "capabilities": ["oob"]}}`)
		in := bufio.NewScanner(its)
		for in.Scan() {
			for command, answer := range answers {
				if strings.Contains(in.Text(), `"execute":"`+command+`"`) && answer != "" {
					fmt.Fprintln(its, answer)
				}
			}
		}
	}()
	return ours
}

func TestQMP(t *testing.T) {
	q, err := newQMP(t.Context(), fakeQemu(t, map[string]string{
		"qmp_capabilities": `{"return": {}}`,
		"device_add":       `{"error": {"class": "GenericError", "desc": "Duplicate device ID 'usb-one'"}}`,
		"device_del": `{"return": {}}` + "\n" +
			`{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "DEVICE_DELETED", "data": {"path": "/machine/peripheral/other"}}` + "\n" +
			`{"timestamp": {"seconds": 1, "microseconds": 3}, "event": "DEVICE_DELETED", "data": {"device": "usb-one", "path": "/machine/peripheral/usb-one"}}`,
		"never": "",
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer q.close()
	if err := q.do(t.Context(), "device_add", map[string]any{"id": "usb-one"}); err == nil || !strings.Contains(err.Error(), "Duplicate device ID") {
		t.Errorf("a refused command: %v", err)
	}
	before := q.seen()
	if err := q.do(t.Context(), "device_del", nil); err != nil {
		t.Error(err)
	}
	deleted := func(e qmpEvent) bool { return e.name == "DEVICE_DELETED" && e.device == "usb-one" }
	if _, err := q.wait(t.Context(), before, deleted); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := q.wait(ctx, q.seen(), deleted); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("an event that never comes: %v", err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := q.do(ctx, "never", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("an answer that never comes: %v", err)
	}
	if err := q.do(t.Context(), "device_add", nil); err == nil {
		t.Error("a command after one without answer was sent")
	}
}

// TestQMPEnds: whoever waits learns that qemu has ended.
func TestQMPEnds(t *testing.T) {
	conn := fakeQemu(t, map[string]string{"qmp_capabilities": `{"return": {}}`})
	q, err := newQMP(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	waiting := make(chan error, 1)
	go func() {
		_, err := q.wait(t.Context(), 0, func(qmpEvent) bool { return false })
		waiting <- err
	}()
	conn.Close()
	if err := <-waiting; err == nil {
		t.Error("an event came from nowhere")
	}
	<-q.done
	q.close()
	if err := q.do(t.Context(), "quit", nil); err == nil {
		t.Error("a command was carried out by nobody")
	}
}

package machine

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a program of ours that must not outlive us.
type process struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{} // closed when it has ended
}

// start starts cmd. Its words go to the file log.
func (p *process) start(cmd *exec.Cmd, log string) error {
	f, err := os.Create(log)
	if err != nil {
		return err
	}
	defer f.Close()
	cmd.Stdout, cmd.Stderr = f, f
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	done := make(chan struct{})
	started := make(chan error, 1)
	go func() {
		// The kernel kills the program when the thread that started it ends, so this one stays until it has ended.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
			close(done)
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	p.cmd, p.log, p.done = cmd, log, done
	return nil
}

// favoured is how much nicer the host is to the virtual machine than to what else it does (nice(1), from -20 to 19).
const favoured = -5

// favour lets the program go before others, if we may: a guest that stands still for tens of milliseconds turns the bounce of a
// contact into two presses.
func (p *process) favour() { _ = syscall.Setpriority(syscall.PRIO_PGRP, p.cmd.Process.Pid, favoured) }

// kill ends it at once, and returns when it has ended.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// work is the processor time it has taken so far, 0 if that cannot be known.
func (p *process) work() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if err != nil || len(fields) < 13 {
		return 0
	}
	var ticks int64 // proc(5): utime and stime, in hundredths of a second
	for _, f := range fields[11:13] {
		n, _ := strconv.ParseInt(f, 10, 64)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// words are the end of what it said.
func (p *process) words() string { return tailOf(p.log) }

const tailLen = 3000

// tailOf is the end of a text file, for an error.
func tailOf(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(bytes.TrimSpace(b[max(len(b)-tailLen, 0):]))
}

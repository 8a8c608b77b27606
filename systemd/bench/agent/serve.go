package agent

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Pipe is the guest's end: a virtio serial port, whose reads end with io.EOF while no host is there.
type Pipe interface {
	io.ReadWriter
	SetWriteDeadline(time.Time) error
}

// hostPoll is how often a guest without a host looks for one.
const hostPoll = 20 * time.Millisecond

// Serve does what the host asks for, session after session, until ctx ends (then pipe must end its reads) or pipe fails.
func Serve(ctx context.Context, pipe Pipe) error {
	g := &guest{pipe: pipe}
	defer g.end(errors.New("the agent ends"))
	// Whoever is there learns that what it had asked for is lost.
	if _, err := pipe.Write(frame{frameHello, 0, make([]byte, wordLen)}.append(nil)); err != nil {
		return err
	}
	in := bufio.NewReaderSize(pipe, maxFrame)
	for ctx.Err() == nil {
		f, err := readFrame(in)
		switch {
		case err == nil && f.kind == frameHello:
			err = g.hello(ctx, f.body)
		case err == nil && g.s != nil:
			err = g.s.handle(f)
		}
		switch {
		case err == nil, errors.Is(err, errNoFrame): // until the next hello
		case errors.Is(err, io.EOF):
			g.end(err)
			time.Sleep(hostPoll)
		default:
			return err
		}
	}
	return nil
}

// guest is the agent's state: at most one session.
type guest struct {
	pipe Pipe
	s    *session
	word []byte
	stop context.CancelFunc
	busy sync.WaitGroup // requests
}

// hello begins a session.
func (g *guest) hello(ctx context.Context, word []byte) error {
	if g.s == nil || !bytes.Equal(word, g.word) {
		g.end(errors.New("the bench has come anew"))
		ctx, g.stop = context.WithCancel(ctx)
		g.word = word
		g.s = newSession(g.pipe, 2, func(st *stream, body []byte) {
			g.busy.Go(func() { g.serve(ctx, st, body) })
		})
	}
	return g.s.send(frameHello, 0, word)
}

// end ends the session and waits for everything that was under way in it.
func (g *guest) end(err error) {
	if g.s == nil {
		return
	}
	g.stop()
	g.s.end(err)
	_ = g.pipe.SetWriteDeadline(time.Unix(1, 0)) // nobody may be reading
	g.busy.Wait()
	_ = g.pipe.SetWriteDeadline(time.Time{})
	g.s, g.stop = nil, nil
}

// serve carries out one request.
func (g *guest) serve(ctx context.Context, st *stream, body []byte) {
	ctx, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer cancel()
	watching.Go(func() {
		select {
		case <-st.gone:
			cancel()
		case <-ctx.Done():
		}
	})
	var r request
	err := json.Unmarshal(body, &r)
	o := outcome{}
	switch {
	case err != nil:
	case r.Run != nil:
		o, err = run(ctx, st, r.Run)
	case r.Put != nil:
		err = put(st, r.Put)
	case r.Get != "":
		err = get(st, r.Get)
	case r.Write != nil:
		err = write(ctx, r.Write)
	case r.Dial != nil:
		err = dial(ctx, st, r.Dial)
	case r.Listen != nil:
		err = listen(ctx, st, r.Listen)
	default:
		err = errors.New("an unknown request: the agent in the image is older than the bench")
	}
	if err != nil {
		o.Error = err.Error()
	}
	_ = st.finish(o) // if it cannot be told, there is nobody to tell
	_ = st.drop()
}

// waitDelay is how long the children of a program that has ended may keep its output open.
const waitDelay = 2 * time.Second

// run runs a program in a process group of its own, which ends with ctx.
func run(ctx context.Context, st *stream, r *runRequest) (outcome, error) {
	errs := st
	if r.Errors != 0 {
		var err error
		if errs, err = st.s.accept(r.Errors); err != nil {
			return outcome{}, err
		}
		defer errs.Close()
	}
	if len(r.Args) == 0 {
		return outcome{}, errors.New("no program")
	}
	cmd := exec.CommandContext(ctx, r.Args[0], r.Args[1:]...)
	cmd.Env = append(os.Environ(), r.Env...)
	cmd.Dir = r.Dir
	cmd.Stdout, cmd.Stderr = st, errs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = waitDelay
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return outcome{}, err
	}
	if err := cmd.Start(); err != nil {
		return outcome{}, err
	}
	var feeding sync.WaitGroup
	feeding.Go(func() {
		_, _ = io.Copy(stdin, st) // a program need not read all of it
		_ = stdin.Close()
	})
	err = cmd.Wait()
	_ = st.drop()
	feeding.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
			return outcome{Signal: ws.Signal().String()}, nil
		}
		return outcome{Exit: exit.ExitCode()}, nil
	}
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil // it ended well, and left children behind
	}
	return outcome{}, err
}

// put writes a file beside its place first.
func put(st *stream, r *putRequest) error {
	if err := os.MkdirAll(filepath.Dir(r.Path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(r.Path), ".bench-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // unless it has moved
	_, err = io.Copy(f, st)
	if err == nil {
		err = st.result()
	}
	if err := errors.Join(err, f.Chmod(fs.FileMode(r.Mode)), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), r.Path)
}

func get(st *stream, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(st, f)
	return err
}

// write takes steps.
func write(ctx context.Context, steps []Step) error {
	for _, s := range steps {
		if s.After > 0 {
			timer := time.NewTimer(s.After)
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
				return ctx.Err()
			}
		}
		found, err := filepath.Glob(s.Path)
		if err != nil {
			return err
		}
		if len(found) != 1 {
			return fmt.Errorf("%d files are called %s", len(found), s.Path)
		}
		f, err := os.OpenFile(found[0], os.O_WRONLY|os.O_TRUNC, 0)
		if err != nil {
			return err
		}
		_, err = f.WriteString(s.Data)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// ready is the byte that says that a socket is open.
var ready = []byte{1}

func dial(ctx context.Context, st *stream, r *sockRequest) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, r.Network, r.Address)
	if err != nil {
		return err
	}
	if _, err := st.Write(ready); err != nil {
		return errors.Join(err, conn.Close())
	}
	relay(ctx, st, conn)
	return nil
}

// relay carries bytes both ways until both directions have ended or ctx does.
func relay(ctx context.Context, st *stream, conn net.Conn) {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	defer conn.Close()
	var there sync.WaitGroup
	there.Go(func() {
		_, _ = io.Copy(conn, st)
		if half, ok := conn.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		}
	})
	_, _ = io.Copy(st, conn)
	_ = st.CloseWrite()
	there.Wait()
}

// listen accepts until ctx or the host's end of the listening stream ends, and with it what was accepted.
func listen(ctx context.Context, st *stream, r *sockRequest) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if r.Network == "unix" {
		_ = os.Remove(r.Address) // left behind by an earlier session
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, r.Network, r.Address)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	defer l.Close()
	if _, err := st.Write(ready); err != nil {
		return err
	}
	var open sync.WaitGroup
	defer open.Wait()
	open.Go(func() {
		_, _ = io.Copy(io.Discard, st)
		cancel()
	})
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			_ = st.drop()
			return err
		}
		open.Go(func() {
			if err := offer(ctx, st, conn); err != nil {
				_ = conn.Close()
			}
		})
	}
}

// offer opens a stream to the host for a connection.
func offer(ctx context.Context, on *stream, conn net.Conn) error {
	st, err := on.s.stream()
	if err != nil {
		return err
	}
	defer st.Close()
	if err := on.s.send(frameOpen, st.id, marshal(request{Accepted: on.id})); err != nil {
		return err
	}
	relay(ctx, st, conn)
	return nil
}

package agent

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

// Client is the host's end of the pipe. Its methods may be called from several goroutines.
type Client struct {
	conn net.Conn
	s    *session
	done chan struct{}

	mu        sync.Mutex
	listeners map[uint32]*listener
}

// helloEvery is how often a guest that does not answer is greeted again: its agent may be about to start.
const helloEvery = 500 * time.Millisecond

// Dial connects to the socket at path, which is the host's end of the pipe, and waits until the agent answers or ctx ends.
// What an earlier Client had under way in the guest ends.
func Dial(ctx context.Context, path string) (*Client, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("cannot reach the guest's agent: %w", err)
	}
	in, err := greet(ctx, conn)
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("cannot reach the guest's agent: %w", err)
	}
	c := &Client{conn: conn, done: make(chan struct{}), listeners: map[uint32]*listener{}}
	c.s = newSession(patient{conn}, 1, c.opened)
	go c.serve(in)
	return c, nil
}

// patient writes to a guest that takes its bytes, sooner or later. One that takes nothing for so long stands still.
type patient struct{ net.Conn }

const patience = time.Minute

func (p patient) Write(b []byte) (int, error) {
	if err := p.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return 0, err
	}
	n, err := p.Conn.Write(b)
	if err != nil {
		_ = p.Close() // half a frame is the end of the session, which its reader tells to all
	}
	return n, err
}

// greet begins a session: nothing the guest says counts until it says our word.
func greet(ctx context.Context, conn net.Conn) (*bufio.Reader, error) {
	word := make([]byte, wordLen)
	rand.Read(word)
	hello := frame{frameHello, 0, word}.append(nil)
	release := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer release()
	if _, err := conn.Write(append(make([]byte, headLen+maxFrame), hello...)); err != nil {
		return nil, err
	}
	in := bufio.NewReaderSize(conn, maxFrame)
	var last []byte
	next := time.Now().Add(helloEvery)
	for !bytes.Equal(last, hello) {
		_ = conn.SetReadDeadline(next)
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("no answer: %w", err)
		}
		b, err := in.ReadByte()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			next = time.Now().Add(helloEvery)
			if _, err := conn.Write(hello); err != nil && ctx.Err() == nil {
				return nil, err
			}
		case err != nil:
			return nil, err
		default:
			if last = append(last, b); len(last) > len(hello) {
				last = last[1:]
			}
		}
	}
	if !release() {
		return nil, ctx.Err()
	}
	return in, conn.SetDeadline(time.Time{})
}

// serve takes frames until the pipe breaks.
func (c *Client) serve(in *bufio.Reader) {
	defer close(c.done)
	first := true
	for {
		f, err := readFrame(in)
		switch {
		case err == nil && f.kind == frameHello && first:
			continue // the answer to a greeting that was repeated
		case err == nil && f.kind == frameHello:
			err = errors.New("the guest's agent has started anew")
		case err == nil:
			first = false
			err = c.s.handle(f)
		}
		if err != nil {
			c.s.end(err)
			c.conn.Close()
			return
		}
	}
}

// Close ends the session and everything under way in it, also in the guest.
func (c *Client) Close() error {
	c.s.end(net.ErrClosed)
	err := c.conn.Close()
	<-c.done
	return err
}

// Done is closed when the pipe has broken or the guest has begun anew. The Client is of no more use then.
func (c *Client) Done() <-chan struct{} { return c.done }

// open begins a request.
func (c *Client) open(r request) (*stream, error) {
	st, err := c.s.stream()
	if err != nil {
		return nil, err
	}
	return st, c.s.send(frameOpen, st.id, marshal(r))
}

// within closes the stream when ctx ends. The function it returns gives ctx's error, if that was the cause.
func within(ctx context.Context, st *stream) func(error) error {
	stop := context.AfterFunc(ctx, func() {
		st.abort(ctx.Err())
		st.fail(ctx.Err())
	})
	return func(err error) error {
		stop()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	}
}

// Put writes a file in the guest, in one piece: it is there whole or not at all.
func (c *Client) Put(ctx context.Context, path string, mode os.FileMode, from io.Reader) error {
	st, err := c.open(request{Put: &putRequest{path, uint32(mode.Perm())}})
	if err != nil {
		return fmt.Errorf("cannot put %s: %w", path, err)
	}
	end := within(ctx, st)
	if _, err = io.Copy(st, from); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		st.abort(err)
	} else { // a guest that takes no more says why in its outcome
		err = errors.Join(st.CloseWrite(), st.result())
	}
	if err = end(err); err != nil {
		return fmt.Errorf("cannot put %s: %w", path, err)
	}
	return nil
}

// Get reads a file of the guest.
func (c *Client) Get(ctx context.Context, path string) ([]byte, error) {
	st, err := c.open(request{Get: path})
	if err != nil {
		return nil, fmt.Errorf("cannot get %s: %w", path, err)
	}
	end := within(ctx, st)
	b, err := io.ReadAll(st)
	if err == nil {
		err = errors.Join(st.result(), st.CloseWrite())
	}
	if err = end(err); err != nil {
		return nil, fmt.Errorf("cannot get %s: %w", path, err)
	}
	return b, nil
}

// Write takes steps one after the other and returns after the last.
func (c *Client) Write(ctx context.Context, steps ...Step) error {
	st, err := c.open(request{Write: steps})
	if err != nil {
		return err
	}
	return within(ctx, st)(errors.Join(st.result(), st.CloseWrite()))
}

// Dial opens a connection from the guest to an address, such as a server on its loopback.
func (c *Client) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	st, err := c.open(request{Dial: &sockRequest{network, address}})
	if err != nil {
		return nil, fmt.Errorf("cannot dial %s in the guest: %w", address, err)
	}
	if err := within(ctx, st)(st.confirmed()); err != nil {
		_ = st.Close()
		return nil, fmt.Errorf("cannot dial %s in the guest: %w", address, err)
	}
	return st, nil
}

// confirmed waits for the byte by which the guest says that the socket is open.
func (st *stream) confirmed() error {
	var ok [1]byte
	_, err := io.ReadFull(st, ok[:])
	if errors.Is(err, io.EOF) {
		return errors.Join(st.result(), err)
	}
	return err
}

// result waits for the guest's outcome and makes an error of it.
func (st *stream) result() error {
	o, err := st.outcome()
	switch {
	case err != nil:
		return err
	case o.Error != "":
		return errors.New(o.Error)
	case o.Exit != 0 || o.Signal != "":
		return &ExitError{Code: o.Exit, Signal: o.Signal}
	}
	return nil
}

// Cmd is a program to run in the guest.
type Cmd struct {
	Args   []string
	Env    []string  // NAME=value, beside the agent's own
	Dir    string    // / if empty
	Stdin  io.Reader // is read to its end, and must have one
	Stdout io.Writer
	Stderr io.Writer // may be Stdout, which then gets both as they come
}

// ExitError says that a program in the guest failed.
type ExitError struct {
	Code   int    // its exit code, or 0 and
	Signal string // the signal that ended it
	Stderr string // the end of what it said, unless that went elsewhere
}

func (e *ExitError) Error() string {
	text := fmt.Sprintf("exit code %d", e.Code)
	if e.Signal != "" {
		text = "ended by signal " + e.Signal
	}
	if e.Stderr != "" {
		text += ": " + e.Stderr
	}
	return text
}

// Run runs a program until it ends or ctx does, which kills it with its children. The error is an *ExitError if it failed.
func (c *Client) Run(ctx context.Context, cmd Cmd) error {
	if err := c.run(ctx, cmd); err != nil {
		return fmt.Errorf("in the guest: %s: %w", strings.Join(cmd.Args, " "), err)
	}
	return nil
}

func (c *Client) run(ctx context.Context, cmd Cmd) error {
	r := &runRequest{Args: cmd.Args, Env: cmd.Env, Dir: cmd.Dir}
	var tail tail
	var copying sync.WaitGroup
	if cmd.Stderr == nil || cmd.Stderr != cmd.Stdout {
		errs, err := c.s.stream()
		if err != nil {
			return err
		}
		r.Errors = errs.id
		to := cmd.Stderr
		if to == nil {
			to = &tail
		}
		end := within(ctx, errs)
		copying.Go(func() {
			_, _ = io.Copy(to, errs)
			_ = errs.Close()
			_ = end(nil)
		})
	}
	st, err := c.open(request{Run: r})
	if err != nil {
		return err // with the session over, the copying ends as well
	}
	end := within(ctx, st)
	copying.Go(func() {
		if cmd.Stdin != nil {
			_, _ = io.Copy(st, cmd.Stdin) // it need not want all of it
		}
		_ = st.CloseWrite()
	})
	to := cmd.Stdout
	if to == nil {
		to = io.Discard
	}
	_, err = io.Copy(to, st)
	if err == nil {
		err = st.result()
	} else {
		_ = st.Close() // nobody hears it any more
	}
	err = end(err)
	copying.Wait()
	if exit, ok := errors.AsType[*ExitError](err); ok {
		exit.Stderr = tail.String()
	}
	return err
}

// tail keeps the last of what is written to it.
type tail struct{ b []byte }

const tailLen = 2000

func (t *tail) Write(b []byte) (int, error) {
	t.b = append(t.b, b...)
	t.b = t.b[max(len(t.b)-tailLen, 0):]
	return len(b), nil
}

func (t *tail) String() string { return strings.TrimSpace(string(t.b)) }

// Output runs a program and returns what it says, without the newline at its end.
func (c *Client) Output(ctx context.Context, args ...string) (string, error) {
	var out bytes.Buffer
	err := c.Run(ctx, Cmd{Args: args, Stdout: &out})
	return strings.TrimRight(out.String(), "\n"), err
}

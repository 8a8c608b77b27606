package acceptance

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"strings"
	"sync"
	"time"

	"yuanban/devices/idcard"
	"yuanban/devices/printer"
	"yuanban/devices/serialpad"
	"yuanban/devices/serialport"
	"yuanban/provisioning/probe"
)

// device is what the running program says of one of its devices.
func (s *session) device(name string) Result {
	if s.Person != nil {
		return notDone("the running program has it: systemctl stop kiosk, then begin again")
	}
	switch state, there := s.running.Devices[name]; {
	case !there:
		return failed("the running program does not know it: was it configured after the start? systemctl restart kiosk")
	case state != "online":
		return failed("the running program says that it is %s", state)
	}
	return ok("the running program says that it is online")
}

// unusable says why a line does not open, or is lost.
func unusable(err error) Result {
	switch {
	case errors.Is(err, serialport.ErrBusy):
		return failed("another program has its line: systemctl stop kiosk, or see who has it with fuser")
	case errors.Is(err, fs.ErrPermission):
		return failed("its line may not be opened: run this as root")
	}
	return failed("%v", err)
}

const (
	cardWait  = 2 * time.Minute  // for a card to be laid
	pressWait = time.Minute      // for a press
	readyWait = 10 * time.Second // until a press would be noticed
)

// reader asks for any card. Of the card its kind is kept, and how long reading took; nothing else leaves this function.
func (s *session) reader() Result {
	if s.running != nil {
		return s.device("reader")
	}
	opts := &idcard.ProbeOpts{}
	if s.m.Reader.Baud != 0 {
		opts.Bauds = []int{s.m.Reader.Baud}
	}
	found, err := idcard.ProbeLine(s.ctx, func(baud int) (idcard.Port, error) {
		line := *s.m.Reader
		line.Baud = baud
		return s.Open(s.ctx, line)
	}, opts)
	if err != nil {
		return unusable(err)
	}
	defer func() { _ = found.Port.(io.Closer).Close() }()
	if found.SAMID != "" {
		s.serials = append(s.serials, "reader "+found.SAMID)
	}
	if s.Person == nil {
		return ok("answers at %d baud", found.Baud)
	}
	s.Person.Say("  Lay any ID card on the reader. Nothing of it is kept but its kind and the time it took.")
	ctx, cancel := context.WithTimeout(s.ctx, cardWait)
	defer cancel()
	var at time.Time
	card, err := found.Reader.ReadCard(ctx, func() { at = time.Now() })
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			return failed("no card was read within %v", cardWait)
		}
		return failed("a card was not read: %v", err)
	}
	took := time.Since(at)
	if card.Check() != nil {
		return failed("what was read contradicts itself: is the line disturbed? Check its cable and earth")
	}
	return measured(ok("a card was read, kind %s, in %.1f s", card.Kind, took.Seconds()), "read_ms", ms(took))
}

func ms(d time.Duration) float64 { return float64(d.Milliseconds()) }

func measured(r Result, name string, value float64) Result {
	if r.Measured == nil {
		r.Measured = map[string]float64{}
	}
	r.Measured[name] = value
	return r
}

// codeLetters are those of a test page's code that nobody mistakes.
const codeLetters = "ACEFHJKLMNPRTUVWXY3479"

func newCode() string {
	b := make([]byte, 3)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	for i := range b {
		b[i] = codeLetters[int(b[i])%len(codeLetters)]
	}
	return string(b)
}

// printer prints a page with a code that only who reads the paper can know.
func (s *session) printer() Result {
	if s.running != nil {
		return s.device("printer")
	}
	if s.Person == nil {
		found, err := printer.ProbeLine(s.ctx, func(baud int) (printer.Port, error) {
			line := *s.m.Printer
			line.Baud = baud
			return s.Open(s.ctx, line)
		}, &printer.ProbeOpts{Bauds: []int{s.m.Printer.Baud}})
		if err != nil {
			return unusable(err)
		}
		_ = found.Port.(io.Closer).Close()
		if found.Off {
			return failed("it answers, and cannot print: paper is out or its cover open")
		}
		return ok("answers at %d baud", found.Baud)
	}
	code := newCode()
	start := time.Now()
	out, err := s.print(&printer.Document{Blocks: []printer.Block{
		printer.Text{Text: "验收测试页", Size: 2, Align: printer.Center},
		printer.Text{Text: "园区事园区办 0123456789", Align: printer.Center},
		printer.Text{Text: code, Size: 3, Align: printer.Center},
		printer.QR{Data: "YUANBAN " + s.m.Number + " " + code},
		printer.Row{Left: "机器", Right: s.m.Number},
	}})
	if err != nil {
		return unusable(err)
	}
	took := time.Since(start)
	for range 3 {
		typed, err := s.Person.Ask(s.ctx, "Type the three large characters on the paper, or no if there is none: ")
		if err != nil {
			return notDone("nobody said what stands on the paper: %v", err)
		}
		switch typed = strings.ToUpper(strings.TrimSpace(typed)); typed {
		case code:
			return measured(ok("a person read the code on the page; the printer says %s, after %.1f s", out.State, took.Seconds()), "print_ms", ms(took))
		case "NO", "":
			return failed("the printer says %s, and no readable page came out: check the roll (which side is thermal?), the profile and the speed", out.State)
		}
		s.Person.Say("  That is not what was printed.")
	}
	return failed("what was typed is not what was printed: is this the machine's own printer, and its profile right?")
}

func (s *session) print(doc *printer.Document) (printer.Outcome, error) {
	return probe.Print(s.ctx, func(c serialport.Config) (*serialport.Port, error) { return s.Open(s.ctx, c) }, *s.m.Printer, s.m.Profile, doc)
}

// buttons asks for all five in turn.
func (s *session) buttons() Result {
	if s.running != nil {
		return s.device("buttons")
	}
	if s.Person == nil {
		return notDone("the program does not run, and only it or a person can tell")
	}
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	presses := make(chan int, 16)
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- s.m.Presses(ctx, sync.OnceFunc(func() { close(ready) }), func(grade int) {
			select {
			case presses <- grade:
			default: // somebody plays on them; who is asked for one press has sixteen already
			}
		})
	}()
	res := s.pressWhenReady(ready, presses, ended)
	cancel()
	<-ended
	return res
}

// pressWhenReady asks for presses when they would be noticed: one that falls into the opening of the lines is taken for a button that
// hangs. It leaves the end of the presses in ended for its caller, as pressAll does.
func (s *session) pressWhenReady(ready <-chan struct{}, presses <-chan int, ended chan error) Result {
	select {
	case <-ready:
		return s.pressAll(presses, ended)
	case err := <-ended:
		ended <- err
		return failed("they do not answer: %v", err)
	case <-time.After(readyWait):
		return failed("they were not ready after %v: is another program on their lines? systemctl stop kiosk", readyWait)
	case <-s.ctx.Done(): // which ends the presses, too
		return notDone("it was interrupted")
	}
}

func (s *session) pressAll(presses <-chan int, ended chan error) Result {
	for grade := 5; grade >= 1; grade-- {
		name := serialpad.GradeNames()[grade]
		s.Person.Say("  Press %s (%d).", name, grade)
		select {
		case got := <-presses:
			if got != grade {
				return failed("%s (%d) was asked for, and %s (%d) came: the lines are exchanged; kiosk provision learn finds them", name, grade, serialpad.GradeNames()[got], got)
			}
		case err := <-ended:
			ended <- err
			return failed("they do not answer: %v", err)
		case <-time.After(pressWait):
			return failed("%s (%d) was asked for, and nothing came for %v: check its cable and kiosk provision learn", name, grade, pressWait)
		case <-s.ctx.Done(): // which ends the presses, too
			return notDone("it was interrupted")
		}
	}
	return ok("all five, each the right grade")
}

func (s *session) lamps() Result {
	if s.running != nil {
		return s.device("lamps")
	}
	var wrong error
	for range 3 {
		for _, on := range []bool{true, false} {
			wrong = errors.Join(wrong, s.m.Lamps(on))
			select {
			case <-time.After(400 * time.Millisecond):
			case <-s.ctx.Done():
			}
		}
	}
	if wrong != nil {
		return failed("%v", wrong)
	}
	return s.confirm("Did all lamps light up three times? yes or no: ", "a person saw them", "a person saw that they do not all light up: check their lines and active-low")
}

// confirm asks for yes or no.
func (s *session) confirm(question, yes, no string) Result {
	answer, err := s.Person.Ask(s.ctx, "  "+question)
	if err != nil {
		return notDone("nobody answered: %v", err)
	}
	if strings.HasPrefix(strings.ToLower(strings.TrimSpace(answer)), "y") {
		return ok("%s", yes)
	}
	return failed("%s", no)
}

// screens says why nothing can be tried on the screens.
func (s *session) screens() error {
	switch {
	case s.running == nil:
		return errors.New("the program does not run, so its screens are not there: systemctl start kiosk, then begin again")
	case !s.running.Display:
		return errors.New("the program runs, and no browser shows its screens: systemctl status kiosk-display")
	}
	return nil
}

// stop has the person stop the program, which has the devices.
func (s *session) stop() error {
	for range 3 {
		if s.running == nil {
			return nil
		}
		answer, err := s.Person.Ask(s.ctx, "\nNow the devices, without the program. In another terminal: systemctl stop kiosk; then press Enter (or type no): ")
		if err != nil || strings.HasPrefix(strings.ToLower(strings.TrimSpace(answer)), "n") {
			return err
		}
		ctx, cancel := context.WithTimeout(s.ctx, 5*time.Second)
		s.running, _ = s.m.Running(ctx)
		cancel()
	}
	return nil
}

func (s *session) touch() Result {
	if err := s.screens(); err != nil {
		return notDone("%v", err)
	}
	return s.confirm("Touch what is in the four corners and in the middle of the screen. Did each react where you touched? yes or no: ",
		"a person touched all corners", "a person saw that touches land elsewhere: calibrate or rotate the touch screen")
}

func (s *session) sound() Result {
	if err := s.screens(); err != nil {
		return notDone("%v", err)
	}
	return s.confirm("Begin a visit on the screen and touch a key. Did you hear it? yes or no: ", "a person heard it", "a person heard nothing: check the loudspeaker and its volume")
}

package maintenance

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"
)

// diskWithin is how long a disk is waited for. One that has not answered by then is treated as one that refuses.
const diskWithin = 10 * time.Second

// Memory keeps a few bytes across new starts and power cuts. Its methods may block.
type Memory interface {
	Load() ([]byte, error)  // what was kept last; the error is fs.ErrNotExist while nothing ever was
	Keep(data []byte) error // in place of what was kept before, all or nothing; it is on the disk once this returns nil
}

// errNoMemory, errSlow: why a count is not kept.
var (
	errNoMemory = errors.New("there is no place for it")
	errSlow     = fmt.Errorf("the disk did not answer within %v", diskWithin)
)

// record is a count as it is kept, one JSON object.
type record struct {
	Wrong   int `json:"wrong"`   // 0 to 5
	Seconds int `json:"seconds"` // that the program must run until they are forgotten, 1 to 900; 0 when there are none
}

func parseRecord(data []byte) (r record, err error) {
	if err := json.Unmarshal(data, &r); err != nil {
		return record{}, fmt.Errorf("cannot read the count of wrong PINs: %w", err)
	}
	most := int(lockedFor / time.Second)
	if r.Wrong < 0 || r.Wrong > triesAllowed || r.Seconds < 0 || r.Seconds > most || (r.Wrong > 0) != (r.Seconds > 0) {
		return record{}, fmt.Errorf("cannot read the count of wrong PINs: %d of them for %d s; there are at most %d, for %d s", r.Wrong, r.Seconds, triesAllowed, most)
	}
	return r, nil
}

// book reads and writes the memory, from any goroutine, one at a time. A record that was overtaken by a newer one is not written any more.
type book struct {
	memory Memory // nil: nothing is kept
	work   *sync.WaitGroup
	turn   chan struct{} // holds one who is at the disk, and who alone may touch what follows

	newest int
	err    error // what became of it
}

func (b *book) load() (data []byte, err error) {
	if b.memory == nil {
		return nil, fs.ErrNotExist
	}
	loaded := make(chan []byte, 1)
	err = b.within(func() error {
		data, err := b.memory.Load()
		loaded <- data
		return err
	})
	if err != nil {
		return nil, err
	}
	return <-loaded, nil
}

func (b *book) keep(r record, number int) error {
	if b.memory == nil {
		return errNoMemory
	}
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return b.within(func() error {
		if number > b.newest {
			b.newest, b.err = number, b.memory.Keep(append(data, '\n'))
		}
		return b.err
	})
}

// within takes its turn at the disk and waits for it as long as a person does. What a dying disk never ends goes on beside, once.
func (b *book) within(work func() error) error {
	slow := time.After(diskWithin)
	select {
	case b.turn <- struct{}{}:
	case <-slow:
		return errSlow
	}
	done := make(chan error, 1)
	b.work.Go(func() {
		done <- work()
		<-b.turn
	})
	select {
	case err := <-done:
		return err
	case <-slow:
		return errSlow
	}
}

// recall looks up the wrong PINs of the program's former lives. Where no PIN is ever asked for, nothing is kept.
func (d *Desk) recall() {
	if d.opt.Key || !d.opt.PIN.Set() {
		return
	}
	d.work.Go(func() {
		data, err := d.book.load()
		d.post(func() {
			d.tries.begin(data, err, time.Now())
			if d.tries.unread {
				d.opt.Log.Error("cannot read how many wrong maintenance PINs count; it is locked as after five", "area", "maintenance", "err", err, "for", lockedFor.String())
			}
			d.work.Go(d.keeping()) // so that it is known whether that can be done
		})
	})
}

// keeping is the work of keeping the tries as they are now; it tells the desk what became of it.
func (d *Desk) keeping() func() {
	r, number := d.tries.record(time.Now())
	return func() {
		err := d.book.keep(r, number)
		d.post(func() {
			was := d.tries.loose
			d.tries.settle(err, number, time.Now())
			if d.tries.loose && !was {
				d.opt.Log.Error("cannot keep how many wrong maintenance PINs count; one alone can be tried at a time", "area", "maintenance", "err", err, "every", tryCosts.String())
			}
		})
	}
}

package bench

import (
	"errors"
	"net/http"

	"yuanban/devices/idcard"
)

// unplugged is the fault that is not the device's but the cable's.
const unplugged = "unplugged"

// readerView is the ID reader as JSON. The card lies there whether or not the reader is plugged in.
type readerView struct {
	Present bool         `json:"present"`
	Card    *idcard.Card `json:"card"`
	Fault   string       `json:"fault"`
}

func (b *Bench) readerView() readerView {
	v := readerView{Fault: string(b.reader.Fault())}
	if c, ok := b.reader.Present(); ok {
		v.Present, v.Card = true, &c
	}
	if !b.readerLink.Plugged() {
		v.Fault = unplugged
	}
	return v
}

func (b *Bench) getCard(w http.ResponseWriter, _ *http.Request) error {
	return reply(w, http.StatusOK, b.readerView())
}

// putCard lays a card on the reader, in place of one that lies there.
func (b *Bench) putCard(w http.ResponseWriter, r *http.Request) error {
	in, err := body[cardRequest](w, r)
	if err != nil {
		return err
	}
	c, err := complete(in, b.now())
	if err != nil {
		return err
	}
	if err := b.reader.Lay(c); err != nil {
		return refuse(http.StatusBadRequest, "cannot lay this card: %v", err)
	}
	b.hub.changed(partReader)
	return b.getCard(w, r)
}

// deleteCard takes the card away; without one it changes nothing.
func (b *Bench) deleteCard(w http.ResponseWriter, r *http.Request) error {
	b.reader.Remove()
	b.hub.changed(partReader)
	return b.getCard(w, r)
}

// faultBody is the body and the answer of all routes that set a fault.
type faultBody struct {
	Fault *string `json:"fault"`
}

// fault reads a request for one of the allowed faults.
func fault(w http.ResponseWriter, r *http.Request, allowed []string) (string, error) {
	in, err := body[faultBody](w, r)
	if err != nil {
		return "", err
	}
	if in.Fault == nil {
		return "", refuse(http.StatusBadRequest, `cannot set a fault: {"fault":"…"} is missing`)
	}
	return *in.Fault, oneOf("fault", *in.Fault, allowed)
}

// readerFaults are the faults of the device, and that of its cable.
func readerFaults() []string {
	var all []string
	for _, f := range idcard.Faults() {
		all = append(all, string(f))
	}
	return append(all, unplugged)
}

func (b *Bench) getReaderFault(w http.ResponseWriter, _ *http.Request) error {
	f := b.readerView().Fault
	return reply(w, http.StatusOK, faultBody{&f})
}

func (b *Bench) putReaderFault(w http.ResponseWriter, r *http.Request) error {
	f, err := fault(w, r, readerFaults())
	if err != nil {
		return err
	}
	b.plugging.Lock()
	err = b.setReaderFault(f)
	b.plugging.Unlock()
	if err != nil {
		return err
	}
	b.hub.changed(partReader)
	return b.getReaderFault(w, r)
}

// setReaderFault pulls the plug, or puts it back and sets the fault. A reader that gets its power back has forgotten what it read.
func (b *Bench) setReaderFault(f string) error {
	if f == unplugged {
		return b.readerLink.Unplug()
	}
	err := b.reader.SetFault(idcard.Fault(f))
	if !b.readerLink.Plugged() {
		b.reader.PowerCycle()
		err = errors.Join(err, b.readerLink.Replug())
	}
	return err
}

package casefile

import (
	"bytes"
	"context"
	"image/png"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"yuanban/devices/printer"
)

// TestPictures prints every paper on a simulated printer and draws it. To look at them: RECEIPT_PICTURES=/some/folder go test -run TestPictures
func TestPictures(t *testing.T) {
	for name, doc := range samples(t, templates(t)) {
		for _, model := range []string{"epson80", "kp628e"} {
			synctest.Test(t, func(t *testing.T) {
				p, err := printer.ByName(model)
				if err != nil {
					t.Fatal(err)
				}
				data := onPaper(t, doc, p)
				img, err := png.Decode(bytes.NewReader(data))
				if err != nil {
					t.Fatal(err)
				}
				if w := img.Bounds().Dx(); w < p.Dots || w > p.Dots+100 {
					t.Errorf("%s, %s: %d dots wide", name, model, w)
				}
				if dir := os.Getenv("RECEIPT_PICTURES"); dir != "" {
					if err := os.WriteFile(filepath.Join(dir, name+"."+model+".png"), data, 0o644); err != nil {
						t.Fatal(err)
					}
				}
			})
		}
	}
}

// onPaper prints a document and returns its picture.
func onPaper(t *testing.T, doc *printer.Document, p *printer.Profile) []byte {
	t.Helper()
	cmds, err := printer.Encode(doc, p)
	if err != nil {
		t.Fatal(err)
	}
	host, port := net.Pipe()
	sim := printer.NewSim(p, &printer.SimOpts{Quick: true})
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { sim.Serve(ctx, port) })
	all.Go(func() {
		for b := make([]byte, 64); ; { // what it says, XOFF too, is not listened to: it prints as fast as it is told
			if _, err := host.Read(b); err != nil {
				return
			}
		}
	})
	for _, c := range cmds {
		if _, err := host.Write(c); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
	}
	time.Sleep(time.Second)
	cancel()
	host.Close()
	all.Wait()
	papers := sim.Receipts()
	if len(papers) != 1 || papers[0].Partial || !slices.Equal(papers[0].Lines, printer.Lines(doc, p)) {
		t.Fatalf("on paper: %+v", papers)
	}
	data, err := sim.PNG(papers[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

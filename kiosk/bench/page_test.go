package bench

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"yuanban/devices/printer"
)

// openPage opens the bench page in a headless browser and returns the browser's context, and what the browser complained about.
func (p played) openPage() (context.Context, func() []string) {
	p.Helper()
	if testing.Short() {
		p.Skip("no browser in short tests")
	}
	if _, err := exec.LookPath("chromium"); err != nil {
		p.Skip("cannot find chromium; install the package chromium")
	}
	options := chromedp.DefaultExecAllocatorOptions[:]
	if os.Geteuid() == 0 {
		options = append(options[:len(options):len(options)], chromedp.NoSandbox)
	}
	ctx, cancel := context.WithTimeout(p.Context(), time.Minute)
	p.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	p.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	p.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1440, 900)); err != nil {
		p.Fatal(err)
	}
	var mu sync.Mutex
	var complaints []string
	messages := chromedp.Console(ctx)
	go func() { // ends with the browser
		for m, err := range messages {
			if err != nil {
				return
			}
			mu.Lock()
			complaints = append(complaints, m.String()+" "+m.URL)
			mu.Unlock()
		}
	}()
	if err := chromedp.Do(ctx, chromedp.Navigate(p.url+"/bench")); err != nil {
		p.Fatal(err)
	}
	return ctx, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return complaints
	}
}

// js evaluates an expression in the page.
func js[T any](p played, ctx context.Context, expression string) T {
	p.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		p.Fatalf("%s: %v", expression, err)
	}
	return v
}

// middle is where an element is on the page.
func (p played) middle(ctx context.Context, selector string) (x, y float64) {
	p.Helper()
	xy := js[[]float64](p, ctx, `(() => { const r = document.querySelector('`+selector+`').getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()`)
	return xy[0], xy[1]
}

func TestPagePlaysTheHardware(t *testing.T) {
	p := play(t)
	ctx, complaints := p.openPage()
	see := func(expression string) {
		t.Helper()
		p.eventually(expression, func() bool { return js[bool](p, ctx, expression) })
	}
	click := func(selector string) {
		t.Helper()
		x, y := p.middle(ctx, selector)
		if err := chromedp.Do(ctx, chromedp.MouseClickXY(x, y)); err != nil {
			t.Fatal(err)
		}
	}
	see(`document.querySelectorAll('#tray .card').length === 6 && document.getElementById('live').dataset.live === 'yes'`)

	// A card is dragged onto the reader, exchanged by a click, and taken away.
	fx, fy := p.middle(ctx, ".tray-slot:nth-child(2) .card")
	tx, ty := p.middle(ctx, "#reader-pad")
	if err := chromedp.Do(ctx,
		chromedp.MouseEvent(chromedp.MousePressed, fx, fy, chromedp.Button("left"), chromedp.ClickCount(1)),
		chromedp.MouseEvent(chromedp.MouseMoved, (fx+tx)/2, (fy+ty)/2, chromedp.Button("left")),
		chromedp.MouseEvent(chromedp.MouseMoved, tx, ty, chromedp.Button("left")),
		chromedp.MouseEvent(chromedp.MouseReleased, tx, ty, chromedp.Button("left"), chromedp.ClickCount(1))); err != nil {
		t.Fatal(err)
	}
	p.eventually("the dragged card lies on the reader", func() bool { c, ok := p.bench.reader.Present(); return ok && strings.Contains(c.Name, "·") })
	see(`document.getElementById('reader-pad').dataset.present === 'yes' && !document.querySelector('.is-ghost')`)
	click(".tray-slot:nth-child(4) .card")
	p.eventually("the clicked card lies on the reader", func() bool { c, _ := p.bench.reader.Present(); return c.Name == "李四" })
	see(`!document.getElementById('reader-remove').disabled`)
	click("#reader-remove")
	p.eventually("no card lies on the reader", func() bool { _, ok := p.bench.reader.Present(); return !ok })

	// The plug, a lamp, and what a refused request says.
	click("#reader-plug")
	p.eventually("unplugged", func() bool { return !p.bench.readerLink.Plugged() })
	see(`document.getElementById('reader').dataset.fault === 'unplugged'`)
	click("#reader-plug")
	p.eventually("plugged in", p.bench.readerLink.Plugged)
	if err := p.bench.Lamps()[2].Set(true); err != nil {
		t.Fatal(err)
	}
	see(`document.querySelectorAll('.cap[data-lit="yes"]').length === 1`)
	click("#make-card")
	js[bool](p, ctx, `(() => { const f = document.getElementById('maker-form'); f.elements.validTo.value = 'soon'; f.requestSubmit(); return true; })()`)
	see(`document.getElementById('maker-error').textContent.includes('validTo')`)
	click("#maker-close")

	// A receipt comes out as a picture and is torn off.
	if out := p.print(receipt(), nil); out.State != printer.Printed {
		t.Fatalf("outcome %+v", out)
	}
	see(`(() => { const i = document.querySelector('.paper img'); return i !== null && i.complete && i.naturalWidth >= 576; })()`)
	see(`!document.getElementById('tear').disabled`)
	click("#tear")
	see(`document.querySelector('.paper') === null && document.querySelector('#stack button').dataset.taken === 'yes'`)

	// The one expected complaint is the browser's own about the refused card.
	for _, c := range complaints() {
		if !strings.Contains(c, "400 (Bad Request)") && !strings.HasSuffix(c, p.url+"/") {
			t.Errorf("the browser complains: %s", c)
		}
	}
}

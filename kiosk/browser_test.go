package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// page is one screen of a running program in a real browser.
type page struct {
	t   testing.TB
	ctx context.Context
	p   *program
	n   int // pictures taken
}

// open shows the program's screen in headless Chromium at the size of the real one.
func open(t testing.TB, p *program, width, height int64) *page {
	t.Helper()
	if _, err := exec.LookPath("chromium"); err != nil {
		t.Fatal("these tests drive Chromium; install it: apt-get install chromium fonts-noto-cjk")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.ExecPath("chromium"), chromedp.WindowSize(int(width), int(height)))
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	// The first call starts the browser, which lives as long as that call's context: none with a deadline.
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("cannot start Chromium: %v", err)
	}
	b := &page{t: t, ctx: ctx, p: p}
	b.do(chromedp.EmulateViewport(width, height))
	b.do(chromedp.Navigate(p.url))
	return b
}

func (b *page) do(a chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, a); err != nil {
		b.t.Fatalf("browser: %v\nscreen: %s\n%s", err, b.text(), b.p.log)
	}
}

func (b *page) text() string {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	s, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.innerText`))
	if err != nil {
		return err.Error()
	}
	return s
}

// screen waits for the screen of a name and takes its picture when pictures are wanted; every screen must lead home and to help,
// and nothing on it may be cut off.
func (b *page) screen(name string) {
	b.t.Helper()
	b.wait("the screen "+name, fmt.Sprintf(`document.documentElement.dataset.screen === %q`, name))
	b.picture(name)
	b.fits(name)
}

// see waits for words on the screen.
func (b *page) see(words string) {
	b.t.Helper()
	b.wait("the words "+words, fmt.Sprintf(`document.body.innerText.replace(/\s+/g, '').includes(%q)`, strings.Join(strings.Fields(words), "")))
}

func (b *page) wait(what, condition string) {
	b.t.Helper()
	end := time.Now().Add(25 * time.Second)
	for {
		ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](condition))
		cancel()
		if err == nil && ok {
			return
		}
		if time.Now().After(end) {
			b.t.Fatalf("waited in vain for %s (%v)\non the screen:\n%s\nlog:\n%s", what, err, b.text(), b.p.log)
		}
		time.Sleep(25 * time.Millisecond)
	}
}

// tap presses the enabled button that carries the words, with the mouse at its middle as a finger would.
func (b *page) tap(words string) {
	b.t.Helper()
	b.tapAt("a button with "+words, fmt.Sprintf(`[...document.querySelectorAll('button')].find(e => !e.disabled && e.offsetParent && e.innerText.replace(/\s+/g, '').includes(%q))`, strings.Join(strings.Fields(words), "")))
}

// tapListed presses a button of a list, turning its pages until the button is there.
func (b *page) tapListed(words string) {
	b.t.Helper()
	for range 20 {
		var there, more int
		b.eval(fmt.Sprintf(`Number([...document.querySelectorAll('#main button')].some(e => e.offsetParent && e.innerText.replace(/\s+/g, '').includes(%q)))`, words), &there)
		b.eval(`Number(document.querySelector('.turn:last-of-type:not([disabled])') !== null)`, &more)
		if there == 1 || more == 0 {
			break
		}
		const place = `Number((document.querySelector('.place')?.innerText.match(/第\s*(\d+)/) ?? [0, 1])[1])`
		var at int
		b.eval(place, &at)
		b.tap("下一页")
		// A tap that meets a change of the screen is lost, as a finger's may be: then it is made again.
		for now, end := at, time.Now().Add(5*time.Second); now == at && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			b.eval(place, &now)
		}
	}
	b.tap(words)
}

// key presses keys of the keyboard on the screen.
func (b *page) key(keys string) {
	b.t.Helper()
	for _, k := range keys {
		b.tapAt("the key "+string(k), fmt.Sprintf(`[...document.querySelectorAll('.key')].find(e => e.offsetParent && e.innerText.trim().toUpperCase() === %q)`, strings.ToUpper(string(k))))
	}
}

func (b *page) tapAt(what, element string) {
	b.t.Helper()
	type point struct{ X, Y float64 }
	b.wait(what, fmt.Sprintf(`!!(%s)`, element))
	ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
	defer cancel()
	at, err := chromedp.Run(ctx, chromedp.Evaluate[point](fmt.Sprintf(`(e => { const r = e.getBoundingClientRect(); return {X: r.x + r.width/2, Y: r.y + r.height/2} })(%s)`, element)))
	if err != nil {
		b.t.Fatalf("cannot find %s: %v", what, err)
	}
	b.do(chromedp.MouseClickXY(at.X, at.Y))
}

// sign draws a signature with the mouse.
func (b *page) sign() {
	b.t.Helper()
	b.wait("the signature field", `!!document.querySelector('sign-pad')`)
	ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
	defer cancel()
	r, err := chromedp.Run(ctx, chromedp.Evaluate[[]float64](`(r => [r.x, r.y, r.width, r.height])(document.querySelector('sign-pad').getBoundingClientRect())`))
	if err != nil {
		b.t.Fatal(err)
	}
	for stroke := range 3 {
		x, y := r[0]+r[2]*(0.2+0.2*float64(stroke)), r[1]+r[3]*0.3
		b.do(chromedp.MouseEvent("mousePressed", x, y, chromedp.ButtonLeft))
		for i := range 12 {
			b.do(chromedp.MouseEvent("mouseMoved", x+float64(i*8), y+float64((i%4)*20), chromedp.ButtonLeft))
		}
		b.do(chromedp.MouseEvent("mouseReleased", x+96, y+20, chromedp.ButtonLeft))
	}
}

// fits says whether something is cut off, or lies outside the display. The resting screen moves by up to 7 px a minute.
func (b *page) fits(name string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
	defer cancel()
	cut, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](`(() => {
		const out = [];
		for (const id of ['main', 'foot', 'nav', 'top']) {
			const e = document.getElementById(id);
			if (e && (e.scrollHeight > e.clientHeight + (document.documentElement.dataset.screen === 'attract' ? 8 : 1) || e.scrollWidth > e.clientWidth + 1)) out.push(id + ' is ' + e.scrollWidth + 'x' + e.scrollHeight + ' in ' + e.clientWidth + 'x' + e.clientHeight);
		}
		for (const e of document.querySelectorAll('button')) {
			const r = e.getBoundingClientRect();
			if (r.width && (r.right > innerWidth + 1 || r.bottom > innerHeight + 1 || r.left < -1 || r.top < -1)) out.push('outside: ' + e.innerText.slice(0, 20));
		}
		return out;
	})()`))
	if err != nil {
		b.t.Fatal(err)
	}
	if len(cut) > 0 {
		b.t.Errorf("screen %s: %s", name, strings.Join(cut, "; "))
	}
}

// picture keeps a picture of the screen when SCREENS_DIR says where.
func (b *page) picture(name string) {
	dir := os.Getenv("SCREENS_DIR")
	if dir == "" {
		return
	}
	time.Sleep(250 * time.Millisecond) // for the eye: motion has ended
	ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	b.n++
	file := filepath.Join(dir, fmt.Sprintf("%s-%02d-%s.png", strings.TrimPrefix(strings.ReplaceAll(b.t.Name(), "/", "-"), "TestBrowser"), b.n, name))
	if err := os.WriteFile(file, png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// reload loads the page anew, as a browser that was restarted does.
func (b *page) reload() {
	b.t.Helper()
	b.do(chromedp.Reload())
}

// eval reads a number off the page.
func (b *page) eval(expression string, out *int) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
	defer cancel()
	n, err := chromedp.Run(ctx, chromedp.Evaluate[int](expression))
	if err != nil {
		b.t.Fatal(err)
	}
	*out = n
}

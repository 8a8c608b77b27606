package ui_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"yuanban/ui"
	"yuanban/ui/gallery"
	"yuanban/ui/view"
)

// pageTest is a page in a browser and what it sends.
type pageTest struct {
	t       *testing.T
	browser context.Context
	server  *ui.Server
	actions chan view.Action
	seq     int
}

func (p *pageTest) show(v view.View) {
	p.t.Helper()
	p.server.Show(v)
	p.seq++
	p.until(fmt.Sprintf("Number(document.documentElement.dataset.seq) >= %d", p.seq))
}

func (p *pageTest) sample(name string) view.View {
	p.t.Helper()
	for _, s := range gallery.All() {
		if s.Name == name {
			return s.View
		}
	}
	p.t.Fatalf("no sample %s", name)
	return view.View{}
}

// until waits for a condition in the page.
func (p *pageTest) until(condition string) {
	p.t.Helper()
	script := fmt.Sprintf(`(async () => { const end = performance.now() + 8000; while (!(%s)) { if (performance.now() > end) return false; await new Promise((d) => setTimeout(d, 10)); } return true; })()`, condition)
	ok, err := chromedp.Run(p.browser, chromedp.Evaluate[bool](script, chromedp.EvalAwaitPromise))
	if err != nil || !ok {
		p.t.Fatalf("the page never came to %s (%v)", condition, err)
	}
}

func (p *pageTest) do(script string) {
	p.t.Helper()
	if _, err := chromedp.Run(p.browser, chromedp.Evaluate[bool]("(() => {"+script+"; return true })()")); err != nil {
		p.t.Fatal(err)
	}
}

// wants waits for an action, passing over the page's word that somebody is there.
func (p *pageTest) wants(do string) view.Action {
	p.t.Helper()
	for {
		select {
		case a := <-p.actions:
			if a.Do == "alive" {
				continue
			}
			if a.Do != do {
				p.t.Errorf("the page sent %+v, want %s", a, do)
			}
			return a
		case <-time.After(8 * time.Second):
			p.t.Fatalf("the page never sent %s", do)
		}
	}
}

// openPage is the page of a kiosk in a browser, whose actions are kept.
func openPage(t *testing.T) (p *pageTest, base string) {
	t.Helper()
	p = &pageTest{t: t, browser: startBrowser(t), actions: make(chan view.Action, 64)}
	p.server, base = serve(t, ui.RoleKiosk, portraitScreen, func(o *ui.Options) { o.OnAction = func(a view.Action) { p.actions <- a } })
	if err := chromedp.Do(p.browser, chromedp.EmulateViewport(1080, 1920), chromedp.Navigate(base)); err != nil {
		t.Fatal(err)
	}
	return p, base
}

// TestPage drives the modules of the page: touch, keys, patching, ink, the take-over and the lost connection.
func TestPage(t *testing.T) {
	p, base := openPage(t)

	p.show(p.sample("home"))
	if err := chromedp.Do(p.browser, chromedp.Click(".entry-apply")); err != nil {
		t.Fatal(err)
	}
	p.wants("apply")

	// A region that changes keeps the element one has in hand, its focus and what was pressed.
	pack := p.sample("package")
	p.show(pack)
	p.do(`window.row = document.querySelectorAll(".pick")[2]; row.focus()`)
	body := pack.Body.(view.Package)
	body.Items = append([]view.ItemRow{}, body.Items...)
	body.Items[2].Chosen, body.Chosen = true, 4
	pack.Body = body
	p.show(pack)
	p.until(`document.activeElement === row && row.isConnected && row.getAttribute("aria-pressed") === "true"`)

	// Keyboard and switch: arrows walk, Enter chooses, letters type where keys are shown.
	p.do(`dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowUp"}))`)
	p.until(`document.activeElement === document.querySelectorAll(".pick")[1]`)
	p.show(p.sample("search"))
	p.do(`dispatchEvent(new KeyboardEvent("keydown", {key: "z"}))`)
	if a := p.wants("key"); a.Arg("key") != "z" {
		t.Errorf("typing z sent %+v", a)
	}

	// A finger that went down on one screen chooses nothing on the next.
	p.show(p.sample("identity"))
	p.do(`const b = document.querySelector("#foot .main"); b.dispatchEvent(new PointerEvent("pointerdown", {bubbles: true})); window.held = b`)
	p.show(p.sample("letter-2"))
	p.do(`document.querySelector("#foot .main").dispatchEvent(new MouseEvent("click", {bubbles: true, detail: 2}))`)
	p.show(p.sample("sign"))
	select {
	case a := <-p.actions:
		if a.Do != "alive" {
			t.Errorf("a held finger sent %+v on the next screen", a)
		}
	default:
	}

	// Ink is sent after each stroke, survives an echo, and is drawn again by a page that is loaded anew.
	p.do(`const c = document.querySelector("sign-pad canvas"), r = c.getBoundingClientRect();
		c.setPointerCapture = () => {};
		const at = (type, x, y) => c.dispatchEvent(new PointerEvent(type, {bubbles: true, pointerId: 7, button: 0, buttons: 1, clientX: r.left + x * r.width, clientY: r.top + y * r.height}));
		at("pointerdown", 0.2, 0.2); at("pointermove", 0.4, 0.3); at("pointermove", 0.6, 0.2); at("pointerup", 0.6, 0.2)`)
	ink := p.wants("ink").Arg("strokes")
	var strokes [][][3]int
	if err := json.Unmarshal([]byte(ink), &strokes); err != nil || len(strokes) != 1 || len(strokes[0]) != 3 || strokes[0][1][0] != 400 {
		t.Fatalf("the ink is %s (%v), want one stroke of three points in thousandths of the width", ink, err)
	}
	sign := p.sample("sign")
	b := sign.Body.(view.Sign)
	b.Inked, b.Strokes = true, ink
	sign.Body = b
	p.show(sign)
	if err := chromedp.Do(p.browser, chromedp.Navigate(base)); err != nil {
		t.Fatal(err)
	}
	p.until(`document.querySelector("sign-pad canvas")?.getContext("2d").getImageData(0, 0, 900, 400).data.some((v, i) => i % 4 === 3 && v > 0)`)
	if err := chromedp.Do(p.browser, chromedp.Click(".sign-end button")); err != nil {
		t.Fatal(err)
	}
	if a := p.wants("ink"); a.Arg("strokes") != "[]" {
		t.Errorf("清除重写 sent %+v", a)
	}

	// The idle question takes the focus and keeps the page behind it out of reach.
	idle := p.sample("idle")
	p.show(idle)
	p.until(`document.getElementById("app").inert && document.activeElement.closest(".idle .main")`)
	idle.Idle = nil
	p.show(idle)
	p.until(`!document.getElementById("app").inert`)

	// Another display takes over: nothing of the visit stays on this one.
	newer := open(t, base)
	next(t, newer)
	p.until(`!document.getElementById("taken").hidden && document.getElementById("main").childElementCount === 0`)
}

// TestHold: a finger on the name of the park is told as it comes and goes, a wandering one goes, and no other place tells anything.
func TestHold(t *testing.T) {
	p, _ := openPage(t)
	p.show(p.sample("home"))
	finger := func(selector, event, more string) {
		p.do(`document.querySelector("` + selector + `").dispatchEvent(new PointerEvent("` + event + `", {bubbles: true, isPrimary: true, button: 0, pointerId: 1, clientX: 100, clientY: 60` + more + `}))`)
	}
	finger(".brand", "pointerdown", "")
	p.wants("hold")
	finger(".brand", "pointermove", ", clientX: 110")
	finger(".brand", "pointerup", "")
	p.wants("release")
	finger(".brand-name", "pointerdown", "")
	p.wants("hold")
	finger(".brand", "pointermove", ", clientX: 160")
	p.wants("release")
	finger(".clock", "pointerdown", "")
	finger(".clock", "pointerup", "")
	finger(".brand", "pointerdown", ", isPrimary: false")
	if err := chromedp.Do(p.browser, chromedp.Click(".entry-apply")); err != nil {
		t.Fatal(err)
	}
	p.wants("apply")
}

// TestPageSaysThatTheProgramIsGone ends the server; the page shows S-903 by itself.
func TestPageSaysThatTheProgramIsGone(t *testing.T) {
	p := &pageTest{t: t, browser: startBrowser(t)}
	t.Run("served", func(t *testing.T) {
		server, base := serve(t, ui.RoleKiosk, portraitScreen)
		p.server = server
		if err := chromedp.Do(p.browser, chromedp.EmulateViewport(1080, 1920), chromedp.Navigate(base)); err != nil {
			t.Fatal(err)
		}
		p.show(p.sample("home"))
	}) // its end stops the server
	p.until(`!document.getElementById("lost").hidden && document.getElementById("lost").innerText.includes("S-903")`)
}

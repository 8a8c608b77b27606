package ui_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/chromedp/chromedp"

	"yuanban/ui"
	"yuanban/ui/gallery"
	"yuanban/ui/view"
	"yuanban/ui/wording"
)

// display is one kind of machine on which the samples are measured.
type display struct {
	name   string
	role   ui.Role
	screen ui.Screen
	modes  map[string]view.Modes
}

var displays = []display{
	{"kiosk", ui.RoleKiosk, ui.Screen{Width: 1080, Height: 1920, Diagonal: 21.5}, map[string]view.Modes{
		"": {}, "large": {Large: true}, "contrast": {Contrast: true}, "wheelchair": {Wheelchair: true},
		"contrast-large": {Contrast: true, Large: true}, "large-wheelchair": {Large: true, Wheelchair: true},
	}},
	{"pad", ui.RolePad, ui.Screen{Width: 1280, Height: 800, Diagonal: 10.1}, map[string]view.Modes{
		"": {}, "large": {Large: true}, "contrast": {Contrast: true}, "contrast-large": {Contrast: true, Large: true},
	}},
	{"wide", ui.RoleKiosk, ui.Screen{Width: 1920, Height: 1080, Diagonal: 21.5}, map[string]view.Modes{
		"": {}, "large": {Large: true}, "contrast": {Contrast: true}, "contrast-large": {Contrast: true, Large: true},
	}},
}

// TestScreens shows every sample in every mode in a real browser and measures it against the numbers of the design.
// With SCREENS_DIR set it also writes a picture of each.
func TestScreens(t *testing.T) {
	measure, err := os.ReadFile("testdata/measure.js")
	if err != nil {
		t.Fatal(err)
	}
	browser := startBrowser(t)
	for _, d := range displays {
		t.Run(d.name, func(t *testing.T) {
			server, base := serve(t, d.role, d.screen)
			err := chromedp.Do(browser,
				chromedp.EmulateViewport(int64(d.screen.Width), int64(d.screen.Height)),
				chromedp.Navigate(base))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := chromedp.Run(browser, chromedp.Evaluate[int](string(measure)+";0")); err != nil {
				t.Fatal(err)
			}
			seq := 0
			for _, sample := range gallery.All() {
				if (sample.Role == "pad") != (d.role == ui.RolePad) || !picked(d.name+" "+sample.Name) {
					continue
				}
				for mode, modes := range d.modes {
					if !strings.Contains(mode, os.Getenv("SCREENS_MODE")) {
						continue
					}
					name := sample.Name
					if d.name == "wide" {
						name = "wide-" + name
					}
					if mode != "" {
						name += "--" + mode
					}
					server.Show(sample.In(view.Box{Width: d.screen.Width, Height: d.screen.Height}, modes))
					seq++
					check(t, browser, name, seq, d, modes)
				}
			}
		})
	}
}

func picked(name string) bool {
	only := os.Getenv("SCREENS_ONLY")
	return only == "" || strings.Contains(name, only)
}

func check(t *testing.T, browser context.Context, name string, seq int, d display, modes view.Modes) {
	t.Helper()
	text := 28
	if modes.Large {
		text = 40
	}
	rules, err := json.Marshal(map[string]any{"mm": d.screen.PerMM(), "text": text, "wheelchair": modes.Wheelchair})
	if err != nil {
		t.Fatal(err)
	}
	problems, err := chromedp.Run(browser, chromedp.Evaluate[[]string](fmt.Sprintf("measure(%d, %s)", seq, rules), chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", name, p)
	}
	dir := os.Getenv("SCREENS_DIR")
	if dir == "" {
		return
	}
	picture, err := chromedp.Run(browser, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o644); err != nil {
		t.Fatal(err)
	}
}

// startBrowser starts one Chromium for the test. It fails where there is none: screens nobody has looked at are not done.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("cannot look at the screens: there is no chromium; install it and the typeface: apt-get install chromium fonts-noto-cjk")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("hide-scrollbars", true), chromedp.Flag("force-prefers-reduced-motion", true))
	allocator, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	browser, closePage := chromedp.NewContext(allocator)
	t.Cleanup(closePage)
	if err := chromedp.Do(browser); err != nil {
		t.Fatalf("cannot start chromium: %v", err)
	}
	return browser
}

// serve starts a server on a loopback port and stops it with the test.
func serve(t testing.TB, role ui.Role, screen ui.Screen, change ...func(*ui.Options)) (*ui.Server, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	options := ui.Options{
		Words: wording.Default(), Role: role, Screen: screen, Hosts: []string{listener.Addr().String()}, Now: gallery.Moment,
		Photos: fstest.MapFS{"sample.svg": {Data: []byte(portrait)}},
	}
	for _, f := range change {
		f(&options)
	}
	server, err := ui.New(options)
	if err != nil {
		t.Fatal(err)
	}
	web := &http.Server{Handler: server.Handler(), ReadHeaderTimeout: 5 * time.Second}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- web.Serve(listener) }()
	go func() { ended <- server.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		web.Close()
		<-ended
		<-ended
	})
	return server, "http://" + listener.Addr().String() + "/"
}

// portrait is a drawn person; no real one is in this repository.
const portrait = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 400"><rect width="300" height="400" fill="#cfdcec"/><path d="M30 400c0-90 50-140 120-140s120 50 120 140z" fill="#24456f"/><path d="M118 262h64l-32 56z" fill="#fff"/><rect x="124" y="210" width="52" height="66" rx="24" fill="#e3b995"/><ellipse cx="150" cy="156" rx="66" ry="80" fill="#efc9a7"/><path d="M82 150c-6-70 30-96 68-96s74 26 68 96c-8-34-26-48-68-48s-60 14-68 48z" fill="#2a2522"/></svg>`

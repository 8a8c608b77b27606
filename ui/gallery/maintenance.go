package gallery

import (
	"strings"
	"time"

	"yuanban/ui/view"
)

// maintenance are the technician's screens, as they are on a machine of either role.
func (b book) maintenance(role string) []Sample {
	machine := []view.Named{{Name: b.Text("maint.number"), Value: "K3M92A"}, {Name: b.Text("maint.place"), Value: "示例产业园区"},
		{Name: b.Text("maint.program"), Value: "1.4.2"}, {Name: b.Text("maint.configuration"), Value: "17"}}
	well := func(name, state, detail string) view.Card {
		return view.Card{Name: b.Text(name), Mark: b.Text("maint.state." + state), Well: true, Detail: detail}
	}
	seen := func(words ...string) string {
		var said []string
		for _, w := range words {
			said = append(said, b.Text("maint.seen."+w, "value", map[string]string{"baud": "115200"}[w]))
		}
		return strings.Join(said, b.Text("maint.and"))
	}
	bad := func(device, state, when, detail, next, raw string) view.Card {
		mark := b.Text("maint.state." + state)
		if when != "" {
			mark = b.Text("maint.since", "state", mark, "when", when)
		}
		if role == "pad" {
			raw = ""
		}
		return view.Card{Name: b.Text("tech.device." + device), Mark: mark, Detail: detail, Next: b.Text("maint.next." + next), Raw: raw}
	}
	second := b.Text("maint.of", "part", b.Text("maint.part.button", "number", "2", "name", b.Text("level.2")), "what", b.Text("maint.seen.stuck"))
	rest := []view.Card{
		well("maint.card.journal", "well", b.Text("maint.journal.all")),
		well("tech.platform", "online", b.Text("maint.platform.last", "when", "14:04")),
		well("maint.card.disk", "well", b.Text("maint.disk.free", "size", "23.4 GB")),
		well("tech.clock", "well", "2026-11-22 14:05"),
	}
	good := append([]view.Card{
		well("tech.device.reader", "online", b.Text("maint.seen.sam", "value", "05.03-20100828-0001234567-0089012345")+b.Text("maint.and")+seen("baud")),
		well("tech.device.printer", "online", seen("paperFull", "coverShut", "cutterWell")),
		well("tech.device.buttons", "online", seen("allWork")), well("tech.device.sensors", "online", seen("doorOpen", "somebody")),
	}, rest...)
	lost := append([]view.Card{
		bad("reader", "mute", "13:48", b.Text("maint.seen.cycled", "value", "1")+b.Text("maint.and")+seen("mute"), "cycled", "…not answer; its power is switched off and on (time 1)"),
		bad("printer", "attention", "", seen("paperOut", "coverShut", "cutterWell"), "paperOut", ""),
		bad("buttons", "hardwareError", "14:01", second, "stuck", "…2 is held down or shorted: free it or check its cable"),
		bad("sensors", "offline", "11-21 08:12", seen("gone"), "sensors.offline", "…/dev/gpiochip2: no such file or directory: device gone"),
		bad("relay", "denied", "11-21 08:12", seen("denied"), "denied", "…group of that node (dialout, udev rule of the package)"),
		{Name: b.Text("tech.platform"), Mark: b.Text("maint.state.offline"), Detail: b.Text("maint.platform.unreachable"), Next: b.Text("maint.next.platform.unreachable"), Raw: "…dial tcp 10.20.0.7:443: connect: no route to host"},
		{Name: b.Text("maint.card.journal"), Mark: b.Text("maint.state.well"), Well: true, Detail: b.Text("maint.journal.since", "count", "128", "when", "11-21 19:40")},
	}, rest[2:]...)
	if role == "pad" {
		rest := view.Card{Name: b.Text("maint.card.machine"), Mark: b.Text("maint.state.online"), Well: true,
			Detail: b.Text("maint.machine", "number", "K3M92A", "place", b.Text("maint.window", "number", "3"), "program", "1.4.2") + b.Text("maint.machine.configuration", "version", "17")}
		machine, good, lost = nil, append(good[2:], rest), append(lost[2:3], lost[5:]...)
		lost[1].Raw = ""
		lost = append(lost, rest)
	}
	tasks := view.Tasks{}
	for _, t := range [][2]string{{"print", "printer"}, {"card", "card"}, {"keys", "touch"}, {"restart", "screen"}, {"stick", "stick"}} {
		tasks.Tasks = append(tasks.Tasks, view.Button{Label: b.Text("maint.do." + t[0]), Do: t[0], Icon: t[1]})
	}
	asked := tasks
	asked.Word = b.Text("maint.restart.asked")
	var keys []view.TrialKey
	for i, l := range b.levels() {
		keys = append(keys, view.TrialKey{Level: l, Pressed: i < 3, Now: i == 2, Lit: i == 3})
	}
	locked := view.PIN{Most: 12, Failure: b.fail("M-702"), Until: time.Now().Add(11 * time.Minute), Total: 15 * time.Minute}
	end, list := other("maint.do.end", "end"), main("maint.do.tasks", "tasks")
	again := b.foot(end, other("maint.do.again", "again"), list)
	enter := main("maint.do.enter", "enter")
	short := enter
	short.Disabled = true
	cancel := other("maint.do.cancel", "cancel")
	prefix, raw := "", "…this bundle: it is signed by another site, 5F2A 91C0 77E4"
	if role == "pad" {
		prefix, raw = "pad-", ""
	}
	one := func(name, screen, title string, body any, change ...func(*view.View)) Sample {
		s := b.kiosk(prefix+name, screen, title, body, change...)
		s.Role = role
		return s
	}
	trial := func(name, title string, body view.Trial, change ...func(*view.View)) Sample {
		return one("maintenance-"+name, "trial", title, body, change...)
	}
	status := b.foot(end, list)
	return []Sample{
		one("maintenance", "maintenance", "maint.maintenance.title", view.Maintenance{Machine: machine, Cards: good, Pager: view.Pager{Page: 1, Pages: 1}}, status),
		one("maintenance-lost", "maintenance", "maint.maintenance.title", view.Maintenance{Machine: machine, Cards: lost, Pager: view.Pager{Page: 1, Pages: 1}}, status),
		one("maintenance-soon", "maintenance", "maint.soon", view.Maintenance{Machine: machine, Cards: lost, Pager: view.Pager{Page: 1, Pages: 1}}, status),
		one("maintenance-tasks", "tasks", "maint.tasks.title", tasks, b.foot(end, main("maint.do.overview", "overview"))),
		one("maintenance-tasks-asked", "tasks", "maint.tasks.title", asked, b.foot(end, main("maint.do.overview", "overview"))),
		trial("restart-failed", "maint.do.restart", view.Trial{Failure: b.fail("M-731")}, again),
		trial("print", "maint.do.print", view.Trial{Word: b.Text("maint.print.running"), Busy: true, Percent: 62}, status),
		trial("printed", "maint.do.print", view.Trial{Good: b.Text("maint.print.done")}, again),
		trial("print-failed", "maint.do.print", view.Trial{Failure: b.fail("M-711", "why", b.Text("maint.print.paperOut.why"), "next", b.Text("maint.print.paperOut.do"))}, again),
		trial("print-unknown", "maint.do.print", view.Trial{Failure: b.fail("M-712")}, again),
		trial("card", "maint.do.card", view.Trial{Word: b.Text("maint.card.lay"), Busy: true}, status),
		trial("card-read", "maint.do.card", view.Trial{Good: b.Text("maint.card.good")}, again),
		trial("card-failed", "maint.do.card", view.Trial{Failure: b.fail("M-722")}, again),
		trial("keys", "maint.do.keys", view.Trial{Word: b.Text("maint.keys.word"), Keys: keys}, again),
		trial("stick", "maint.do.stick", view.Trial{Word: b.Text("maint.stick.word")}, b.foot(end, other("maint.do.tasks", "tasks"), main("maint.do.begin", "begin"))),
		trial("stick-running", "maint.do.stick", view.Trial{Word: b.Text("maint.stick.running"), Busy: true, Step: b.Text("maint.step.Install"), Percent: 41}, b.foot(list)),
		trial("stick-done", "maint.do.stick", view.Trial{Good: b.Text("maint.stick.done", "version", " 18", "when", "14:04")}, b.foot(end, other("maint.do.tasks", "tasks"), main("maint.do.begin", "begin"))),
		trial("stick-failed", "maint.do.stick", view.Trial{Failure: b.fail("M-742", "why", b.Text("maint.stick.failed.foreign")), Raw: raw}, b.foot(end, other("maint.do.tasks", "tasks"), main("maint.do.begin", "begin"))),
		trial("stick-asked", "maint.do.stick", view.Trial{Good: b.Text("maint.stick.asked", "code", "7KQ4-M2XA-9TBC")}, b.foot(end, other("maint.do.tasks", "tasks"), main("maint.do.begin", "begin"))),
		one("maintenance-pin", "pin", "maint.pin.title", view.PIN{Typed: 4, Most: 12, Keys: view.KeysDigits}, b.foot(cancel, short)),
		one("maintenance-pin-wrong", "pin", "maint.pin.title", view.PIN{Most: 12, Keys: view.KeysDigits, Failure: b.fail("M-701", "left", "3")}, b.foot(cancel, short)),
		one("maintenance-pin-full", "pin", "maint.pin.title", view.PIN{Typed: 12, Most: 12, Keys: view.KeysDigits}, b.foot(cancel, enter)),
		one("maintenance-pin-locked", "pin", "maint.pin.wait", locked, b.foot(cancel)),
		one("maintenance-pin-loose", "pin", "maint.pin.wait", view.PIN{Most: 12, Failure: b.fail("M-703"), Until: time.Now().Add(2 * time.Minute), Total: 3 * time.Minute}, b.foot(cancel)),
		one("maintenance-pin-unread", "pin", "maint.pin.wait", view.PIN{Most: 12, Failure: b.fail("M-704"), Until: time.Now().Add(14 * time.Minute), Total: 15 * time.Minute}, b.foot(cancel)),
	}
}

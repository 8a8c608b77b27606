package gallery

import (
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
	bad := func(device, state, detail, when string) view.Card {
		return view.Card{Name: b.Text("tech.device." + device), Mark: b.Text("maint.since", "state", b.Text("maint.state."+state), "when", when), Detail: detail, Next: b.Text("maint.next." + device + "." + state)}
	}
	rest := []view.Card{
		well("maint.card.journal", "well", b.Text("maint.journal.all")),
		well("tech.platform", "online", b.Text("maint.platform.last", "when", "14:04")),
		well("maint.card.disk", "well", b.Text("maint.disk.free", "size", "23.4 GB")),
		well("tech.clock", "well", "2026-11-22 14:05"),
	}
	good := append([]view.Card{
		well("tech.device.reader", "online", "at 115200 baud, firmware 2.1"), well("tech.device.printer", "online", "paper full, cover closed, cutter ok"),
		well("tech.device.buttons", "online", "all buttons work"), well("tech.device.sensors", "online", "door open; somebody near"),
	}, rest...)
	lost := append([]view.Card{
		bad("reader", "offline", "cannot open /dev/kiosk/reader: no such file or directory: device gone", "13:48"),
		bad("printer", "hardwareError", "the printer does not answer status requests; its line works, look at its p…", "11-21 08:12"),
		bad("buttons", "hardwareError", "button 2 has been held for 30 s and is set aside", "14:01"),
		{Name: b.Text("tech.platform"), Mark: b.Text("maint.state.offline"), Detail: "Post \"https://platform.example/kiosk\": dial tcp: no route to host", Next: b.Text("maint.next.platform")},
		{Name: b.Text("maint.card.journal"), Mark: b.Text("maint.state.well"), Well: true, Detail: b.Text("maint.journal.since", "count", "128", "when", "11-21 19:40")},
	}, rest[2:]...)
	if role == "pad" {
		rest := view.Card{Name: b.Text("maint.card.machine"), Mark: b.Text("maint.state.online"), Well: true,
			Detail: b.Text("maint.machine", "number", "K3M92A", "place", b.Text("maint.window", "number", "3"), "program", "1.4.2") + b.Text("maint.machine.configuration", "version", "17")}
		machine, good, lost = nil, append(good[2:], rest), append(lost[2:], rest)
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
	prefix := ""
	if role == "pad" {
		prefix = "pad-"
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
		trial("stick-failed", "maint.do.stick", view.Trial{Failure: b.fail("M-742", "why", "the bundle is not signed by this site; make a new one and write it to the…", "own", "U-12")}, b.foot(end, other("maint.do.tasks", "tasks"), main("maint.do.begin", "begin"))),
		one("maintenance-pin", "pin", "maint.pin.title", view.PIN{Typed: 4, Most: 12, Keys: view.KeysDigits}, b.foot(cancel, short)),
		one("maintenance-pin-wrong", "pin", "maint.pin.title", view.PIN{Most: 12, Keys: view.KeysDigits, Failure: b.fail("M-701", "left", "3")}, b.foot(cancel, short)),
		one("maintenance-pin-full", "pin", "maint.pin.title", view.PIN{Typed: 12, Most: 12, Keys: view.KeysDigits}, b.foot(cancel, enter)),
		one("maintenance-pin-locked", "pin", "maint.pin.title", locked, b.foot(cancel)),
		one("maintenance-pin-loose", "pin", "maint.pin.title", view.PIN{Most: 12, Failure: b.fail("M-703"), Until: time.Now().Add(2 * time.Minute), Total: 3 * time.Minute}, b.foot(cancel)),
		one("maintenance-pin-unread", "pin", "maint.pin.title", view.PIN{Most: 12, Failure: b.fail("M-704"), Until: time.Now().Add(14 * time.Minute), Total: 15 * time.Minute}, b.foot(cancel)),
	}
}

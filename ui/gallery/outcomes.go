package gallery

import (
	"time"

	"yuanban/ui/view"
)

func (b book) receipt() []Sample {
	at := step(view.StepReceipt)
	receipt := func(p view.Print) view.Accepted {
		return view.Accepted{Cases: cases(1, false), Uploaded: true, QR: "https://example.gov.cn/r/430682202611220001427K3M92", Side: "below", Print: p, Pager: view.Pager{Page: 1, Pages: 1}}
	}
	three := receipt(view.Print{State: view.PrintDone})
	three.Cases, three.Package, three.Side = cases(3, false), "企业开办大礼包", "right"
	pages := three
	pages.Uploaded, pages.Pager = false, view.Pager{Page: 1, Pages: 2}
	later := receipt(view.Print{State: view.PrintDone})
	later.Cases, later.Uploaded, later.Side = cases(1, true), false, "left"
	long := receipt(view.Print{State: view.PrintDone})
	long.Cases[0].Name = longName
	what := []string{"what", b.Text("do.print") + "的回执", "place", "3 号窗口"}
	means := []string{"what", "您的申报已受理，编号 …0142。", "place", "3 号窗口"}
	failed := func(state view.PrintState, code string, pairs []string) view.Accepted {
		return receipt(view.Print{State: state, Failure: b.fail(code, pairs...), Job: "0142-1"})
	}
	foot := b.foot(other("do.finish", "finish"), main("do.accepted.rate", "rate"))
	return []Sample{
		b.kiosk("accepted-printing", "accepted", "accepted.title", receipt(view.Print{State: view.PrintRunning, Percent: 62}), at, noBack, foot),
		b.kiosk("accepted-printed", "accepted", "accepted.title", receipt(view.Print{State: view.PrintDone}), at, noBack, foot),
		b.kiosk("accepted-package", "accepted", "accepted.title", three, at, noBack, foot),
		b.kiosk("accepted-package-local", "accepted", "accepted.title.local", pages, at, noBack, foot, b.banner("banner.platform")),
		b.kiosk("accepted-local", "accepted", "accepted.title.provisional", later, at, noBack, foot, b.banner("banner.platform")),
		b.kiosk("accepted-long-name", "accepted", "accepted.title", long, at, noBack, foot),
		b.kiosk("accepted-paper-out", "accepted", "accepted.title", failed(view.PrintFailed, "P-104", means), at, noBack, foot),
		b.kiosk("accepted-paper-waiting", "accepted", "accepted.title", failed(view.PrintWaiting, "P-105", what), at, noBack, b.foot(other("do.print.skip", "skip"), main("do.accepted.rate", "rate"))),
		b.kiosk("accepted-indeterminate", "accepted", "accepted.title", failed(view.PrintIndeterminate, "P-107", nil), at, noBack, foot),
		b.kiosk("accepted-forgotten", "accepted", "accepted.title", receipt(view.Print{State: view.PrintDone, Place: view.PaperForgotten}), at, noBack, foot),
		b.kiosk("accepted-taken", "accepted", "accepted.title", receipt(view.Print{State: view.PrintDone, Place: view.PaperTaken}), at, noBack, foot),
		b.kiosk("accepted-retracted", "accepted", "accepted.title", failed(view.PrintRetracted, "P-110", []string{"what", "回执"}), at, noBack, b.foot(other("do.print.again", "print"), main("do.accepted.rate", "rate"))),
		b.kiosk("accepted-sent", "accepted", "accepted.title", receipt(view.Print{State: view.PrintSent}), at, noBack, foot),
	}
}

func (b book) levels() []view.Level {
	var all []view.Level
	for _, n := range []string{"5", "4", "3", "2", "1"} {
		all = append(all, view.Level{Value: int(n[0] - '0'), Name: b.Text("level." + n)})
	}
	return all
}

var reasonTexts = [][2]string{
	{"207", "没有提供材料样本"}, {"208", "没有提供材料清单"}, {"209", "未在承诺时间内办结"}, {"210", "同样内容的证明材料被要求多次提交"},
	{"211", "承诺网办但无法在线办理"}, {"212", "在线预约办理后到实体大厅重复取号排队"}, {"213", "窗口人员业务不熟练"}, {"214", "服务态度生硬"},
}

func reasons(n int, chosen ...int) []view.Reason {
	var out []view.Reason
	for _, r := range reasonTexts[:n] {
		out = append(out, view.Reason{Code: r[0], Text: r[1]})
	}
	for _, i := range chosen {
		out[i].Chosen = true
	}
	return out
}

const ownWords = "办理很快，但是大厅的指示牌不清楚，第一次来找不到自助机在哪里。"

func (b book) rating() []Sample {
	at := step(view.StepRating)
	rating := view.Rating{Service: "企业设立登记（含社保登记）· 收件受理", Case: "430682 20261122 000142", Levels: b.levels(), Buttons: true}
	long := rating
	long.Service = longName
	level := b.levels()[3]
	finish := b.foot(main("do.reasons.finish", "finish"))
	hold := b.foot(other("do.reasons.none", "finish"), view.Button{Label: "do.reasons.finish", Do: "finish", Main: true, Disabled: true, Why: "hold.reason"})
	composing := view.Composing{Letters: "zhishipai", Candidates: []string{"指示牌", "之时", "知识", "指示", "只是"}, Page: view.Pager{Page: 1, Pages: 6}}
	write := view.Write{Prompt: "您对本次服务的意见", Text: ownWords, Left: 119, Keys: view.KeysPinyin}
	busy, full := write, write
	busy.Composing = composing
	full.Text = fullText
	full.Left = 0
	done := b.foot(main("do.write.done", "done"))
	return []Sample{
		b.kiosk("rating", "rating", "rating.title", rating, at, noBack),
		b.kiosk("rating-long-name", "rating", "rating.title", long, at, noBack),
		b.kiosk("reasons", "reasons", "reasons.title", view.Reasons{Level: b.levels()[0], Reasons: reasons(3), HasMore: true, Left: 150}, at, noBack, finish),
		b.kiosk("reasons-bad", "reasons", "reasons.title", view.Reasons{Level: level, Bad: true, Reasons: reasons(3), HasMore: true, Left: 150}, at, noBack, hold),
		b.kiosk("reasons-more", "reasons", "reasons.title", view.Reasons{Level: level, Bad: true, Reasons: reasons(8, 3, 5), More: true, HasMore: true, Text: ownWords, Left: 119}, at, noBack, finish),
		b.kiosk("write", "write", "write.title", write, at, done),
		b.kiosk("write-composing", "write", "write.title", busy, at, done),
		b.kiosk("write-full", "write", "write.title", full, at, done),
		b.kiosk("thanks", "thanks", "thanks.title", view.Thanks{Word: b.Text("thanks.word")}, at, noBack, b.foot(main("do.finish", "finish"))),
	}
}

const fullText = "办理很快，但是大厅的指示牌不清楚，第一次来找不到自助机在哪里。工作人员很耐心，帮我找到了机器，也教我怎样放身份证。希望在门口增加指示牌，并且把自助机的位置标在地图上。另外打印的回执字有点小，老年人看不清楚，建议把编号再放大一些，查询码也请写明有效期限和查询地址，这样回家以后也能方便地查到。谢谢大家。"

func (b book) own() []Sample {
	mixed := cases(3, false)
	mixed[1].Provisional, mixed[1].Uploaded = true, false
	mixed[2].State = "已办结"
	long := cases(1, false)[0]
	long.Name = longName
	course := []view.CaseStep{{Name: "收件受理", When: "2026-11-22 14:05", Done: true}, {Name: "审查", When: "2026-11-22 14:06", Done: true}, {Name: "办结出件"}}
	link := "https://example.gov.cn/r/430682202611220001427K3M92"
	return []Sample{
		b.kiosk("progress", "progress", "progress.title", view.Progress{Name: "张*三", Cases: mixed, Pager: view.Pager{Page: 1, Pages: 2}}, b.foot(main("do.finish", "finish"))),
		b.kiosk("progress-none", "fault", "progress.title", view.Fault{Failure: *b.fail("V-502")}, b.foot(main("do.home", "home"))),
		b.kiosk("case", "case", "case.title", view.CaseDetail{Case: cases(1, false)[0], Steps: course, QR: link}, b.foot(main("do.finish", "finish"))),
		b.kiosk("case-long", "case", "case.title", view.CaseDetail{Case: long, Steps: course}, b.foot(main("do.finish", "finish"))),
		b.kiosk("assist", "assist", "assist.title", view.Assist{
			Helpers: []view.Helper{
				{Name: "吴示例", Field: "企业开办、变更、注销", Phone: "0000-8880111", Hours: "周一至周五 9:00—17:00"},
				{Name: "郑示例", Field: "项目备案、规划、施工、验收", Phone: "0000-8880112", Hours: "周一至周五 9:00—17:00"},
				{Name: "孙示例", Field: "水电气网报装、厂房租赁", Phone: "0000-8880113", Hours: "周一至周五 9:00—17:00"},
				{Name: "林示例", Field: "惠企政策、税费办理", Phone: "0000-8880114", Hours: "周一至周五 9:00—17:00"},
			},
			Kinds: []view.Choice{{Value: "guide", Name: "帮办", Chosen: true}, {Value: "act", Name: "代办"}, {Value: "joint", Name: "协调联办"}},
			Field: view.Field{Name: "phone", Label: b.Text("field.phone.label"), Shown: "138 0000", Hint: b.Text("field.phone.hint"), Active: true, Missing: 4},
			Keys:  view.KeysDigits, Free: b.Text("assist.free"),
		}, b.foot(view.Button{Label: "do.assist.send", Do: "send", Main: true, Disabled: true, Why: "hold.assist"})),
		b.kiosk("recorded", "recorded", "recorded.title", view.Recorded{Groups: []string{"BDEM", "O012", "6112", "2000", "17"}, What: "您的帮办代办需求已登记", Next: "帮办员会在一个工作日内拨打 138****1234。"}, noBack, b.foot(other("do.print", "print"), main("do.finish", "finish"))),
	}
}

func (b book) open() []Sample {
	lists := []view.ListTile{
		{ID: "power", Name: "权力清单", Version: "2026年版", Date: "2026-10-08", Note: "赋权园区事项 249 项"},
		{ID: "negative", Name: "负面清单", Version: "2026年版", Date: "2026-10-08", Note: "禁止 12 项、限制 20 项"},
		{ID: "duty", Name: "责任清单", Version: "2026年版", Date: "2026-10-08", Note: "部门责任 86 项"},
	}
	rows := []view.ListRow{
		{N: 1, Kind: "行政许可", Name: "建设工程规划许可证核发", By: "自然资源和规划局（赋权园区）"},
		{N: 2, Kind: "行政许可", Name: "建筑工程施工许可证核发", By: "住房和城乡建设局（赋权园区）"},
		{N: 3, Kind: "其他行政权力", Name: "企业投资项目备案", By: "发展和改革局（赋权园区）"},
		{N: 4, Kind: "行政确认", Name: "高新技术企业认定初审", By: "科学技术局"},
	}
	long := append([]view.ListRow{}, rows[:2]...)
	long[1].Name = longName
	return []Sample{
		b.kiosk("disclosure", "disclosure", "disclosure.title", view.Disclosure{Lists: lists, Documents: []view.ListTile{{ID: "d1", Name: "园区告知承诺制实施办法", Version: "示例", Date: "2026-09-01"}, {ID: "d2", Name: "好差评管理办法", Version: "示例", Date: "2026-09-01"}}}),
		b.kiosk("list", "list", "list.title", view.ListRows{Name: "权力清单", Version: "2026年版（示例）", Date: "2026-10-08", Rows: rows, Pager: view.Pager{Page: 1, Pages: 63}}, b.foot(main("do.print.list", "print"))),
		b.kiosk("list-long", "list", "list.title", view.ListRows{Name: "权力清单", Version: "2026年版（示例）", Date: "2026-10-08", Rows: long, Pager: view.Pager{Page: 3, Pages: 63}}),
		b.kiosk("document", "document", "document.title", view.Document{Name: "建设工程规划许可证核发", Meta: []string{"行政许可 · 自然资源和规划局（赋权园区）"}, Pager: view.Pager{Page: 1, Pages: 2}, Sections: []view.Section{{Head: "设定依据", Lines: []string{"《中华人民共和国城乡规划法》第四十条。"}}, {Head: "责任事项", Lines: []string{"受理、审查、决定、送达、事后监管。"}}, {Head: "监督电话", Lines: []string{"0730-5550188"}}}}),
	}
}

func (b book) faults() []Sample {
	return []Sample{
		b.kiosk("fault-journal", "fault", "fault.title", view.Fault{Failure: *b.fail("J-401")}, b.foot(other("do.home", "home"), main("do.help", "help"))),
		b.kiosk("fault-rated", "fault", "fault.title", view.Fault{Failure: *b.fail("V-503")}, b.foot(main("do.finish", "finish"))),
		b.kiosk("outofservice", "outofservice", "outofservice.title", view.OutOfService{Failure: *b.fail("S-901"), Phone: "0730-5550199"}, noBack),
		b.kiosk("outofservice-cause", "outofservice", "outofservice.title", view.OutOfService{Failure: *b.fail("S-905"), Phone: "0730-5550199",
			Cause: b.Text("cause.full", "where", "/var/lib/kiosk/journal.db")}, noBack),
	}
}

func (b book) padSample(name, screen, title string, body any, change ...func(*view.View)) Sample {
	s := b.kiosk(name, screen, title, body, append([]func(*view.View){noBack}, change...)...)
	s.Role = "pad"
	return s
}

func (b book) pad() []Sample {
	staff := &view.Staff{Name: "陈晓明", Number: "LX-0317", Post: "综合受理岗", Window: "3", Photo: "/ui/photos/sample.svg"}
	noPhoto := *staff
	noPhoto.Photo, noPhoto.Name = "", longPerson
	until := time.Now().Add(42 * time.Second)
	rating := view.Rating{Service: "企业设立登记（含社保登记）· 收件受理", Case: "430682 20261122 000142", Staff: staff, Until: until, Total: time.Minute, Levels: b.levels(), Buttons: true}
	long := rating
	long.Service = longName
	why := view.Reasons{Level: b.levels()[3], Bad: true, Reasons: reasons(3), HasMore: true, Left: 150, Until: time.Now().Add(16 * time.Second), Total: 20 * time.Second}
	more := why
	more.Reasons, more.More = reasons(8, 3), true
	write := view.Write{Prompt: "您对本次服务的意见", Text: ownWords, Left: 119, Keys: view.KeysPinyin, Until: until, Total: time.Minute}
	busy, full := write, write
	busy.Composing = view.Composing{Letters: "zhishipai", Candidates: []string{"指示牌", "之时", "知识", "指示", "只是"}, Page: view.Pager{Page: 1, Pages: 6}}
	full.Text, full.Left = fullText, 0
	standby := func(state view.StandbyState) view.Standby {
		return view.Standby{Staff: staff, Window: "3", State: state, Park: "示例产业园区"}
	}
	ready := standby(view.StandbyReady)
	other := ready
	other.Staff, other.Notice = &noPhoto, "今日 17:00 后请到 24 小时自助区办理"
	return []Sample{
		b.padSample("pad-standby", "standby", "standby.title", ready),
		b.padSample("pad-standby-no-photo", "standby", "standby.title", other),
		b.padSample("pad-paused", "standby", "standby.title", standby(view.StandbyPaused)),
		b.padSample("pad-inactive", "standby", "standby.title", standby(view.StandbyInactive)),
		b.padSample("pad-rate", "rate", "rate.title", rating),
		b.padSample("pad-rate-offline", "rate", "rate.title", rating, b.banner("banner.offline.pad")),
		b.padSample("pad-rate-long-name", "rate", "rate.title", long),
		b.padSample("pad-reasons", "reasons", "reasons.title", why),
		b.padSample("pad-reasons-more", "reasons", "reasons.title", more),
		b.padSample("pad-write", "write", "write.title", write, b.foot(main("do.write.done", "done"))),
		b.padSample("pad-write-composing", "write", "write.title", busy, b.foot(main("do.write.done", "done"))),
		b.padSample("pad-write-full", "write", "write.title", full, b.foot(main("do.write.done", "done"))),
		b.padSample("pad-thanks", "thanks", "thanks.title", view.Thanks{Word: b.Text("thanks.word")}),
		b.padSample("pad-thanks-later", "thanks", "thanks.title", view.Thanks{Word: b.Text("thanks.word.later")}),
		b.padSample("pad-timeout", "ended", "ended.title", view.Ended{Outcome: "timeout", Word: b.Text("ended.timeout")}),
		b.padSample("pad-declined", "ended", "ended.title", view.Ended{Outcome: "declined", Word: b.Text("ended.declined")}),
		b.padSample("pad-fault", "fault", "fault.title.pad", view.Fault{Failure: *b.fail("W-601")}),
	}
}

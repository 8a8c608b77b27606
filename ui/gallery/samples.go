package gallery

import (
	"slices"
	"strconv"
	"time"

	"yuanban/ui/view"
)

// packages have the words of the example catalogue.
var packages = []view.Tile{
	{Code: "P1", Name: "企业入园大礼包", Desc: "从意向到签约入园一次告知、一次申报", Promise: "园区承诺，单事项1天", Count: 8},
	{Code: "P2", Name: "企业开办大礼包", Desc: "设立登记、印章、发票、社保、公积金、银行预约一表申请", Promise: "1天内", Count: 7},
	{Code: "P3", Name: "企业注销极速办", Desc: "清税、社保、公积金、印章、银行、登记注销一次申请、并联办理", Promise: "单事项当场或1天（公示期满后）", Count: 8},
	{Code: "P4", Name: "我要建厂房", Desc: "规划、图审、质安监、施工许可并联办理，竣工联合验收", Promise: "4项并联5个工作日；联合验收8个工作日", Count: 9},
	{Code: "P5", Name: "我要办不动产证", Desc: "用地、厂房、抵押登记", Promise: "1天（单事项）", Count: 5},
	{Code: "P6", Name: "我要领发票", Desc: "票种、限额、领用、代开", Promise: "当场", Count: 5},
	{Code: "P7", Name: "我要纳税", Desc: "新办套餐、三方协议、申报缴税、证明开具", Promise: "当场", Count: 6},
	{Code: "P8", Name: "我要申请惠企政策减免", Desc: "免申即享优先，申报即审", Promise: "1天（受理）", Count: 10},
	{Code: "P9", Name: "水电气网报装一件事", Desc: "零接触、零跑腿、零付费（简易低风险工业厂房）", Promise: "无外线3个工作日；有外线5个工作日（示例）", Count: 4},
}

// longTiles are as many packages, each with the longest of every text.
func longTiles() []view.Tile {
	all := slices.Clone(packages)
	for i := range all {
		all[i].Name, all[i].Desc, all[i].Promise, all[i].Count = packages[7].Name, packages[2].Desc, packages[8].Promise, 10
	}
	return all
}

func items(chosen ...int) []view.ItemRow {
	rows := []view.ItemRow{
		{Code: "P2-01", Name: "企业设立登记（含社保登记）", Department: "市场监督管理", Limit: "当场", Mode: "告知承诺", Applicable: true},
		{Code: "P2-02", Name: "公章刻制备案", Department: "公安", Limit: "当场", Mode: "备案", Applicable: true},
		{Code: "P2-03", Name: "发票票种核定与首次领用", Department: "税务", Limit: "当场", Mode: "告知承诺", Applicable: true},
		{Code: "P2-04", Name: "企业职工参保登记", Department: "人力资源和社会保障", Limit: "1天", Mode: "告知承诺", Applicable: true},
		{Code: "P2-05", Name: "食品经营许可（仅销售预包装食品备案除外）", Department: "市场监督管理", Limit: "1天", Mode: "告知承诺", WhyNot: "需到窗口办理"},
	}
	for _, i := range chosen {
		rows[i].Chosen = true
	}
	return rows
}

func (b book) entrance() []Sample {
	home := view.Home{Park: "示例产业园区", Slogan: b.Text("brand.slogan"), Packages: packages, CanApply: true}
	noReader := home
	noReader.CanApply, noReader.ApplyWord = false, b.Text("why.reader")
	halted := home
	halted.CanApply, halted.ApplyWord = false, b.Text("why.journal")
	attract := view.Attract{Park: "示例产业园区", Slogan: b.Text("brand.slogan"), Hours: "24小时服务 · 需人工办理的事项在工作日 9:00—17:00"}
	night := attract
	night.Night, night.Shift = true, 5
	soon := time.Now().Add(12 * time.Second)
	return []Sample{
		b.kiosk("attract", "attract", "attract.title", attract, noBack),
		b.kiosk("attract-night", "attract", "attract.title", night, noBack),
		b.kiosk("home", "home", "home.title", home, noBack),
		b.kiosk("home-reader-out", "home", "home.title", noReader, noBack, b.banner("banner.reader")),
		b.kiosk("home-platform-down", "home", "home.title", home, noBack, b.banner("banner.platform")),
		b.kiosk("home-journal-out", "home", "home.title", halted, noBack, b.banner("banner.journal")),
		b.kiosk("idle", "home", "home.title", home, noBack, func(v *view.View) { v.Idle = &view.Idle{Until: soon, Total: 15 * time.Second} }),
		b.kiosk("help", "help", "help.title", view.Help{Lines: []view.HelpLine{
			{Name: "政务服务便民热线", Number: "12345", Word: "咨询、投诉、建议，全天有人接听", Big: true},
			{Name: "报警", Number: "110", Word: "人身、财产受到侵害时"},
			{Name: "火警", Number: "119", Word: "发生火灾或需要救援时"},
			{Name: "医疗急救", Number: "120", Word: "有人突发疾病或受伤时"},
			{Name: "交通事故报警", Number: "122", Word: "发生交通事故时"},
		}}, b.foot(other("do.assist", "assist"), main("do.back", "back"))),
		b.kiosk("help-park", "help", "help.title", view.Help{Lines: []view.HelpLine{
			{Name: "政务服务便民热线", Number: "12345", Word: "24小时", Big: true},
			{Name: "园区帮办代办专窗", Number: "0730-5550100", Word: "工作日 9:00—17:00"},
			{Name: "本机故障报修", Number: "0730-5550199", Word: "24小时"},
			{Name: "紧急求助", Number: "110 · 119 · 120", Word: "24小时"},
		}}),
		b.kiosk("wiped", "wiped", "wiped.title", view.Wiped{Why: b.Text("wiped.done")}, noBack),
		b.kiosk("wiped-timeout", "wiped", "wiped.title", view.Wiped{Why: b.Text("wiped.timeout")}, noBack),
	}
}

func (b book) browsing() []Sample {
	long := items()
	long[1].Name = longName
	stages := []view.Stage{{Name: "入园", Count: 6}, {Name: "开办", Count: 7}, {Name: "建设", Count: 24}, {Name: "经营", Count: 18}, {Name: "惠企", Count: 10}, {Name: "变更", Count: 9}, {Name: "退出", Count: 5}}
	choose := step(view.StepChoose)
	apply := b.foot(main("do.apply.package", "apply"))
	none := b.foot(other("do.all", "all"), view.Button{Label: b.Text("do.apply.package", "count", "0"), Do: "apply", Main: true, Disabled: true, Why: "hold.choose"})
	guide := view.Guide{Code: "P2-01", Name: "企业设立登记（含社保登记）", Summary: "在园区新办企业，一次领取营业执照并完成社保登记。", Mode: "告知承诺", Example: true, Pager: view.Pager{Page: 1, Pages: 3}, Sections: []view.Section{
		{Head: "谁能办", Lines: []string{"拟在本园区设立的有限责任公司、个人独资企业、合伙企业。", "法定代表人或受委托的经办人均可办理。"}},
		{Head: "需要什么", Lines: []string{"身份核验：法定代表人或经办人居民身份证。", "告知承诺书：在本机阅读并签名。", "免提交：企业名称、住所信息，由部门调取。"}},
		{Head: "多久", Lines: []string{"承诺时限：当场。法定时限：3 个工作日。"}},
		{Head: "多少钱", Lines: []string{"不收费。"}},
	}}
	longGuide := guide
	longGuide.Name = longName
	longGuide.Sections = guide.Sections[:2]
	printing := guide
	printing.Sections = guide.Sections[:2]
	printing.Print = &view.Print{State: view.PrintRunning, Percent: 40}
	guideFoot := b.foot(other("do.print.guide", "print"), main("do.apply", "apply"))
	return []Sample{
		b.kiosk("browse-packages", "browse", "browse.title", view.Browse{Purpose: view.PurposeApply, Tab: "packages", Packages: packages[:6], Total: 58, Version: "2026.11", Pager: view.Pager{Page: 1, Pages: 2}}, choose),
		b.kiosk("browse-packages-long", "browse", "browse.title", view.Browse{Purpose: view.PurposeApply, Tab: "packages", Packages: longTiles()[:6], Total: 58, Version: "2026.11", Pager: view.Pager{Page: 1, Pages: 2}}, choose),
		b.kiosk("browse-items", "browse", "browse.title.guide", view.Browse{Purpose: view.PurposeGuide, Tab: "items", Items: items(), Total: 58, Version: "2026.11", Pager: view.Pager{Page: 2, Pages: 12}}),
		b.kiosk("browse-stages", "browse", "browse.title", view.Browse{Purpose: view.PurposeApply, Tab: "stages", Stages: stages, Stage: "开办", Items: items()[:4], Total: 7, Version: "2026.11", Pager: view.Pager{Page: 1, Pages: 2}}, choose),
		b.kiosk("browse-long", "browse", "browse.title", view.Browse{Purpose: view.PurposeApply, Tab: "items", Items: long[:2], Total: 58, Version: "2026.11", Pager: view.Pager{Page: 1, Pages: 20}}, choose),
		b.kiosk("package", "package", "package.title", view.Package{Purpose: view.PurposeApply, Code: "P2", Name: "企业开办大礼包", Desc: "营业执照、印章、发票、社保一次办", Promise: "园区承诺，单事项1天", Items: items(0, 1, 3), Chosen: 3, Pager: view.Pager{Page: 1, Pages: 2}}, choose, apply),
		b.kiosk("package-none", "package", "package.title", view.Package{Purpose: view.PurposeApply, Code: "P2", Name: "企业开办大礼包", Desc: "营业执照、印章、发票、社保一次办", Items: items()[2:], Pager: view.Pager{Page: 1, Pages: 1}}, choose, none),
		b.kiosk("search", "search", "search.title", view.Search{Query: "yyzz", Found: 6, Results: items()[:2], Keys: view.KeysPinyin, Pager: view.Pager{Page: 1, Pages: 3}}),
		b.kiosk("search-empty", "search", "search.title", view.Search{Keys: view.KeysPinyin}),
		b.kiosk("search-nothing", "search", "search.title", view.Search{Query: "qqqq", Keys: view.KeysPinyin}),
		b.kiosk("guide", "guide", "guide.title", guide, guideFoot),
		b.kiosk("guide-long-name", "guide", "guide.title", longGuide, guideFoot),
		b.kiosk("guide-printing", "guide", "guide.title", printing, guideFoot),
		b.kiosk("nothere-elsewhere", "nothere", "nothere.title", view.NotHere{Name: "建筑工程施工许可证核发", Why: b.Text("why.nothere.elsewhere"), Where: "湖南省工程建设项目审批管理系统", Phone: "0730-5550120", Hours: "网上全天", QR: "https://example.gov.cn/zwfw/item/P4-03", QRWord: "手机扫码，前往办理"}),
		b.kiosk("nothere-redline", "nothere", "nothere.title", view.NotHere{Name: "危险化学品安全使用许可", Why: b.Text("why.nothere.redline"), Where: "园区政务服务中心 5 号窗口", Phone: "0730-5550105", Hours: "工作日 9:00—12:00，13:30—17:00"}, b.foot(main("do.continue.window", "continue"))),
		b.kiosk("negative", "negative", "negative.title", view.Negative{Version: "2026年版（示例）", Pager: view.Pager{Page: 1, Pages: 2}, Rows: []view.NegativeRow{
			{Kind: "禁止", Text: "新建、扩建不符合园区规划的化工、印染、电镀项目"},
			{Kind: "禁止", Text: "国家产业结构调整目录中的淘汰类项目"},
			{Kind: "限制", Text: "年综合能耗 5000 吨标准煤以上且未通过节能审查的项目"},
			{Kind: "限制", Text: "涉及易燃易爆危险化学品储存、经营的项目"},
		}}, step(view.StepChoose)),
	}
}

func (b book) card() []Sample {
	at := step(view.StepIdentity)
	use := []string{b.Text("use.identity"), b.Text("use.purpose.apply"), b.Text("use.keep"), b.Text("use.photo")}
	reason := b.Text("reason.card.apply")
	credit := view.Field{Name: "credit", Label: b.Text("field.credit.label"), Hint: b.Text("field.credit.hint")}
	phone := view.Field{Name: "phone", Label: b.Text("field.phone.label"), Hint: b.Text("field.phone.hint")}
	typing, wrong, goodCode, typed := credit, credit, credit, phone
	typing.Shown, typing.Active, typing.Missing = "91 430682 MA4L", true, 6
	wrong.Shown, wrong.Active, wrong.Error = "91 430682 MA4L12345 7", true, "第 18 位校验码应为 K，现为 7。请对照营业执照改正。"
	goodCode.Shown, goodCode.Good, goodCode.Done = "91 430682 MA4L12345 K", b.Text("field.credit.good"), true
	typed.Shown, typed.Active, typed.Missing = "138 0000", true, 4
	wait := b.foot(view.Button{Label: "do.company.done", Do: "done", Main: true, Disabled: true, Why: "hold.fields"})
	return []Sample{
		b.kiosk("card-lay-right", "card", "card.title", view.CardScreen{State: view.CardLay, Side: "right", Use: use, Reason: reason}, at),
		b.kiosk("card-lay-left", "card", "card.title", view.CardScreen{State: view.CardLay, Side: "left", Use: use, Reason: reason}, at),
		b.kiosk("card-lay-below", "card", "card.title", view.CardScreen{State: view.CardLay, Side: "below", Use: use, Reason: b.Text("reason.card.progress")}),
		b.kiosk("card-reading", "card", "card.title.reading", view.CardScreen{State: view.CardReading, Side: "right", Use: use, Reason: reason}, at),
		b.kiosk("card-again", "card", "card.title.again", view.CardScreen{State: view.CardAgain, Side: "right", Failure: b.fail("R-201"), Reason: reason}, at),
		b.kiosk("card-unreadable", "card", "card.title.unreadable", view.CardScreen{State: view.CardUnreadable, Side: "right", Failure: b.fail("R-202")}, at, b.foot(other("do.assist", "assist"))),
		b.kiosk("card-out", "card", "card.title.out", view.CardScreen{State: view.CardOut, Side: "right", Failure: b.fail("R-203")}, at, b.foot(other("do.home", "home"), main("do.assist", "assist"))),
		b.kiosk("identity", "identity", "identity.title", view.Identity{Name: "张*三", Number: "110105********002X", Kind: "居民身份证", Valid: "2019.03.01—2039.03.01"}, at, b.foot(other("do.identity.other", "retry"), main("do.identity.confirm", "confirm"))),
		b.kiosk("identity-long", "identity", "identity.title", view.Identity{Name: longPerson, Number: "654001********0000", Kind: "居民身份证", Valid: "长期"}, at, b.foot(other("do.identity.other", "retry"), main("do.identity.confirm", "confirm"))),
		b.kiosk("identity-expired", "identity", "identity.title", view.Identity{Name: "李*", Number: "430682********0019", Kind: "居民身份证", Valid: "2006.01.01—2026.01.01", Expired: true, Failure: b.fail("R-204")}, at, b.foot(main("do.identity.other", "retry"))),
		b.kiosk("company", "company", "company.title", view.Company{Fields: []view.Field{typing, phone}, Keys: view.KeysCredit, MaySkip: true, SkipReason: "本次所选事项包含设立登记"}, at, wait),
		b.kiosk("company-wrong", "company", "company.title", view.Company{Fields: []view.Field{wrong, phone}, Keys: view.KeysCredit}, at, wait),
		b.kiosk("company-phone", "company", "company.title", view.Company{Fields: []view.Field{goodCode, typed}, Keys: view.KeysDigits}, at, wait),
	}
}

func (b book) letter() []Sample {
	at := step(view.StepLetter)
	paragraphs := []view.Paragraph{
		{Head: true, Text: "一、应当具备的条件"},
		{Text: "1. 住所（经营场所）真实，申请人对其享有合法使用权。"},
		{Text: "2. 经营范围不属于园区投资经营负面清单（2026年版）禁止情形。"},
		{Text: "3. 股东、法定代表人具备法律规定的任职资格。"},
		{Head: true, Text: "二、免予提交的材料"},
		{Text: "企业名称、住所信息由市场监督管理部门调取；第三方评估报告由园区预先导入。"},
		{Text: "您有权不采用告知承诺，改按一般程序办理；在办结前可以撤回承诺。"},
	}
	page := view.Letter{Part: 1, PartTitle: "第一部分 申报条件告知书", Paragraphs: paragraphs, Pager: view.Pager{Page: 2, Pages: 5}, Number: "GZCN-2026-0142", Voluntary: true}
	last := page
	last.Part, last.PartTitle, last.Read, last.Pager = 2, "第二部分 未履行承诺惩戒措施", true, view.Pager{Page: 3, Pages: 3}
	third := last
	third.Part, third.PartTitle, third.Acknowledged = 3, "第三部分 事项办理申报书", true
	hold := b.foot(other("do.letter.refuse", "refuse"), view.Button{Label: "do.letter.ack", Do: "ack", Main: true, Disabled: true, Why: "hold.read"})
	ack := b.foot(other("do.letter.refuse", "refuse"), main("do.letter.ack", "ack"))
	sign := view.Sign{Name: "张*三", Statement: "我已知晓并理解告知内容，符合申报条件，所填信息真实准确，愿意接受核查并承担后果。", Items: []string{"企业设立登记（含社保登记）", "公章刻制备案", "企业职工参保登记"}}
	// A whole package and the words of the example's letter.
	package7 := sign
	package7.Statement = "我已经阅读并理解第一部分、第二部分告知的全部内容。我（单位）符合告知的条件和标准。我提供的信息真实、准确、完整。我愿意接受核查；未履行承诺或者虚假承诺的，愿意承担第二部分告知的后果。以上是我的真实意思表示。本承诺书一式两份：签名后的电子文书由收件部门归集，受理回执由申请人留存。收件部门章：示例产业园区行政审批服务专用章。签署设备：DEMO01。签署日期：2026年11月22日。"
	package7.Items = []string{"公司设立登记", "公章刻制备案（首套）", "新办纳税人税务信息确认", "发票票种核定与首次领用", "企业社会保险登记（员工参保）", "住房公积金单位缴存登记", "银行开户预约"}
	inked := sign
	inked.Inked = true
	inked.Strokes = "[[[180,240,0],[230,236,40],[300,226,90],[352,214,140]],[[268,150,300],[262,210,340],[248,290,390],[226,360,440],[196,400,480]],[[262,260,600],[300,310,640],[344,360,690]],[[470,180,900],[540,172,950],[610,164,990]],[[490,250,1200],[540,246,1240],[590,240,1280]],[[450,340,1400],[540,330,1460],[650,318,1520]]]"
	return []Sample{
		b.kiosk("letter-1", "letter", "letter.title", page, at, hold),
		b.kiosk("letter-2", "letter", "letter.title", last, at, ack),
		b.kiosk("letter-3", "letter", "letter.title", third, at, b.foot(main("do.letter.sign", "next"))),
		b.kiosk("otherway", "otherway", "otherway.title", view.OtherWay{Name: "企业设立登记（含社保登记）", Place: "园区政务服务中心 3 号窗口", Hours: "工作日 9:00—12:00，13:30—17:00", Phone: "0730-5550103", Needs: []string{"法定代表人身份证", "公司章程", "住所使用证明"}}, at, b.foot(other("do.print.otherway", "print"), main("do.letter.return", "back"))),
		b.kiosk("sign", "sign", "sign.title", sign, step(view.StepSign), b.foot(view.Button{Label: "do.sign.done", Do: "done", Main: true, Disabled: true, Why: "hold.sign"})),
		b.kiosk("sign-package", "sign", "sign.title", package7, step(view.StepSign), b.foot(view.Button{Label: "do.sign.done", Do: "done", Main: true, Disabled: true, Why: "hold.sign"})),
		b.kiosk("sign-inked", "sign", "sign.title", inked, step(view.StepSign), b.foot(main("do.sign.done", "done"))),
		b.kiosk("working", "working", "working.title", view.Working{What: b.Text("working.accept"), Since: moment}, step(view.StepSign), noBack),
	}
}

func cases(n int, provisional bool) []view.CaseRow {
	names := []string{"企业设立登记（含社保登记）", "公章刻制备案", "企业职工参保登记"}
	var out []view.CaseRow
	for i := range n {
		serial := strconv.Itoa(142 + i)
		out = append(out, view.CaseRow{
			Number: "43068220261122000" + serial, Groups: []string{"430682", "20261122", "000" + serial}, Name: names[i%3], Provisional: provisional,
			Accepted: "2026-11-22 14:05", Due: "2026年11月23日 14:05", State: "已受理", QueryCode: "7K3M-92", Department: "市场监督管理局", Uploaded: !provisional,
		})
	}
	return out
}

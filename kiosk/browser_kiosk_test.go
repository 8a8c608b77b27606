package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"yuanban/ui/uitest"
)

func kiosk(t *testing.T) *page {
	t.Helper()
	p := start(t, "demo", "-role", "kiosk", "-listen", "127.0.0.1:0", "-fast")
	b := open(t, p, 1080, 1920)
	b.screen("attract")
	b.tapAt("the resting screen", `document.getElementById('main')`)
	b.screen("home")
	return b
}

// apply goes from home to the card through one single item that asks nothing before.
func (b *page) apply() {
	b.t.Helper()
	b.tap("在线申报")
	b.screen("browse")
	b.tapListed("企业开办大礼包")
	b.screen("package")
	b.tapListed("公章刻制备案")
	b.tapListed("新办纳税人税务信息确认")
	b.tap("申报所选 2 项")
	b.screen("card")
}

func (b *page) layCard(card map[string]string) {
	b.t.Helper()
	b.p.must("PUT", "/bench/api/reader/card", card, nil)
}

func zhangSan() map[string]string {
	return map[string]string{"kind": "resident", "name": "张三", "number": "11010519491231002X"}
}

// identify confirms the card and fills in company and phone.
func (b *page) identify() {
	b.t.Helper()
	b.screen("identity")
	b.see("张*")
	if strings.Contains(b.text(), "11010519491231002X") {
		b.t.Error("the whole id number is on the screen")
	}
	b.p.must("DELETE", "/bench/api/reader/card", nil, nil)
	b.tap("是我本人")
	b.screen("company")
	b.key(uitest.CreditCode)
	b.wait("the keys of a phone number", `!!document.querySelector('.keys-digits')`)
	b.key("13800001234")
	b.tap("填好了")
}

// readLetter reads every page of the three parts and acknowledges each.
func (b *page) readLetter() {
	b.t.Helper()
	for part := range 3 {
		b.screen("letter")
		b.see(fmt.Sprintf("第 %d 部分", part+1))
		at, pages := b.place()
		for page := at + 1; page <= pages; page++ {
			b.tap("下一页")
			b.see(fmt.Sprintf("第 %d 页", page))
			b.fits("letter")
		}
		b.tap("我已阅读并知晓")
	}
	b.screen("sign")
}

// place is on which page of how many the text on the screen is.
func (b *page) place() (page, pages int) {
	b.t.Helper()
	b.eval(`Number((document.querySelector('.place')?.innerText.match(/第\s*(\d+)/) ?? [0, 1])[1])`, &page)
	b.eval(`Number((document.querySelector('.place')?.innerText.match(/共\s*(\d+)/) ?? [0, 1])[1])`, &pages)
	return page, pages
}

// handIn signs and waits until the application is accepted.
func (b *page) handIn() {
	b.t.Helper()
	b.sign()
	b.tap("签好了，提交申报")
	b.screen("accepted")
}

func (b *page) toAccepted() {
	b.t.Helper()
	b.apply()
	b.layCard(zhangSan())
	b.identify()
	b.readLetter()
	b.handIn()
}

func TestBrowserVisit(t *testing.T) {
	t.Parallel()
	b := kiosk(t)
	b.toAccepted()
	b.see("已打印")
	b.picture("accepted-printed")

	papers := b.p.receipts()
	if len(papers) != 1 {
		t.Fatalf("%d papers came out instead of one", len(papers))
	}
	cases := b.p.records("case.accepted")
	eventually(t, "both cases at the platform", func() bool { cases = b.p.records("case.accepted"); return len(cases) == 2 })
	text := strings.Join(strings.Fields(papers[0].text()), "")
	for _, c := range cases {
		if !strings.Contains(text, c.Subject) {
			t.Errorf("the receipt does not name case %s:\n%s", c.Subject, papers[0].text())
		}
		if !strings.Contains(string(c.Personal), "张三") {
			t.Errorf("the platform did not get the applicant of %s: %s", c.Subject, c.Personal)
		}
		if strings.Contains(string(c.Body), "张三") || strings.Contains(string(c.Body), "11010519491231002X") {
			t.Errorf("the open part of %s names the applicant: %s", c.Subject, c.Body)
		}
	}
	for _, secret := range []string{"张三", "11010519491231002X", "13800001234"} {
		if strings.Contains(text, secret) {
			t.Errorf("the receipt shows %s unmasked:\n%s", secret, papers[0].text())
		}
	}

	b.tap("评价本次服务")
	b.screen("rating")
	if n := b.count(`.level[aria-pressed="true"], .level:focus`); n != 0 {
		t.Errorf("%d levels are preselected or in focus", n)
	}
	b.tap("基本满意")
	b.screen("reasons")
	b.tap("在承诺的时间内办结")
	b.tap("写下意见")
	b.screen("write")
	b.key("banshihenkuai")
	b.wait("candidates", `!!document.querySelector('.candidate')`)
	b.picture("write-candidates")
	b.fits("write")
	b.tapAt("the first candidate", `document.querySelector('.candidate')`)
	b.tap("写好了")
	b.screen("reasons")
	b.tap("提交原因")
	b.screen("thanks")
	b.tap("结束并清除")
	b.screen("wiped")
	b.screen("home")

	eventually(t, "the rating is closed at the platform", func() bool { return len(b.p.records("rating.closed")) == 1 })
	var given struct {
		Level   string `json:"level"`
		Channel string `json:"channel"`
	}
	r := b.p.records("rating.given")
	if len(r) != 1 {
		t.Fatalf("%d ratings at the platform instead of one", len(r))
	}
	if err := json.Unmarshal(r[0].Body, &given); err != nil || given.Level != "3" {
		t.Errorf("the rating is %s, want level 3", r[0].Body)
	}
	if strings.Contains(b.p.log.String(), "张三") {
		t.Error("the log names a visitor")
	}

	// One's own cases by card.
	b.tap("办理进度")
	b.screen("card")
	b.layCard(zhangSan())
	b.screen("progress")
	b.see("公章刻制备案")
	b.tap("公章刻制备案")
	b.screen("case")
	b.tap("首页")
	b.screen("wiped")
}

func (b *page) count(selector string) int {
	b.t.Helper()
	var n int
	b.eval(fmt.Sprintf(`document.querySelectorAll(%q).length`, selector), &n)
	return n
}

func TestBrowserPaperOutBefore(t *testing.T) {
	t.Parallel()
	b := kiosk(t)
	b.p.must("PUT", "/bench/api/printer", map[string]string{"paper": "out"}, nil)
	b.toAccepted()
	b.see("打印机缺纸")
	b.see("P-104")
	b.picture("paper-out-before")
	if n := len(b.p.receipts()); n != 0 {
		t.Errorf("%d papers came out of an empty printer", n)
	}
	// Paper is put in: the visitor has it printed.
	b.p.must("PUT", "/bench/api/printer", map[string]string{"paper": "full"}, nil)
	b.tap("重新打印")
	b.see("已打印")
	eventually(t, "the receipt", func() bool { return len(b.p.receipts()) == 1 })
}

func TestBrowserPaperOutInTheMiddle(t *testing.T) {
	t.Parallel()
	b := kiosk(t)
	b.p.must("PUT", "/bench/api/printer", map[string]int{"paperLines": 6}, nil)
	b.toAccepted()
	b.see("打印中途缺纸")
	b.see("P-105")
	b.picture("paper-out-during")
	b.p.must("PUT", "/bench/api/printer", map[string]string{"paper": "full"}, nil)
	b.see("已打印")
	whole := 0
	for _, r := range b.p.receipts() {
		if strings.Contains(r.text(), "查询码") {
			whole++
		}
	}
	if whole != 1 {
		t.Errorf("the receipt came out %d times", whole)
	}
}

func TestBrowserReaderUnplugged(t *testing.T) {
	t.Parallel()
	b := kiosk(t)
	b.apply()
	b.p.must("PUT", "/bench/api/reader/fault", map[string]string{"fault": "unplugged"}, nil)
	b.see("读卡器故障")
	b.see("R-203")
	b.picture("reader-out")
	b.p.must("PUT", "/bench/api/reader/fault", map[string]string{"fault": "none"}, nil)
	b.see("请放身份证")
	b.layCard(zhangSan())
	b.screen("identity")
}

func TestBrowserPlatformDown(t *testing.T) {
	t.Parallel()
	b := kiosk(t)
	b.p.must("PUT", "/bench/api/platform/fault", map[string]string{"fault": "down"}, nil)
	b.toAccepted()
	b.see("待上传")
	b.see("预受理编号")
	b.see("已打印")
	b.tap("评价本次服务")
	b.screen("rating")
	b.p.must("POST", "/bench/api/buttons/4/press", map[string]int{"ms": 400, "bounces": 6}, nil)
	b.screen("reasons")
	b.tap("不说原因")
	b.screen("thanks")
	b.see("联网后自动上传")
	if n := len(b.p.records("")); n != 0 {
		t.Errorf("%d facts reached a platform that is down", n)
	}
	b.p.must("PUT", "/bench/api/platform/fault", map[string]string{"fault": "none"}, nil)
	eventually(t, "every fact at the platform", func() bool {
		return len(b.p.records("case.accepted")) == 2 && len(b.p.records("rating.closed")) == 1
	})
	var all struct {
		Duplicates int `json:"duplicates"`
	}
	b.p.must("GET", "/bench/api/platform/records", nil, &all)
	seen := map[int64]bool{}
	for i, r := range b.p.records("") {
		if seen[r.Sequence] || r.Sequence != int64(i+1) {
			t.Errorf("fact %d stands at place %d", r.Sequence, i+1)
		}
		seen[r.Sequence] = true
	}
}

func TestBrowserIdleInTheLetter(t *testing.T) {
	t.Parallel()
	b := kiosk(t)
	b.apply()
	b.layCard(zhangSan())
	b.identify()
	b.screen("letter")
	b.tap("下一页")
	// 45 s of silence, then the question; the real times, for the visitor's clock is what is tested.
	wait(t, 46*time.Second)
	b.see("您还在吗")
	b.picture("idle")
	b.tap("我需要更多时间")
	b.wait("the question gone", `!document.body.innerText.includes('您还在吗')`)
	b.see("第 1 部分")
	wait(t, 61*time.Second)
	b.wait("everything wiped", `['home','attract'].includes(document.documentElement.dataset.screen)`)
	if n := len(b.p.records("case.accepted")); n != 0 {
		t.Errorf("%d cases were accepted from a visitor who left", n)
	}
}

// wait lets real time pass for the program under test.
func wait(t *testing.T, d time.Duration) {
	t.Helper()
	<-time.After(d)
}

func TestBrowserReload(t *testing.T) {
	t.Parallel()
	b := kiosk(t)
	b.apply()
	b.layCard(zhangSan())
	b.identify()
	b.screen("letter")
	b.tap("下一页")
	b.see("第 2 页")
	b.reload()
	b.screen("letter")
	b.see("第 2 页")
	b.readLetter()
	b.sign()
	b.wait("the ink at the program", `!document.querySelector('#foot button.main').disabled`)
	b.reload()
	b.screen("sign")
	b.tap("签好了，提交申报")
	b.screen("accepted")
}

func TestBrowserReading(t *testing.T) {
	t.Parallel()
	b := kiosk(t)
	b.tap("办事指南")
	b.screen("browse")
	b.tap("查找")
	b.screen("search")
	b.key("gssl")
	b.see("公司设立登记")
	b.picture("search-found")
	for range 4 {
		b.tapAt("the key that erases", `document.querySelector('.key-del')`)
	}
	b.key("gongsi") // in Chinese, by a candidate
	b.tapAt("the candidate 公司", `[...document.querySelectorAll('.candidate')].find(e => e.innerText === '公司')`)
	b.fits("search")
	b.see("公司设立登记")
	b.tap("公司设立登记")
	b.screen("guide")
	b.tap("打印指南")
	b.see("已打印")
	eventually(t, "the guide on paper", func() bool {
		r := b.p.receipts()
		return len(r) == 1 && strings.Contains(r[0].text(), "公司设立登记")
	})
	b.tap("首页")
	b.screen("home")
	b.tap("政务公开")
	b.screen("disclosure")
	b.tap("权力清单")
	b.screen("list")
	b.tapAt("the first row", `document.querySelector('#main .row')`)
	b.screen("document")
	b.tap("返回")
	b.screen("list")
	b.tap("首页")
	b.tap("帮办代办")
	b.screen("assist")
	b.key("13900005678")
	b.tap("登记，请帮办员联系我")
	b.screen("recorded")
	eventually(t, "the request at the platform", func() bool { return len(b.p.records("request.recorded")) == 1 })
	b.tap("12345")
	b.screen("help")
}

// TestBrowserModes walks the way of an application in each mode: nothing may be cut off in any of them.
func TestBrowserModes(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"大字", "高对比", "轮椅"} {
		t.Run(mode, func(t *testing.T) {
			b := kiosk(t)
			b.tap(mode)
			b.wait("the mode "+mode, fmt.Sprintf(`[...document.querySelectorAll(".mode[aria-pressed=true]")].some(e => e.innerText.includes(%q))`, mode))
			b.tap("办事指南")
			b.screen("browse")
			b.tap("查找")
			b.screen("search")
			b.key("gongsi")
			b.see("公司")
			b.screen("search")
			b.tap("首页")
			b.screen("home")
			b.toAccepted()
			b.tap("评价本次服务")
			b.screen("rating")
			b.tap("非常不满意")
			b.screen("reasons")
		})
	}
}

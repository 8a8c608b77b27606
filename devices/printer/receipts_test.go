package printer

import (
	"testing"
)

// acceptance is the receipt a visitor gets at the end of a declaration.
func acceptance() *Document {
	return &Document{Blocks: []Block{
		Text{Text: "智汇产业园区政务服务中心", Align: Center},
		Text{Text: "收件受理回执", Align: Center, Size: 2, Bold: true},
		Rule{},
		Row{Left: "受理编号", Right: "20261122-0142", Bold: true},
		Row{Left: "事项名称", Right: "企业设立登记（含外商投资企业）及公章刻制备案“一件事一次办”"},
		Row{Left: "申请人", Right: "张*三"},
		Row{Left: "证件号码", Right: "110105********002X"},
		Row{Left: "申请单位", Right: "91330106MA2XXXXX1Y"},
		Row{Left: "联系电话", Right: "138****1234"},
		Row{Left: "受理时间", Right: "2026-11-22 14:03"},
		Row{Left: "承诺办结", Right: "2026-11-27（5 个工作日）"},
		Row{Left: "收费", Right: "¥0.00"},
		Rule{},
		Text{Text: "您以告知承诺方式申请，材料已受理，正在上传。请妥善保管本回执；凭受理编号可在“办理进度”中查询，或拨打 12345（转园区）。"},
		Space{Lines: 1},
		QR{Data: "https://yq.example.gov.cn/c/20261122-0142", Caption: "扫码查看办理进度"},
		Space{Lines: 1},
		Text{Text: "24 小时自助机 K-01 · 第 1 联", Align: Center},
	}}
}

func profile(t testing.TB, name string) *Profile {
	t.Helper()
	p, err := ByName(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
